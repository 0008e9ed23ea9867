/* SPDX-License-Identifier: MIT */
/* libvirt_domain.c: a connection to libvirt, and domains by way of it. */
#define _GNU_SOURCE
#include "vmm/libvirt_domain.h"

#include <errno.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "guest/abi.h"
#include "vmm/clock.h"
#include "vmm/libvirt_child.h"
#include "vmm/libvirt_xml.h"
#include "vmm/qcow2.h"

#define BIOS_SIZE 65536
#define END_SECONDS 0.5
#define CONNECT_MS 5000                 /* QEMU connects before libvirt says that it runs */

/* In one line: libvirt quotes what QEMU has said. */
static bool fail(char *err, const char *what)
{
	const char *why = virGetLastErrorMessage();
	size_t n;

	snprintf(err, DOMAIN_LINE, "libvirt: %s: %s", what, why);
	for (char *c = err; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	for (n = strlen(err); n && err[n - 1] == ' '; n--)
		err[n - 1] = '\0';
	return false;
}

static bool fail_errno(char *err, const char *what)
{
	snprintf(err, DOMAIN_LINE, "libvirt: %s: %s", what, strerror(errno));
	return false;
}

/* libvirt prints errors by itself otherwise. */
static void be_silent(void *user, virErrorPtr error)
{
	(void)user, (void)error;
}

/* Events and answers of the monitor are taken here; it never ends. */
static void *run_events(void *unused)
{
	(void)unused;
	while (!virEventRunDefaultImpl())
		;
	return NULL;
}

/* No other daemon, no control group, no namespace: nothing that outlives this process. */
static bool configure_root(const struct folder *f)
{
	return folder_folder(f, "etc") && folder_text(f, "etc/qemu.conf",
		"stdio_handler = \"file\"\nsecurity_driver = \"none\"\nnamespaces = []\ncgroup_controllers = []\n");
}

bool hypervisor_open(struct hypervisor *h, const char *uri, char *err)
{
	char embed[sizeof("qemu:///embed?root=") + FOLDER_PATH];
	pthread_t thread;
	int bios;

	snprintf(embed, sizeof(embed), "qemu:///embed?root=%s", h->folder.path);
	bios = folder_file(&h->folder, "bios", BIOS_SIZE);
	if (bios < 0 || (h->embedded && !configure_root(&h->folder)))
		return fail_errno(err, "its folder");
	close(bios);
	virSetErrorFunc(NULL, be_silent);
	if (virInitialize() || virEventRegisterDefaultImpl())
		return fail(err, "it cannot be used");
	if (pthread_create(&thread, NULL, run_events, NULL) || (h->embedded && !child_adopt()))
		return fail_errno(err, "a thread for its events");
	h->connection = virConnectOpen(h->embedded ? embed : uri);
	if (!h->connection)
		return fail(err, h->embedded ? "qemu:///embed" : uri);
	xml_labels(virConnectGetCapabilities(h->connection), h->labels, sizeof(h->labels));
	return true;
}

void hypervisor_close(struct hypervisor *h)
{
	if (h->connection)
		virConnectClose(h->connection);
	h->connection = NULL;
}

/* It has connected already, or never will. */
static int take_connection(int listener)
{
	struct pollfd fd = { .fd = listener, .events = POLLIN };

	if (poll(&fd, 1, CONNECT_MS) != 1)
		return -1;
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static bool start(struct hypervisor *h, struct domain *d, const struct xml_names *names, char *err)
{
	unsigned flags = VIR_DOMAIN_START_PAUSED | (h->embedded ? 0 : VIR_DOMAIN_START_AUTODESTROY);
	int listener = folder_listen(&h->folder, names->gdb);
	char xml[8192];

	if (listener < 0)
		return fail_errno(err, "a socket for gdb");
	xml_domain(xml, sizeof(xml), names, h->folder.path, h->labels);
	d->domain = virDomainCreateXML(h->connection, xml, flags);
	if (!d->domain) {
		fail(err, "the machine does not start");
	} else {
		d->gdb = take_connection(listener);
		if (d->gdb < 0)
			fail_errno(err, "QEMU's gdb stub does not connect");
	}
	close(listener);
	return d->domain && d->gdb >= 0;
}

/* All are open by now. */
static void forget_names(const struct folder *f, const struct xml_names *names)
{
	folder_unlink(f, names->gdb);
	folder_unlink(f, names->ram);
	folder_unlink(f, names->state);
}

bool domain_create(struct hypervisor *h, unsigned number, struct domain *d, char *err)
{
	struct xml_names names;
	bool good;

	memset(d, 0, sizeof(*d));
	xml_name(&names, strrchr(h->folder.path, '-') + 1, number);
	snprintf(d->name, sizeof(d->name), "%s", names.domain);
	d->gdb = -1;
	d->ram = folder_file(&h->folder, names.ram, ABI_RAM_SIZE);
	d->state = folder_file(&h->folder, names.state, 0);
	good = d->ram >= 0 && d->state >= 0 && qcow2_create(d->state);
	good = good ? start(h, d, &names, err) : fail_errno(err, "a machine's files");
	forget_names(&h->folder, &names);
	if (!good)
		domain_destroy(h, d);
	return good;
}

/* libvirt keeps the log of a domain. Here it lies in the folder; a daemon has it where the user or root may remove it. */
static void remove_log(const struct hypervisor *h, const char *name)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char path[1024];

	if (h->embedded)
		return;
	snprintf(path, sizeof(path), "/var/log/libvirt/qemu/%s.log", name);
	unlink(path);
	if (cache || home) {
		snprintf(path, sizeof(path), "%s%s/libvirt/qemu/log/%s.log", cache ? cache : home, cache ? "" : "/.cache", name);
		unlink(path);
	}
}

void domain_destroy(struct hypervisor *h, struct domain *d)
{
	if (d->domain) {
		virDomainDestroy(d->domain);
		virDomainFree(d->domain);
		remove_log(h, d->name);
	}
	d->domain = NULL;
	for (unsigned n = 0; n < 3; n++) {
		int *fd = (int *[]){ &d->gdb, &d->ram, &d->state }[n];

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

bool domain_nmi(struct domain *d, char *err)
{
	return !virDomainInjectNMI(d->domain, 0) || fail(err, "inject an NMI");
}

bool domain_monitor(struct domain *d, const char *command, char *out, size_t out_size, char *err)
{
	char *said = NULL;

	if (virDomainQemuMonitorCommand(d->domain, command, &said, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP))
		return fail(err, "a monitor command");
	snprintf(out, out_size, "%s", said ? said : "");
	free(said);
	return true;
}

/* The last line that the embedded driver has written about it. */
static void last_of_log(const struct hypervisor *h, const char *name, char *out, size_t out_size)
{
	char path[FOLDER_PATH + 80], line[300];
	FILE *f;

	*out = '\0';
	snprintf(path, sizeof(path), "%s/log/qemu/%s.log", h->folder.path, name);
	f = h->embedded ? fopen(path, "re") : NULL;
	while (f && fgets(line, sizeof(line), f))
		snprintf(out, out_size, ", its log ends \"%.*s\"", (int)strcspn(line, "\n"), line);
	if (f)
		fclose(f);
}

/* libvirt hears of QEMU's end a moment after the stub's socket has closed. */
static bool has_ended(struct domain *d)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	int state, reason;

	for (double until = clock_now() + END_SECONDS; clock_now() < until; nanosleep(&tick, NULL))
		if (virDomainGetState(d->domain, &state, &reason, 0) || state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED)
			return true;
	return false;
}

void domain_describe(struct hypervisor *h, struct domain *d, char *out)
{
	char log[340];

	*out = '\0';
	if (!has_ended(d))
		return;
	last_of_log(h, d->name, log, sizeof(log));
	snprintf(out, DOMAIN_LINE, "libvirt: QEMU has ended%s", log);
}
