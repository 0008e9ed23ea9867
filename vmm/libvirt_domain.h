/* SPDX-License-Identifier: MIT */
/* libvirt_domain.h: the only place that knows libvirt's own types: a connection, and domains by way of it. */
#ifndef VMM_LIBVIRT_DOMAIN_H
#define VMM_LIBVIRT_DOMAIN_H

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stddef.h>

#include "vmm/libvirt_folder.h"

#define DOMAIN_LINE 400
/* What libvirt puts behind its root in the path of its monitor's socket; it shortens names. */
#define DOMAIN_PATH_ROOM (sizeof("/lib/qemu/domain-10000-gsgate-XXXXXX-10000/monitor.sock") - 1)

struct hypervisor {
	struct folder folder;
	bool embedded;                  /* in this process, with its root in the folder */
	virConnectPtr connection;
	char labels[600];               /* what a domain says of security drivers */
};

struct domain {
	virDomainPtr domain;
	char name[40];
	int gdb, ram, state;
};

/* err has room for DOMAIN_LINE bytes everywhere. */
bool hypervisor_open(struct hypervisor *h, const char *uri, char *err);
void hypervisor_close(struct hypervisor *h);

/* A domain that has not executed anything. Afterwards its files are open here and have no name any more. */
bool domain_create(struct hypervisor *h, unsigned number, struct domain *d, char *err);
void domain_destroy(struct hypervisor *h, struct domain *d);

bool domain_nmi(struct domain *d, char *err);
bool domain_monitor(struct domain *d, const char *command, char *out, size_t out_size, char *err);
/* What became of it. "" if it lives. */
void domain_describe(struct hypervisor *h, struct domain *d, char *out);

#endif
