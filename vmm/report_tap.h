/* SPDX-License-Identifier: MIT */
/* report_tap.h: the results of a run as TAP version 13 with one indented subtest per unit. */
#ifndef VMM_REPORT_TAP_H
#define VMM_REPORT_TAP_H

#include "vmm/totals.h"

/* Version and plan. Points of the top level: the canaries, every asked unit, their pins, the account of boundaries. */
void tap_begin(const struct plan *p);
void tap_canaries(const struct totals *t);
void tap_unit(const struct unit_record *r, const struct bench *bench);
void tap_pins(const struct plan *p, const struct bench *bench);
/* The deaths that scenarios declare: each was seen, or why not. */
void tap_declared(const struct plan *p);
void tap_coverage(const struct coverage_sum *c, const struct bench *bench);
/* Violations by (rule, symbol, event), then the counts. */
void tap_end(const struct totals *t, const struct plan *p, const struct bench *bench);

#endif
