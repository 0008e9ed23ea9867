/* SPDX-License-Identifier: MIT */
/* tiny.h: a guest of a few instructions, for measuring the host: no image. */
#ifndef VMM_TINY_H
#define VMM_TINY_H

#include "vmm/machine.h"

/* A machine about to execute code at CPL 0 in 64-bit mode, identity mapped. */
void tiny_create(struct machine *m, struct host *host, const uint8_t *code, size_t size);

/* Does this host execute RDGSBASE and WRGSBASE at CPL 0? CPUID must already offer FSGSBASE to guests. */
bool tiny_has_fsgsbase(struct host *host);

/* Empty exits a second. */
double tiny_exits_per_second(struct host *host, double seconds);

/* Gives the guest a stack, a GDT and an IDT whose every gate reports its vector. Call it before the first run. */
void tiny_tables(struct machine *m);
void tiny_set_flags(struct machine *m, uint64_t rflags);

/* Runs to the code's OUT to TINY_PORT_END, to an exception or interrupt (its vector), or to anything else. */
#define TINY_END -1
#define TINY_DEATH -2
#define TINY_PORT_END 0x80
int tiny_run(struct machine *m);

#define TINY_DATA 0x8000                /* a page for the code to write to */

#endif
