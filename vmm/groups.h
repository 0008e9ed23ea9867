/* SPDX-License-Identifier: MIT */
/* groups.h: violations in groups of one rule, symbol and event. */
#ifndef VMM_GROUPS_H
#define VMM_GROUPS_H

#include "vmm/plan.h"

struct group {
	enum rule rule;
	const char *symbol;
	enum event event;
	unsigned count;
	const struct unit_record *unit;
	const struct case_record *first;
};

struct groups {
	struct group *group;
	unsigned count;
};

/* In the order of their first cases. */
void groups_make(struct groups *g, const struct plan *p, const struct bench *bench);
void groups_free(struct groups *g);

#endif
