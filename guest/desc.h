/* SPDX-License-Identifier: MIT */
/* desc.h: descriptor tables, and the schemes: each has a column of the gate table. */
#ifndef GUEST_DESC_H
#define GUEST_DESC_H

#include <stdint.h>

enum scheme {
	SCHEME_SWAPGS,
	SCHEME_IST,
	SCHEME_LSL,
	SCHEME_PURE,
	SCHEME_COUNT,
};

/* Fills the tables: a GDT and a TSS for each CPU, one IDT for all. */
void desc_init(enum scheme scheme);
/* This CPU's GDT and TSS are loaded. Zeroes both bases. */
void desc_load(unsigned cpu);
/* Exceptions can arrive. */
void desc_live(void);

/* This CPU's number: of all that it has loaded, its GDT alone tells without GS and cannot be the user's. */
unsigned desc_cpu(void);
/* Entries from user code on this CPU begin here. */
void desc_set_stack(unsigned cpu, unsigned long top);

/* The descriptor of ABI_TLS; 0: not present. */
void desc_set_tls(uint64_t word);

#endif
