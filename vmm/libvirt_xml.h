/* SPDX-License-Identifier: MIT */
/* libvirt_xml.h: the texts that libvirt gets. Pure. */
#ifndef VMM_LIBVIRT_XML_H
#define VMM_LIBVIRT_XML_H

#include <stddef.h>

/* What one machine's domain and files are called. */
struct xml_names {
	char domain[40], gdb[20], ram[20], state[20];
};

void xml_name(struct xml_names *names, const char *unique, unsigned number);

/* By the hypervisor's capabilities, NULL if it says none: QEMU runs as this user, so that the files need be nobody else's, and
 * is confined by no profile, because libvirt does not know of these files. Frees the text. */
void xml_labels(char *capabilities, char *out, size_t out_size);

void xml_domain(char *out, size_t out_size, const struct xml_names *names, const char *folder, const char *labels);

#endif
