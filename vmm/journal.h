/* SPDX-License-Identifier: MIT */
/* journal.h: one line per case: its id and the hash of every state that was judged. */
#ifndef VMM_JOURNAL_H
#define VMM_JOURNAL_H

#include <stdio.h>

#include "vmm/plan.h"

void journal_write(FILE *f, const struct plan *p, const struct bench *bench);

#endif
