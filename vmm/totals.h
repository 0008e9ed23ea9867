/* SPDX-License-Identifier: MIT */
/* totals.h: the sums of a whole run, as the summary and the last lines of the output tell them. */
#ifndef VMM_TOTALS_H
#define VMM_TOTALS_H

#include "vmm/canary.h"
#include "vmm/coverage.h"
#include "vmm/plan.h"

struct totals {
	uint64_t planned;               /* cases, of the units that are mapped */
	unsigned units, unmapped;
	uint64_t injections, by_event[EVENT_COUNT], db, db_real, sampled;
	uint64_t deaths[DEATH_COUNT];   /* predicted, and come to exactly so */
	uint64_t violations, unstable, golden;  /* cases; cases; units whose golden run broke a rule */
	uint64_t kernel_instructions;
	uint64_t exits, ioctls;
	struct rule_count rules[RULE_COUNT];
	unsigned unfinished;            /* units */
	unsigned deaths_unseen;         /* declared by a scenario whose cases were all injected, and none came to it */
	unsigned pins_broken;           /* not as pinned, beyond doubt */
	unsigned canaries_caught;
	struct canary_result canaries[CANARIES];
	struct coverage_sum coverage;
	struct tally tally[SCHEME_COUNT]; /* of the scenarios that ask for it */
	double seconds, inject_seconds; /* the whole run; its injecting part */
	double floor;                   /* exits a second, same jobs */
	unsigned jobs;
};

/* Everything that comes from the records. */
void totals_sum(struct totals *t, const struct plan *p, const struct bench *bench);

/* Why no chosen scenario can check a rule, or NULL if one did. */
const char *totals_skip_reason(const struct totals *t, enum rule rule);

/* How much of the plan was done, 0 to 1. A unit that is not mapped counts as the others do on average. */
double totals_fraction(const struct totals *t);

uint64_t totals_deaths(const struct totals *t);
double totals_injections_per_second(const struct totals *t);
double totals_instructions_per_injection(const struct totals *t);

#endif
