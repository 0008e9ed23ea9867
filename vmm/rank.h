/* SPDX-License-Identifier: MIT */
/* rank.h: which cases tell most: the order of a run that may be cut short. Pure: knows nothing of KVM. */
#ifndef VMM_RANK_H
#define VMM_RANK_H

#include "vmm/gsvalue.h"
#include "vmm/map.h"

/* Rank 0 comes first. An event is new at the first visit of a kind, over all units of a scheme with one user GS value. */
enum rank {
	RANK_WINDOW,                    /* new in a window or in user code, under the distinguishing value */
	RANK_VALUE,                     /* the same under values that a kernel may take for its own, and what asks for a reschedule */
	RANK_KERNEL,                    /* new in the rest of the kernel, under the distinguishing value */
	RANK_REST,                      /* seen before: at another visit, in another scenario, under another value */
	RANK_COUNT
};

struct ranks {
	struct ranked *kind;
	size_t count, room;
	uint32_t *head;                 /* by hash: index + 1, 0 for none */
};

/* Sets the rank of each planned case of a map. events: bit 1 << enum event. The maps of one run are given in the order of its
 * units. */
void rank_map(struct ranks *k, struct map *m, unsigned events, enum scheme scheme, enum gs_name gs);
void rank_free(struct ranks *k);

/* How soon the units of a user GS value are mapped: 0 first. */
unsigned rank_of_value(enum gs_name gs);
#define RANK_VALUES 3

#endif
