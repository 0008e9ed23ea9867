/* SPDX-License-Identifier: MIT */
/* walk_way.h: a walk under way, shared by walk.c and walk_inside.c. */
#ifndef VMM_WALK_WAY_H
#define VMM_WALK_WAY_H

#include "vmm/walk.h"
#include "vmm/walk_judge.h"

/* The walk along one CPU. */
struct walk_cpu {
	struct walk_judge judge;
	struct cpu_state now;
	struct insn last_insn;          /* at the boundary before; length 0 if there was none */
	uint32_t *visits[STOPS_RANGES]; /* by offset into each text range */
};

struct walk {
	struct session *s;
	struct walk_cpu cpu[ABI_CPUS];
	struct walk_cpu *on;            /* the one that is walked along now */
	size_t index;
	walk_visitor visitor;           /* or NULL: nothing but judged */
	void *context;
	struct walk_result *out;
};

/* The boundary where the guest stands: judged, described, shown to the visitor. False ends the walk. */
bool walk_visit(struct walk *w);
/* From a boundary that has been visited to the next; false if there is none. */
bool walk_on(struct walk *w);
/* The first breach since this was called last belongs to the walk. */
void walk_note_breach(struct walk *w);

#endif
