/* SPDX-License-Identifier: MIT */
/* report_map.h: the measured map as text, and the windows in it. */
#ifndef VMM_REPORT_MAP_H
#define VMM_REPORT_MAP_H

#include <stdio.h>

#include "vmm/plan.h"

/* Of all units that were asked for; they have been mapped. */
void report_map(FILE *f, const struct plan *p, const struct bench *bench);

#endif
