/* SPDX-License-Identifier: MIT */
/* walk_watch.h: which #DB a data watchpoint of the guest owes the golden run. */
#ifndef VMM_WALK_WATCH_H
#define VMM_WALK_WATCH_H

#include "vmm/session.h"

/* DR6 by a hit of DR1. */
#define WATCH_DR6 0xffff0ff2ull

/* Has the instruction at the boundary `at` touched what the user program watches? Then *after is the state with which it
 * must have completed: the boundary at which #DB comes. At CPL 3 both are the model's word. */
bool walk_watch_hit(struct session *s, const struct cpu_state *at, struct cpu_state *after);

#endif
