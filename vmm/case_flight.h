/* SPDX-License-Identifier: MIT */
/* case_flight.h: a case on its way, shared by the case_*.c files. */
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
	bool at_gate, at_handler, at_body, back, done;
	bool on_its_way;                /* at the boundary's instruction, but still on the event's own stack */
	bool iret;                      /* one was executed since the injection: it unmasks NMIs */
	bool turns, turned;             /* the other CPU is to run; it has */
	bool nested;                    /* an NMI inside an NMI: the stops have names of their own */
};

/* The guest stands at one of the case's stops: its state is read and goes into the hash, the trace and the judge's report. */
void flight_look(struct flight *f, enum case_stop stop);
/* The same, judged. */
void flight_gate(struct flight *f);
void flight_handler(struct flight *f);
void flight_body(struct flight *f);
void flight_return(struct flight *f);
/* The guest has stopped where it must not. */
void flight_died(struct flight *f, const struct stop *stop);
/* The timer is pending, and takes the thread to the other CPU: all CPUs run to the end of the workload, judged as the golden run is. */
void case_fly_away(struct flight *f);
/* The event is pending at a boundary where a death is predicted: runs to its outcome and judges that. */
void case_fly_death(struct flight *f);

/* Keeps a stop for the reader, if one wants to see it. */
void case_trace(struct flight *f, enum case_stop stop);

/* Does the guest stand at this boundary, on this stack? */
bool case_stands_at(const struct session *s, const struct cpu_state *boundary);
/* On to this boundary, and to nothing before. Lifts all stops but that one. */
struct stop case_run_to(struct session *s, const struct cpu_state *boundary);

/* The event is back at its boundary: text, RAM, the counters of handled events, and the reschedule that was asked for. Lifts all
 * stops. */
void case_judge_back(struct flight *f);
/* Of these text and RAM alone. Lifts all stops, too. */
void case_judge_memory(struct flight *f);
/* Text alone: against the image. The stops must still be set. */
void case_judge_text(struct flight *f);
/* Context tracking, and the decisions how to return to user code, against another RAM. */
void case_judge_tracked(struct flight *f, const uint8_t *was);
/* The counters of handled events against another RAM, by the one event of this case. */
void case_judge_counters(struct flight *f, const uint8_t *was);

/* RAM against another one with the machine in the state `at`: all pages, or those written since the case began, or on the way
 * `a` if that is not NULL. Lifts all stops. */
struct ahead;
void case_judge_ram(struct session *s, const struct cpu_state *at, const uint8_t *was, const struct ahead *a, bool all);

/* Sees 8 bytes of kernel data in RAM or in a copy of it. */
uint64_t case_word(const uint8_t *ram, gva_t at);

#endif
