/* SPDX-License-Identifier: MIT */
/* map.h: the measured map of a unit: which base A and I hold at every boundary, and which visits are injected. Pure. */
#ifndef VMM_MAP_H
#define VMM_MAP_H

#include "vmm/record.h"

/* Decides which visits are injected: of the visits to a boundary of entry text, of a window or of user code, the first of
 * each distinct (CPL, class of A and I, stack, IF, DF). Classes are taken from the unit that has the distinguishing U
 * (may be r itself) wherever both maps agree; under another U equal values could not be told apart. */
void map_plan(struct unit_record *r, const struct unit_record *distinguishing, const struct range *entry_text);

/* In a window: at CPL 0 where A is not K. */
bool map_in_window(const struct visit *v);

/* The number of windows: runs of consecutive visits inside one, each distinct (first, last boundary) counted once. */
unsigned map_windows(const struct unit_record *r);

#endif
