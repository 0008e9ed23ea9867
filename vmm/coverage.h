/* SPDX-License-Identifier: MIT */
/* coverage.h: what became of every boundary: boundaries = injected + deferred + unreached, the last with a reason. */
#ifndef VMM_COVERAGE_H
#define VMM_COVERAGE_H

#include "vmm/plan.h"

#define UNREACHED_FILE "../scenarios/unreached"

struct unreached {
	uint64_t rip;
	const char *reason;             /* from the closed list, or NULL: not listed */
};

struct coverage_sum {
	unsigned boundaries, injected, deferred;
	unsigned user_boundaries;       /* injected at CPL 3; not part of `boundaries` */
	unsigned windows;
	struct unreached *unreached;
	unsigned unreached_count, unlisted;
	char stale[200];                /* an entry of the list that no unreached boundary needs, or "" */
};

/* Sums over all asked units. complete: nothing was left out by choice, so that the list of unreached boundaries must fit
 * exactly; otherwise everything unlisted has the reason "not-asked". Exits with EXIT_USAGE if the list is wrong. */
void coverage_sum(struct coverage_sum *c, const struct plan *p, const struct bench *bench, bool complete);
void coverage_free(struct coverage_sum *c);

#endif
