/* SPDX-License-Identifier: MIT */
/* declared.h: the deaths that the scenarios of a run declare, and whether a case came to each. */
#ifndef VMM_DECLARED_H
#define VMM_DECLARED_H

#include "vmm/plan.h"

enum declared_fate {
	DECLARED_SEEN,
	DECLARED_NARROWED,              /* not seen; the options left out some of the scenario's cases */
	DECLARED_UNFINISHED,            /* not seen; the run was cut short */
	DECLARED_UNSEEN,                /* not seen, though every case was injected */
};

struct declared {
	const struct scenario *scenario;
	enum death death;
	enum declared_fate fate;        /* of a finished run */
	int next;                       /* where declared_next() goes on */
};

/* The next one; starts with zeroes. In the order of the scenarios, only those that have an asked unit. */
bool declared_next(const struct plan *p, struct declared *d);

#endif
