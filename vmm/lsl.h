/* SPDX-License-Identifier: MIT */
/* lsl.h: what the instruction LSL gives, by the manual, from the tables of descriptors in guest memory. Pure. */
#ifndef VMM_LSL_H
#define VMM_LSL_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/mem.h"

struct lsl_table {
	gva_t base;
	uint32_t limit;                 /* of the last byte */
	bool usable;                    /* a GDT is always, an LDT if LDTR is not null */
};

/* What it depends on, in 64-bit mode. */
struct lsl_machine {
	const struct mem *mem;
	uint64_t cr3;
	struct lsl_table gdt, ldt;
	unsigned cpl;
};

enum lsl_result {
	LSL_LIMIT,                      /* ZF = 1: the limit in bytes */
	LSL_NONE,                       /* ZF = 0: the destination stays as it is */
	LSL_FAULT,                      /* reading the descriptor faults: for the processor to do */
};

enum lsl_result lsl_limit(const struct lsl_machine *m, uint16_t selector, uint32_t *limit);

/* The destination afterwards: bits of the operand size. 32 bits clear the upper half, 16 leave all above (SDM vol. 1, 3.4.1.1). */
uint64_t lsl_merge(uint64_t was, uint32_t limit, unsigned bits);

#endif
