/* SPDX-License-Identifier: MIT */
/* passes.h: all units of a plan through one pass, on several threads. */
#ifndef VMM_PASSES_H
#define VMM_PASSES_H

#include <signal.h>

#include "vmm/plan.h"

/* The signal that asked the run to end, or 0. passes_catch_signals() sets it up. */
extern volatile sig_atomic_t passes_signal;
void passes_catch_signals(void);

/* Maps every unit and decides what is injected; units not begun by the deadline (CLOCK_MONOTONIC seconds, 0: none) stay
 * unmapped. Exits with EXIT_HOST and one line if a guest does not start. */
void passes_map(struct plan *p, const struct bench *bench, unsigned jobs, double deadline);

/* So many cases will be injected, if nothing cuts it short. */
size_t passes_cases(const struct plan *p);

/* Injects; calls `finished` for each asked unit, in order, as soon as it and all before it are done. deadline: see
 * struct unit_orders. */
void passes_inject(struct plan *p, const struct bench *bench, unsigned jobs, double deadline,
		   void (*finished)(const struct unit_record *r, void *context), void *context);

#endif
