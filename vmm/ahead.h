/* SPDX-License-Identifier: MIT */
/* ahead.h: the machine as the golden run will have it at a later boundary: what a case that ends there is compared with. */
#ifndef VMM_AHEAD_H
#define VMM_AHEAD_H

#include "vmm/session.h"

struct ahead {
	unsigned key;                   /* what it was made for; 0 for nothing */
	uint64_t sent;                  /* what another CPU had sent by then to the CPU of the case */
	bool ends;                      /* the workload ends before that boundary */
	struct cpu_state state;
	uint64_t dirty[MACHINE_MAX_PAGES / 64];
	uint8_t ram[ABI_RAM_SIZE];
};

/* Lifts all stops and keeps the machine as it stands, and which pages were written since RAM was the reference. *a is made if it is
 * NULL. */
void ahead_keep(struct ahead **a, struct session *s, unsigned key);

static inline bool ahead_is_dirty(const struct ahead *a, uint64_t page)
{
	return a->dirty[page / 64] >> (page % 64) & 1;
}

#endif
