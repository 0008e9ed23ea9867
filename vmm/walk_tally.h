/* SPDX-License-Identifier: MIT */
/* walk_tally.h: see walk_tally.c. */
#ifndef VMM_WALK_TALLY_H
#define VMM_WALK_TALLY_H

#include "vmm/session.h"
#include "vmm/tally.h"

/* Of one CPU. */
struct walk_tally {
	struct range check;             /* where the guest checks itself */
	struct range reschedule, to;    /* its context switch: from the first one on; it ends by the RET of the second one, or, if there is no other
					 * thread, of the first one */
	bool switching, last_returns;
	struct tally tally;
};

void walk_tally_begin(struct walk_tally *w, const struct session *s);

/* The boundary at which the guest stands. */
void walk_tally(struct walk_tally *w, struct session *s, const struct cpu_state *now);

#endif
