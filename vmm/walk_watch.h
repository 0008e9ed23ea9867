/* SPDX-License-Identifier: MIT */
/* walk_watch.h: which #DB a data watchpoint or a single step owes the golden run. */
#ifndef VMM_WALK_WATCH_H
#define VMM_WALK_WATCH_H

#include "vmm/session.h"

/* DR6 by a hit of DR1; by a single step. */
#define WATCH_DR6 0xffff0ff2ull
#define STEP_DR6  0xffff4ff0ull
#define BREAK_DR6 0xffff0ff4ull           /* by an instruction breakpoint in DR2 */

/* Has the instruction at the boundary `at` touched what the user program watches, or was it a single step, or does a breakpoint lie behind it? Then the DR6 of the #DB
 * that comes behind it, else 0; and *after is the state with which it must have completed: the boundary at which #DB comes. At CPL 3 both are
 * the model's word. */
uint64_t walk_watch_due(struct session *s, const struct cpu_state *at, struct cpu_state *after);

#endif
