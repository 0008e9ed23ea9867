/* SPDX-License-Identifier: MIT */
/* libvirt.h: a QEMU machine that libvirt defines, starts and destroys; stopped before its first instruction. */
#ifndef VMM_LIBVIRT_H
#define VMM_LIBVIRT_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/die.h"
#include "vmm/mem.h"

struct libvirt {
	int gdb;                        /* its gdb stub: a connected socket */
	int state;                      /* a qcow2 file: what savevm writes and loadvm reads */
	struct mem ram;                 /* the guest's, shared */
	int carrier;                    /* private to libvirt.c: who asks libvirt for this machine */
	char trouble[400];              /* why the last function said false; "" if none did */
};

/* Can this URI be taken? EXIT_GOOD, or EXIT_USAGE or EXIT_HOST with a line in err. Asks nobody. NULL is qemu:///embed. */
enum exit_status libvirt_uri(const char *uri, char *err, size_t err_size);

/* A machine with ABI_RAM_SIZE bytes of RAM, an empty BIOS and no devices: QEMU has not executed anything, and waits for its gdb
 * stub. Any thread may call it, and several machines may run at once; all of one process have the same URI. Whatever becomes of
 * this process, nothing is left of the machine: no domain, no process, no file. False with a line in err: EXIT_HOST. */
bool libvirt_start(struct libvirt *l, const char *uri, char *err, size_t err_size);
void libvirt_stop(struct libvirt *l);

/* An NMI to the first CPU. */
bool libvirt_nmi(struct libvirt *l);

/* A command of QEMU's monitor, in the words that people type. What it prints goes to out, as much as fits; out may be NULL. */
bool libvirt_monitor(struct libvirt *l, const char *command, char *out, size_t out_size);

/* What is to be said of a machine that does not answer as it should: what libvirt knows of its end. "" if nothing. */
void libvirt_describe(struct libvirt *l, char *out, size_t out_size);

#endif
