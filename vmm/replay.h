/* SPDX-License-Identifier: MIT */
/* replay.h: one case again: every stop of it, the instructions around it, and its neighbours. */
#ifndef VMM_REPLAY_H
#define VMM_REPLAY_H

#include <stdio.h>

#include "vmm/around.h"
#include "vmm/caseid.h"
#include "vmm/dump.h"
#include "vmm/record.h"
#include "vmm/trace.h"

struct replay {
	const char *text;               /* the case id ... */
	struct caseid id;               /* ... and what it says */
	const struct bench *bench;
	const struct unit_record *unit; /* its map says where the boundary is */
	size_t target;                  /* index into the map */
	unsigned reach;                 /* how many neighbours on each side are judged, too */
	struct cpu_state before;
	struct case_trace stops;
	struct trace trace;
	struct case_result result;
	struct dump dump;               /* where the rule broke first, or at the boundary if none did */
	struct around around;
};

/* Runs it in a guest of its own, which stays open for printing. False with one line in err if that guest cannot be brought to the
 * boundary; then nothing is left open. */
bool replay_case(struct replay *r, struct session *s, char *err, size_t err_size);

/* Table, verdict and trace. */
void replay_print(FILE *f, const struct replay *r, const struct session *s);
void replay_free(struct replay *r);

#endif
