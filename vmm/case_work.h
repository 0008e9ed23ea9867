/* SPDX-License-Identifier: MIT */
/* case_work.h: a case whose handler asked for a reschedule: on from the boundary to user code, where it must be done. */
#ifndef VMM_CASE_WORK_H
#define VMM_CASE_WORK_H

#include "vmm/case.h"

/* The running thread's work flags; notes in the layout where they lie. */
uint64_t case_work_flags(struct session *s);

/* To the next stop. The other CPU stands still: one that is given the turn, or sent an interrupt, is not waited for, with the event and
 * without; STOP_TURN if the guest waits for it. */
struct stop case_run_alone(struct session *s);

/* Lifts all stops and sets those that case_to_user() needs. */
void case_set_return_stops(struct session *s);
/* To the first boundary at CPL 3 where no interrupt is pending, or to the end of the workload. The return is judged: it must lead to
 * this user code. */
struct stop case_to_user(struct session *s, const struct model *user);

/* The reschedule has been done once more than without the event. */
void case_judge_done(struct session *s, const struct case_start *start);

/* Tells the handler of the event about to be injected that a reschedule is wanted. */
void case_ask(struct session *s);

/* Runs ahead of the walk, without an event, from a boundary at CPL 0 to the next at CPL 3 (or the end of the workload), and keeps
 * the machine as it is there; done once for all boundaries of one CPU between two at CPL 3, with two CPUs for each. The guest is put back. */
void case_run_ahead(struct session *s, const struct case_start *start);

/* The event is back at its boundary and its interrupt pending: has it taken where IF allows it, then judges the first boundary
 * at CPL 3 after the work. Needs case_run_ahead() if the boundary is at CPL 0. */
void case_finish_work(struct session *s, const struct case_start *start);

#endif
