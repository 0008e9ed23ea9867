/* SPDX-License-Identifier: MIT */
/* death.h: the closed table of deaths: injections after which the architecture lets no guest go on, each with the state
 * that predicts it and the outcome that must come. Pure: knows nothing of KVM. */
#ifndef VMM_DEATH_H
#define VMM_DEATH_H

#include "vmm/judge.h"

enum death {
	DEATH_NONE,
	DEATH_MCIP,             /* #MC while MCG_STATUS.MCIP is set: shutdown */
	DEATH_SAME_IST,         /* delivery over the frame of the handler that still runs on that stack */
	DEATH_NO_IST,           /* a gate without IST at CPL 0 while A is not K or RSP lies on no kernel stack */
	DEATH_COUNT
};

const char *death_name(enum death death);
const char *death_meaning(enum death death);    /* for people: what kills the guest */
bool death_find(const char *name, enum death *out);

/* The row of the table that holds for this event at this boundary, or DEATH_NONE. */
enum death death_predict(const struct layout *l, const struct cpu_state *before, enum event event);

/* An error code and five words: what a #GP or #PF pushes below this address, and how many bytes. */
#define DEATH_PUSHED 48
uint64_t death_push_top(const struct cpu_state *before);

/* How the flight ended. */
struct death_end {
	bool shutdown;                  /* the machine shut down before any stop */
	bool stopped;                   /* it stopped before an instruction: the next two */
	struct cpu_state now;
	uint64_t word[6];               /* from RSP upwards */
	const char *what;               /* the stop in words */
};

/* The outcome against the prediction. writable: the memory below death_push_top() could take the frame. */
void death_judge(struct judge *j, const struct injected *in, enum death death, bool writable, const struct death_end *end);

#endif
