/* SPDX-License-Identifier: MIT */
/* rank.h: which cases tell most: the order of a run that may be cut short. Pure: knows nothing of KVM. */
#ifndef VMM_RANK_H
#define VMM_RANK_H

#include "vmm/gsvalue.h"
#include "vmm/map.h"

/* Rank 0 comes first. A kind of boundary is new at the first visit that has it, over all units of a scheme with one GS value. */
enum rank {
	RANK_WINDOW,                    /* new kinds under the distinguishing value: windows, and user code */
	RANK_KERNEL,                    /* ... and the rest of the kernel */
	RANK_VALUE,                     /* new kinds under the values that a kernel confuses with its own */
	RANK_REST,                      /* what has been seen at another visit, in another scenario or under another value */
	RANK_COUNT
};

struct ranks {
	struct ranked *kind;
	size_t count, room;
	uint32_t *head;                 /* by hash: index + 1, 0 for none */
};

/* Sets the rank of each planned visit of a map. The maps of one run are given in the order in which they are injected. */
void rank_map(struct ranks *k, struct map *m, enum scheme scheme, enum gs_name gs);
void rank_free(struct ranks *k);

/* Of one event at a visit: what asks for a reschedule repeats what the same event shows without. */
enum rank rank_case(const struct visit *v, enum event event);

#endif
