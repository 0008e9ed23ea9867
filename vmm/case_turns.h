/* SPDX-License-Identifier: MIT */
/* case_turns.h: a case in which the other CPU runs while the event is in its handler's body. */
#ifndef VMM_CASE_TURNS_H
#define VMM_CASE_TURNS_H

#include "vmm/case_flight.h"

/* Lets the other CPU have its turns without an event, and keeps the machine as it is then: that the event must come to as well. The
 * guest is put back. False if there are none, or if the workload ends in them: then the other CPU stands still in this case. */
bool case_turns_ahead(struct session *s, const struct case_start *start);

/* The body has been entered, or the C handler of an event that has none: now. */
void case_turns_take(struct flight *f);

/* Back at the boundary: what the other CPU has come to, and what it has sent. */
void case_turns_judge(struct flight *f);

/* RAM as it must be where the event is back. */
const uint8_t *case_turns_ram(const struct flight *f);

#endif
