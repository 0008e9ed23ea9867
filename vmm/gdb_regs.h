/* SPDX-License-Identifier: MIT */
/* gdb_regs.h: which bytes of a `g` reply are which register, by the target description. Pure: text in, state out. */
#ifndef VMM_GDB_REGS_H
#define VMM_GDB_REGS_H

#include "vmm/state.h"

#include <stddef.h>

#define GDB_REGS 64

struct gdb_reg {
	unsigned at, size;              /* in bytes; size 0: not described */
	unsigned number;                /* for `P` */
};

struct gdb_regs {
	struct gdb_reg reg[GDB_REGS];   /* by the table in gdb_regs.c */
	unsigned next_number, next_at;
};

/* The next file that a description includes, from *from on, which is moved behind it. False if there is none or its name is
 * longer than out. */
bool gdb_regs_include(const char **from, char *out, size_t out_size);

/* Adds the registers of one file of the description; files come in the order in which they are included. False if it makes
 * no sense. */
bool gdb_regs_add(struct gdb_regs *r, const char *xml);

/* NULL if all are described that the bench must have, else the name of one that is not. */
const char *gdb_regs_missing(const struct gdb_regs *r);

/* The registers of a `g` reply, of `size` digits. What the description lacks stays as it is. */
bool gdb_regs_read(const struct gdb_regs *r, const char *digits, size_t size, struct cpu_state *out);

/* The next register from *n on that differs between the two: its number for `P`, size in bytes and new value; *n is moved behind it.
 * False if there is none. */
bool gdb_regs_changed(const struct gdb_regs *r, const struct cpu_state *from, const struct cpu_state *to, unsigned *n,
		      struct gdb_reg *reg, uint64_t *value);

#endif
