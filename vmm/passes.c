/* SPDX-License-Identifier: MIT */
/* passes.c: all units of a plan through one pass, on several threads. */
#include "vmm/passes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/map.h"
#include "vmm/pool.h"
#include "vmm/progress.h"
#include "vmm/rank.h"
#include "vmm/unit_run.h"

#define LOOK_INTERVAL 0.1               /* seconds between two looks at the progress */

volatile sig_atomic_t passes_signal;

static void on_signal(int signal)
{
	passes_signal = signal;
}

void passes_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);      /* nobody reads the output any more */
}

/* Cases of a unit that are injected in one walk. */
struct piece {
	struct unit_record part;
	size_t unit;
	unsigned ranks;                 /* bit 1 << enum rank */
};

struct work {
	struct plan *plan;
	size_t *order;                  /* of mapping */
	struct piece *piece;
	size_t pieces;
	const struct bench *bench;
	double deadline;
	struct unit_orders orders;
	struct unit_ways ways;
	atomic_ulong done;
};

static void map_one(size_t index, void *context)
{
	struct work *w = context;

	if (!passes_signal && !clock_past(w->deadline))
		unit_map(&w->plan->units[w->order[index]], w->bench, w->deadline);
}

/* Entry text lies where the image says; every unit has the same image. */
static struct range entry_text(const struct bench *bench)
{
	const struct elf_symbol *start = elf_symbol(bench->elf, "__entry_text_start");
	const struct elf_symbol *end = elf_symbol(bench->elf, "__entry_text_end");

	return start && end ? (struct range){ start->addr, end->addr } : (struct range){ 0, 0 };
}

/* Those under the distinguishing value first: the others need their classes, and their cases tell most. */
static size_t *map_order(const struct plan *p)
{
	size_t *order = xcalloc(p->unit_count, sizeof(*order)), count = 0;

	for (unsigned rank = 0; rank < RANK_VALUES; rank++)
		for (size_t n = 0; n < p->unit_count; n++)
			if (rank_of_value(p->units[n].unit.gs) == rank)
				order[count++] = n;
	return order;
}

static void plan_cases(struct plan *p, const struct bench *bench)
{
	struct range entry = entry_text(bench);
	struct ranks ranks = { 0 };

	for (size_t n = 0; n < p->unit_count; n++) {
		struct unit_record *r = &p->units[n];
		const struct unit_record *d = plan_distinguishing(p, r);

		map_plan(&r->map, d && d->golden.completed ? &d->map : NULL, &entry);
		if (r->asked && r->golden.completed)
			rank_map(&ranks, &r->map, r->events, unit_scheme(&r->unit), r->unit.gs);
	}
	rank_free(&ranks);
}

void passes_map(struct plan *p, const struct bench *bench, unsigned jobs, double deadline)
{
	struct work w = { .plan = p, .bench = bench, .deadline = deadline, .order = map_order(p) };
	struct pool pool;

	pool_start(&pool, jobs, p->unit_count, map_one, &w);
	for (size_t n = 0; n < p->unit_count; n++)
		while (!pool_wait(&pool, n, LOOK_INTERVAL))
			progress_show("mapping", n, p->unit_count);
	pool_finish(&pool);
	progress_clear();
	free(w.order);
	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].error[0])
			die(EXIT_HOST, "%s", p->units[n].error);
	plan_cases(p, bench);
}

static void inject_one(size_t index, void *context)
{
	struct work *w = context;
	struct piece *x = &w->piece[index];

	if (!passes_signal)
		unit_inject(&x->part, x->ranks, w->bench, &w->orders);
}

size_t passes_cases(const struct plan *p)
{
	size_t count = 0;

	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].asked && p->units[n].golden.completed)
			count += record_planned(&p->units[n]);
	return count;
}

static bool has_rank(const struct unit_record *r, unsigned ranks)
{
	for (size_t n = 0; n < r->map.count; n++)
		for (enum event e = 0; e < EVENT_COUNT; e++)
			if (ranks >> r->map.at[n].rank[e] & 1 && map_is_planned(&r->map.at[n], r->events, e))
				return true;
	return false;
}

static void add_pieces(struct work *w, unsigned ranks)
{
	for (size_t n = 0; n < w->plan->unit_count; n++) {
		const struct unit_record *r = &w->plan->units[n];
		struct piece *x = &w->piece[w->pieces];

		if (!r->asked || !r->golden.completed || !(ranks >> RANK_REST & 1 || has_rank(r, ranks)))
			continue;
		*x = (struct piece){ .unit = n, .ranks = ranks };
		record_part(&x->part, r);
		w->pieces++;
	}
}

/* What may be cut goes rank by rank through all units; a walk for each costs a little. What may not is reported sooner unit by unit. */
static void make_pieces(struct work *w, bool ranked)
{
	w->piece = xcalloc(w->plan->unit_count * RANK_COUNT, sizeof(*w->piece));
	if (!ranked)
		add_pieces(w, (1u << RANK_COUNT) - 1);
	for (enum rank rank = 0; ranked && rank < RANK_COUNT; rank++)
		add_pieces(w, 1u << rank);
}

/* Waits for all pieces of a unit, and puts them together. */
static void collect(struct work *w, struct pool *pool, size_t unit, size_t total)
{
	struct unit_record *r = &w->plan->units[unit];

	r->finished = r->asked && r->golden.completed;
	for (size_t n = 0; n < w->pieces; n++) {
		if (w->piece[n].unit != unit)
			continue;
		while (!pool_wait(pool, n, LOOK_INTERVAL))
			progress_show("injecting", atomic_load(&w->done), total);
		record_add_part(r, &w->piece[n].part);
	}
	record_sort(r);
}

/* Every unit has the same image, so the same text. */
static void ways_make(struct unit_ways *w, const struct plan *p)
{
	size_t text = 0;

	for (size_t n = 0; n < p->unit_count; n++)
		text = p->units[n].text_size > text ? p->units[n].text_size : text;
	for (enum scheme scheme = 0; scheme < SCHEME_COUNT; scheme++)
		for (enum event event = 0; event < EVENT_NMI_LIKE; event++)
			w->inside[scheme][event] = xcalloc(text ? text : 1, sizeof(atomic_uint));
}

static void ways_free(struct unit_ways *w)
{
	for (enum scheme scheme = 0; scheme < SCHEME_COUNT; scheme++)
		for (enum event event = 0; event < EVENT_NMI_LIKE; event++)
			free(w->inside[scheme][event]);
}

void passes_inject(struct plan *p, const struct bench *bench, unsigned jobs, double deadline,
		   void (*finished)(const struct unit_record *r, void *context), void *context)
{
	struct work w = { .plan = p, .bench = bench };
	size_t total = passes_cases(p);
	struct pool pool;

	ways_make(&w.ways, p);
	w.orders = (struct unit_orders){ &passes_signal, deadline, &w.done, &w.ways };
	make_pieces(&w, deadline > 0);
	pool_start(&pool, jobs, w.pieces, inject_one, &w);
	for (size_t n = 0; n < p->unit_count; n++) {
		collect(&w, &pool, n, total);
		progress_clear();
		if (p->units[n].asked && !passes_signal)
			finished(&p->units[n], context);
	}
	pool_finish(&pool);
	free(w.piece);
	ways_free(&w.ways);
}
