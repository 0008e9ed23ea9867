/* SPDX-License-Identifier: MIT */
/* record.c: what a run knows of each unit: case ids and clean-up. */
#include "vmm/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/caseid.h"
#include "vmm/die.h"

void record_case_id(const struct unit_record *r, const struct bench *bench, uint32_t visit, enum event event,
		    char *out, size_t out_size)
{
	const struct visit *v = &r->map.at[visit];
	const struct elf_symbol *symbol = elf_nearest(bench->elf, v->rip);
	struct caseid id = {
		.scheme = r->unit.scheme, .gs = r->unit.gs, .visit = v->number, .event = event,
		.has_cpu = r->unit.scenario->cpus > 1, .cpu = v->cpu, .turns = event_is_fatal(event) ? 0 : r->unit.scenario->turns,
		.offset = v->rip - (symbol ? symbol->addr : 0),
	};

	snprintf(id.scenario, sizeof(id.scenario), "%s", r->unit.scenario->name);
	snprintf(id.symbol, sizeof(id.symbol), "%s", symbol ? symbol->name : "");
	caseid_format(&id, out, out_size);
}

void record_mark(struct unit_record *r, uint64_t rip, enum coverage c)
{
	if (rip - r->text_start < r->text_size)
		r->cover[rip - r->text_start] |= c;
}

size_t record_planned(const struct unit_record *r)
{
	size_t count = 0;

	for (size_t n = 0; n < r->map.count; n++)
		for (enum event e = 0; e < EVENT_COUNT; e++)
			count += map_is_planned(&r->map.at[n], r->events, e);
	return count;
}

void record_part(struct unit_record *part, const struct unit_record *whole)
{
	*part = (struct unit_record){
		.unit = whole->unit, .asked = whole->asked, .events = whole->events, .bases = whole->bases,
		.golden = whole->golden, .map = whole->map, .mapped = true, .text_start = whole->text_start,
		.text_size = whole->text_size, .cover = xcalloc(whole->text_size, 1),
	};
}

static void add_counts(struct unit_record *whole, const struct unit_record *part)
{
	for (enum rule rule = 0; rule < RULE_COUNT; rule++) {
		whole->checks[rule].checked += part->checks[rule].checked;
		whole->checks[rule].broken += part->checks[rule].broken;
	}
	whole->sampled += part->sampled;
	whole->kernel_instructions += part->kernel_instructions;
	whole->exits += part->exits;
	whole->ioctls += part->ioctls;
	whole->seconds += part->seconds;
}

static void add_cases(struct unit_record *whole, struct unit_record *part)
{
	if (!part->case_count)
		return;
	whole->case_room = whole->case_count + part->case_count;
	whole->cases = xrealloc(whole->cases, whole->case_room * sizeof(*whole->cases));
	memcpy(whole->cases + whole->case_count, part->cases, part->case_count * sizeof(*part->cases));
	whole->case_count = whole->case_room;
}

void record_add_part(struct unit_record *whole, struct unit_record *part)
{
	add_cases(whole, part);
	add_counts(whole, part);
	for (uint64_t n = 0; n < whole->text_size; n++)
		whole->cover[n] |= part->cover[n];
	if (part->golden.broken & ~whole->golden.broken)
		whole->golden.breach = part->golden.breach;
	whole->golden.broken |= part->golden.broken;
	if (part->error[0])
		memcpy(whole->error, part->error, sizeof(whole->error));
	whole->finished &= part->finished;
	free(part->cases);
	free(part->cover);
}

static int by_place(const void *a, const void *b)
{
	const struct case_record *x = a, *y = b;

	return x->visit != y->visit ? (x->visit > y->visit) - (x->visit < y->visit) : (int)x->event - (int)y->event;
}

void record_sort(struct unit_record *r)
{
	if (r->case_count)
		qsort(r->cases, r->case_count, sizeof(*r->cases), by_place);
}

bool record_unfinished(const struct unit_record *r)
{
	return !r->finished && !r->error[0] && (r->golden.completed || !r->mapped);
}

void record_replay_line(const struct unit *u, const struct bench *bench, const char *id, char *out, size_t out_size)
{
	snprintf(out, out_size, "gsgate replay %s%s%s%s%s", bench->replay_option, *bench->replay_option ? " " : "",
		 u->scenario->is_file ? u->scenario->path : "", u->scenario->is_file ? " " : "", id);
}

void record_free(struct unit_record *r)
{
	for (size_t n = 0; n < r->case_count; n++)
		free(r->cases[n].breach);
	free(r->cases);
	map_free(&r->map);
	free(r->cover);
}
