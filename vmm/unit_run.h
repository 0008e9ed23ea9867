/* SPDX-License-Identifier: MIT */
/* unit_run.h: the two passes over a unit: first its map, later its injections. Each call boots a guest of its own, in
 * the calling thread. */
#ifndef VMM_UNIT_RUN_H
#define VMM_UNIT_RUN_H

#include <signal.h>
#include <stdatomic.h>

#include "vmm/record.h"

/* How many kernel instructions an event takes, by what decides its way. Measured by the first worker that needs it. */
struct unit_ways {
	atomic_bool work[SCHEME_COUNT]; /* the way of a reschedule interrupt has been walked */
	atomic_bool double_fault[SCHEME_COUNT]; /* and that of a #DF, to its end */
	atomic_uint instructions[SCHEME_COUNT][EVENT_COUNT][2][CLASS_OTHER + 1];        /* CPL 0 or 3; class of A */
	atomic_uint *inside[SCHEME_COUNT][EVENT_NMI_LIKE]; /* by offset into kernel text: at this boundary inside an NMI */
};

/* What the injecting pass is asked for, and where it shows how far it is. */
struct unit_orders {
	const volatile sig_atomic_t *interrupted;       /* a signal ended the run: stop between cases */
	double deadline;                /* CLOCK_MONOTONIC seconds; 0: none */
	atomic_ulong *done;             /* cases finished, for the progress bar */
	struct unit_ways *ways;
};

/* Pass 1: the golden run, its verdict and its map. Past the deadline (as above) it is given up, and nothing is mapped. */
void unit_map(struct unit_record *r, const struct bench *bench, double deadline);

/* Pass 2: every planned case of these ranks (bit 1 << enum rank), and the ways of the handlers. The golden run is walked again and must be
 * the same. Adds to what the record has. */
void unit_inject(struct unit_record *r, unsigned ranks, const struct bench *bench, const struct unit_orders *orders);

#endif
