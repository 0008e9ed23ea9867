/* SPDX-License-Identifier: MIT */
/* record.h: what a run knows of each unit (scenario, scheme, user GS): its map, its cases, its coverage. Plain data,
 * filled by workers and printed by the main thread. */
#ifndef VMM_RECORD_H
#define VMM_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/death.h"
#include "vmm/judge.h"
#include "vmm/session.h"
#include "vmm/walk.h"

#define RECORD_ERROR 400

struct case_record {
	uint32_t visit;                 /* index into the map */
	enum event event;
	bool db_real;                   /* hardware could raise this #DB here */
	bool unstable;                  /* repeated, it came out differently */
	enum death death;               /* that was predicted there; it came if no rule is broken */
	uint64_t hash;
	struct breach *breach;          /* NULL: no rule broken */
};

/* Kernel boundaries by offset from the start of kernel text. */
enum coverage {
	COVER_REACHABLE = 1,            /* static walk of entry text from the gates and LSTAR */
	COVER_WINDOW = 2,               /* visited in a measured window */
	COVER_INJECTED = 4,
	COVER_HANDLER = 8,              /* visited inside an injected event's handler */
};

struct unit_record {
	struct unit unit;
	bool asked;                     /* false: run for its map only */
	unsigned events;                /* bit 1 << enum event: what is injected */
	char error[RECORD_ERROR];       /* the guest did not start, or the bench lost it: nothing else is valid */
	struct unit_bases {
		uint64_t k[ABI_CPUS], u[ABI_CPUS];
	} bases;                        /* of each CPU */
	struct walk_result golden;
	struct map map;
	struct case_record *cases;
	size_t case_count, case_room;
	struct rule_count checks[RULE_COUNT];
	uint8_t *cover;                 /* enum coverage bits */
	uint64_t text_start, text_size;
	uint64_t sampled;               /* cases run to the end of the workload */
	uint64_t kernel_instructions;   /* of all injected events, counted along each kind of way once */
	uint64_t exits, ioctls;
	double seconds;                 /* injecting */
	bool mapped, finished;          /* the passes that are through */
};

/* A kernel boundary; any other address is left out. */
void record_mark(struct unit_record *r, uint64_t rip, enum coverage c);

/* How many cases the plan has in a unit that is mapped. */
size_t record_planned(const struct unit_record *r);

/* A record for a part of a unit's cases: its own, but for the map, which is the whole unit's. record_add_part() moves what came of it to
 * the unit, and frees it; afterwards the unit is finished if it was and the part is. */
void record_part(struct unit_record *part, const struct unit_record *whole);
void record_add_part(struct unit_record *whole, struct unit_record *part);

/* In the order of the golden run, whatever the order of the parts. */
void record_sort(struct unit_record *r);

/* Time or a signal ended it before its end. A unit whose golden run died is not unfinished: nothing is missing that time could
 * have brought. */
bool record_unfinished(const struct unit_record *r);

/* Case id of a case, or of a visit and event of this unit. */
void record_case_id(const struct unit_record *r, const struct bench *bench, uint32_t visit, enum event event,
		    char *out, size_t out_size);

/* What to type to see a case of this unit again. */
#define RECORD_REPLAY_LINE 1600
void record_replay_line(const struct unit *u, const struct bench *bench, const char *id, char *out, size_t out_size);

void record_free(struct unit_record *r);

#endif
