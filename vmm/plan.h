/* SPDX-License-Identifier: MIT */
/* plan.h: which units a command runs, from its options and the scenario files. */
#ifndef VMM_PLAN_H
#define VMM_PLAN_H

#include "vmm/options.h"
#include "vmm/record.h"

/* What is asked for and left out, for a lack of this host. */
struct skip {
	char what[100];
	const char *reason;
};

struct pinned;

struct plan {
	struct scenario *scenarios;
	int scenario_count;
	struct unit_record *units;
	size_t unit_count, room;
	struct skip *skips;
	size_t skip_count;
	struct pinned *pins;            /* of asked units, in their order; see vmm/pins.h */
	size_t pin_count;
	unsigned schemes;               /* that have a unit, as a bit mask */
	unsigned lacks_scheme;          /* schemes that are skipped as a whole, as a bit mask */
	bool narrowed;                  /* not every event, scheme or GS value of its scenarios was asked for */
	bool lacks_cpus;                /* one of the skips is a scenario of two CPUs */
	bool complete;                  /* nothing was left out by choice: every scenario, scheme and GS value */
};

/* Only the scenarios: those named, or all. */
void plan_read_scenarios(struct plan *p, const struct options *o);

/* Exits with one line if an option or a scenario file is wrong, or if nothing is left to run. Units come in the order of
 * scenario, scheme, GS; those needed for their map only are not `asked`. */
void plan_make(struct plan *p, const struct options *o, const struct bench *bench);
void plan_free(struct plan *p);

/* The unit of the same scenario and scheme that has the distinguishing U. */
struct unit_record *plan_distinguishing(struct plan *p, const struct unit_record *r);

/* Exits with EXIT_USAGE if no kernel of its scheme can meet the value. */
void plan_check_unit(const struct unit *u);

/* A scenario by name or file; exits with EXIT_USAGE if there is none. */
void plan_find_scenario(const char *name, struct scenario *out);

#endif
