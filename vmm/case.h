/* SPDX-License-Identifier: MIT */
/* case.h: one injection from a boundary to its verdict. */
#ifndef VMM_CASE_H
#define VMM_CASE_H

#include "vmm/death.h"
#include "vmm/session.h"

/* A boundary of the golden run, kept so that any number of cases can start there. */
struct case_start {
	struct machine_state state;
	struct cpu_state before;        /* the same in the rules' words, every part */
};

enum case_stop { CASE_GATE, CASE_HANDLER, CASE_BODY, CASE_RETURN, CASE_BACK, CASE_OUTER, CASE_STOPS };

/* The bench's own damage, to see that the judge looks: done at one stop, right before it is judged. */
struct sabotage {
	enum case_stop at;
	bool withhold;                  /* the damage is that nothing is injected */
	void (*damage)(struct session *s, const struct cpu_state *now);
};

/* What a person wants to see of one case. */
struct case_trace {
	struct {
		const char *name;
		enum case_stop stop;
		struct cpu_state now;
	} at[24];
	unsigned count;
	/* Called at each stop, while the guest stands there; or NULL. */
	void (*seen)(struct session *s, enum case_stop stop, void *context);
	void *context;
};

struct case_options {
	const struct sabotage *sabotage;        /* or NULL */
	struct case_trace *trace;               /* or NULL */
	bool all_memory;                        /* compare all RAM, not only the pages that KVM saw written */
};

struct case_result {
	struct breach breach;
	uint64_t hash;                  /* of every state that was judged */
	enum death death;               /* that was predicted: the case was flown to it and no further */
};

/* Takes the boundary at which the guest stands, with the carpet lifted. */
void case_begin(struct session *s, struct case_start *start);

/* Back to it. good: a judged case found every register as it must be, so that only RAM that no rule protects differs, and, if
 * it ended elsewhere than at its boundary, registers and I. */
void case_put_back(struct session *s, const struct case_start *start, bool good, bool elsewhere);

/* One event at the boundary, judged; afterwards vCPU and RAM are as at case_begin(). */
void case_inject(struct session *s, const struct case_start *start, enum event event,
		 const struct case_options *options, struct case_result *out);

/* After a good case: the event once more at the same boundary, then the workload to its end, which must be the
 * golden one. Breaks `progress` otherwise. Restores as case_inject() does. */
void case_run_to_end(struct session *s, const struct case_start *start, enum event event, struct case_result *out);

/* The event's whole way, one instruction after the other: calls `seen` with every kernel boundary; their number. */
unsigned case_walk(struct session *s, const struct case_start *start, enum event event,
		   void (*seen)(void *context, const struct cpu_state *now), void *context);

#endif
