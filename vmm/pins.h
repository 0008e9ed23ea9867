/* SPDX-License-Identifier: MIT */
/* pins.h: the cases that the scenario files of a run pin: which of them were asked for, and whether they came out so. */
#ifndef VMM_PINS_H
#define VMM_PINS_H

#include "vmm/plan.h"

/* Where a pin belongs. */
struct pinned {
	const struct pin *pin;
	const struct unit_record *unit;
};

struct pin_result {
	const struct case_record *seen; /* NULL: the case was not injected */
	bool good;                      /* seen, with the pinned verdict */
	bool undecided;                 /* not good, but the run was cut short or the case is unstable */
	char why[160];                  /* not good: one sentence */
};

/* Once all units are there. Exits with EXIT_USAGE, file and line, if the image lacks a pinned symbol. */
void pins_plan(struct plan *p, const struct bench *bench);

/* Of a finished run. */
void pins_judge(const struct pinned *pinned, const struct bench *bench, struct pin_result *out);

/* "pin syscall/ist/u-small entry_SYSCALL_64 nmi": unlike the case's id, it stays when an offset moves. */
void pins_name(const struct plan *p, size_t index, char *out, size_t out_size);
const char *pins_verdict(const struct pin *pin);        /* good, or a rule's name */

#endif
