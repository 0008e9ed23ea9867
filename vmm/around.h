/* SPDX-License-Identifier: MIT */
/* around.h: the neighbours of one boundary in the golden run, judged with the same event. */
#ifndef VMM_AROUND_H
#define VMM_AROUND_H

#include "vmm/case.h"
#include "vmm/walk.h"

struct neighbour {
	size_t index;                   /* in the golden run */
	struct visit visit;
	const char *skipped;            /* why nothing was injected here, or NULL */
	bool broken;
	enum rule rule;                 /* the first broken one ... */
	const char *at;                 /* ... and the stop where it is */
};

struct around {
	struct neighbour *of;
	size_t count;
	bool broken;                    /* any of them */
};

/* At a boundary of the golden run. known: the verdict, if the event has been injected here already. */
void around_judge(struct around *a, struct session *s, const struct place *p, enum event event,
		  const struct breach *known);

/* A line each; `target` is the index that distances are counted from. */
void around_print(const struct around *a, const struct elf *elf, size_t target);
void around_free(struct around *a);

#endif
