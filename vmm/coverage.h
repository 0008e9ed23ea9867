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

/* The list of boundaries that no scenario reaches, in one block for free(). Exits with EXIT_USAGE and file:line if it is
 * wrong. */
struct unreached_list;
struct unreached_list *coverage_read_list(void);

/* Sums over all asked units. complete: nothing was left out by choice, so that the list of unreached boundaries must fit
 * exactly; otherwise everything unlisted has the reason "not-asked". */
void coverage_sum(struct coverage_sum *c, const struct plan *p, const struct bench *bench, struct unreached_list *list,
		  bool complete);
void coverage_free(struct coverage_sum *c);

#endif
