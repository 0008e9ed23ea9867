/* SPDX-License-Identifier: MIT */
/* case_flight.h: a case on its way, shared by case.c and case_back.c. */
#ifndef VMM_CASE_FLIGHT_H
#define VMM_CASE_FLIGHT_H

#include "vmm/case.h"

struct flight {
	struct session *s;
	const struct case_start *start;
	const struct case_options *options;
	struct injected in;
	struct cpu_state now;
	struct case_result *out;
	bool at_gate, at_handler, at_body, back, done, inside;
};

/* The event is pending at a boundary where a death is predicted: runs to its outcome and judges that. */
void case_fly_death(struct flight *f);

/* Keeps a stop for the reader, if one wants to see it. */
void case_trace(struct flight *f, enum case_stop stop);

/* The event is back at its boundary: text, RAM, the counters of handled events, and the reschedule that was asked for. Lifts all
 * stops. */
void case_judge_back(struct flight *f);

#endif
