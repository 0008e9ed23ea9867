/* SPDX-License-Identifier: MIT */
/* case_switch.h: a case in which another thread runs before the first one is back. */
#ifndef VMM_CASE_SWITCH_H
#define VMM_CASE_SWITCH_H

#include "vmm/case_flight.h"

/* From now on in this case another thread may have run: its kernel stack, what switches store, user memory. */
void case_allow_switch(struct session *s);

/* The guest stands at the first boundary at CPL 3 of the thread that m says: judges that, and runs on, arrival by arrival, until it is
 * the turn of thread `home`. m goes along. */
struct stop case_round(struct session *s, struct model *m, unsigned home);

/* User memory as the model has it. */
void case_judge_user_memory(struct session *s, const struct model *m);
/* Is it one of the pages that user code can write to? */
bool case_is_user_page(struct session *s, uint64_t page);

/* Does the event's own way back to user code lead to another thread first? */
bool case_switches(const struct session *s, const struct cpu_state *before, enum event event);
/* The guest stands at the return instruction: the other thread's turn, then back to the boundary and judged there by at_boundary. */
void case_fly_round(struct flight *f, void (*at_boundary)(struct flight *f));

#endif
