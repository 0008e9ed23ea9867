/* SPDX-License-Identifier: MIT */
/* dump.h: memory around one stop, kept for a bug report: the stack in use, the event's own, and the per-CPU page. */
#ifndef VMM_DUMP_H
#define VMM_DUMP_H

#include <stdio.h>

#include "vmm/session.h"

#define DUMP_PAGE 4096u
#define DUMP_STACK_PAGES 4

struct dumped {
	uint64_t start, size;
	uint8_t bytes[DUMP_STACK_PAGES * DUMP_PAGE];
};

struct dump {
	const char *at;                 /* the stop */
	struct cpu_state now;           /* MACHINE_CORE and MACHINE_I */
	struct dumped stack, event, percpu;     /* event: size 0 if it is the stack in use */
};

/* As the guest stands now: from the page that RSP is in to the end of its stack, and where the event lies that came at a boundary of
 * this CPL. Replaces what was taken before. */
void dump_take(struct dump *d, struct session *s, const char *at, enum event event, unsigned cpl);

/* A word a line, with the symbols that it and its address have; runs of zeroes in one line. */
void dump_print_stack(FILE *f, const struct dump *d, const struct session *s);
void dump_print_percpu(FILE *f, const struct dump *d, const struct session *s);

#endif
