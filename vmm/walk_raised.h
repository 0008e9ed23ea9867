/* SPDX-License-Identifier: MIT */
/* walk_raised.h: the events that the golden run brings itself: from the gate to the way back. */
#ifndef VMM_WALK_RAISED_H
#define VMM_WALK_RAISED_H

#include "vmm/walk_judge.h"

/* The event of an IST gate, EVENT_COUNT for other vectors. */
enum event walk_raised_of(unsigned vector);
/* The guest stands at the gate of such an event: the first one, or one inside the handler of that. */
void walk_raised_gate(struct walk_judge *w, struct session *s, const struct cpu_state *now, enum event event);
void walk_raised_inside(struct walk_judge *w, struct session *s, const struct cpu_state *now, enum event event);
/* Any boundary of the kernel while one is active: its handler, its body, and back. */
void walk_raised_stop(struct session *s, struct cpu_state *now);

#endif
