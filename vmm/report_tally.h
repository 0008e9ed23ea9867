/* SPDX-License-Identifier: MIT */
/* report_tally.h: see report_tally.c. */
#ifndef VMM_REPORT_TALLY_H
#define VMM_REPORT_TALLY_H

#include <jansson.h>

#include "vmm/totals.h"

/* A table in comment lines, if a scenario has asked for it. */
void tally_print(const struct totals *t);

/* [{scheme, way, times, and the sum of each instruction by its name}] */
json_t *tally_json(const struct totals *t);

#endif
