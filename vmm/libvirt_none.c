/* SPDX-License-Identifier: MIT */
/* libvirt_none.c: what a build without libvirt has in its place. */
#include <stdio.h>
#include <string.h>

#include "vmm/libvirt.h"

bool libvirt_start(struct libvirt *l, const char *uri, char *err, size_t err_size)
{
	memset(l, 0, sizeof(*l));
	if (libvirt_uri(uri, err, err_size) == EXIT_GOOD)
		snprintf(err, err_size, "this build has no libvirt (Debian: libvirt-dev, then build again)");
	return false;
}

void libvirt_stop(struct libvirt *l)
{
	(void)l;
}

bool libvirt_nmi(struct libvirt *l)
{
	(void)l;
	return false;
}

bool libvirt_monitor(struct libvirt *l, const char *command, char *out, size_t out_size)
{
	(void)l, (void)command, (void)out, (void)out_size;
	return false;
}

void libvirt_describe(struct libvirt *l, char *out, size_t out_size)
{
	(void)l, (void)out_size;
	*out = '\0';
}
