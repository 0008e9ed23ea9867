/* SPDX-License-Identifier: MIT */
/* points.h: the cases of a unit grouped into test points, one per (symbol, event). */
#ifndef VMM_POINTS_H
#define VMM_POINTS_H

#include "vmm/record.h"

struct point {
	const char *symbol;
	enum event event;
	unsigned planned, cases, broken, unstable;
	const struct case_record *first; /* that broke a rule */
};

struct points {
	struct point *point;
	unsigned count;
};

/* In the order of the golden run. Names and count follow from the plan alone, so that a unit that could not finish has
 * the same points. events: bit mask. */
void points_group(struct points *p, const struct unit_record *r, const struct bench *bench, unsigned events);
void points_free(struct points *p);

#endif
