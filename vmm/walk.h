/* SPDX-License-Identifier: MIT */
/* walk.h: the golden run, boundary by boundary: the same workload without an injection, judged, and with a visitor
 * called at every boundary. */
#ifndef VMM_WALK_H
#define VMM_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/map.h"
#include "vmm/session.h"
#include "vmm/tally.h"

struct place {
	const struct visit *visit;
	size_t index;                   /* counts all visits from 0 */
	const struct cpu_state *now;    /* MACHINE_CORE; and MACHINE_I unless session.mapped */
};

/* Called at every boundary. May run the guest between walk_pause() and walk_resume() if it brings RAM and vCPU back.
 * False ends the walk. */
typedef bool (*walk_visitor)(struct session *s, const struct place *p, void *context);

struct walk_result {
	bool completed;                 /* the workload ended by SYS_EXIT with the result that the model predicts */
	unsigned broken;                /* rules broken (bit 1 << rule); the first as breach */
	struct breach breach;
	size_t visits;
	uint64_t kernel_instructions;
	struct tally tally;             /* if the scenario asks for it */
	struct exit_count {             /* decisions how to return to user code, by the guest's names */
		char name[32];
		uint64_t count;
	} exits[ABI_EXITS];
};

/* Takes the carpet up, and spreads it again. */
void walk_pause(struct session *s);
void walk_resume(struct session *s);

void walk_golden(struct session *s, walk_visitor visitor, void *context, struct walk_result *out);

/* From inside a visitor, with nobody to visit. All CPUs, threads and the walk itself, but not RAM, are kept before and brought back
 * afterwards. */
struct walk_kept;
struct walk_kept *walk_keep(struct session *s);
void walk_bring_back(struct session *s, struct walk_kept *kept);

/* On from the boundary where the walk is to the end of the workload, judged. */
void walk_rest(struct session *s, struct walk_result *out);

/* The other CPU goes on, judged, until it has given the turn back so many times; stops are as they were. False if it did not: then
 * it is the one that is spoken of. */
bool walk_turns(struct session *s, unsigned turns, struct walk_result *out);

#endif
