/* SPDX-License-Identifier: MIT */
/* summary.h: the whole run as one JSON object. */
#ifndef VMM_SUMMARY_H
#define VMM_SUMMARY_H

#include <stdio.h>

#include "vmm/totals.h"

void summary_write(FILE *f, const struct totals *t, const struct plan *p, const struct bench *bench);

#endif
