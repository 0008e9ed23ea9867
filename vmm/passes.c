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

struct work {
	struct plan *plan;
	const struct bench *bench;
	double deadline;
	struct unit_orders orders;
	struct unit_ways ways;
	atomic_ulong done;
};

static void map_one(size_t index, void *context)
{
	struct work *w = context;

	if (!passes_signal && !(w->deadline > 0 && clock_now() > w->deadline))
		unit_map(&w->plan->units[index], w->bench);
}

/* Entry text lies where the image says; every unit has the same image. */
static struct range entry_text(const struct bench *bench)
{
	const struct elf_symbol *start = elf_symbol(bench->elf, "__entry_text_start");
	const struct elf_symbol *end = elf_symbol(bench->elf, "__entry_text_end");

	return start && end ? (struct range){ start->addr, end->addr } : (struct range){ 0, 0 };
}

void passes_map(struct plan *p, const struct bench *bench, unsigned jobs, double deadline)
{
	struct work w = { .plan = p, .bench = bench, .deadline = deadline };
	struct range entry = entry_text(bench);
	struct pool pool;

	pool_start(&pool, jobs, p->unit_count, map_one, &w);
	for (size_t n = 0; n < p->unit_count; n++)
		while (!pool_wait(&pool, n, LOOK_INTERVAL))
			progress_show("mapping", n, p->unit_count);
	pool_finish(&pool);
	progress_clear();
	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].error[0])
			die(EXIT_HOST, "%s", p->units[n].error);
	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit_record *d = plan_distinguishing(p, &p->units[n]);

		map_plan(&p->units[n].map, d && d->golden.completed ? &d->map : NULL, &entry);
	}
}

static void inject_one(size_t index, void *context)
{
	struct work *w = context;
	struct unit_record *r = &w->plan->units[index];

	if (r->asked && r->golden.completed && !passes_signal)
		unit_inject(r, w->bench, &w->orders);
}

static size_t count_cases(const struct plan *p)
{
	size_t count = 0;

	for (size_t n = 0; n < p->unit_count; n++)
		for (size_t k = 0; p->units[n].asked && k < p->units[n].map.count; k++)
			for (enum event e = 0; e < EVENT_COUNT; e++)
				count += p->units[n].events >> e & 1 && !map_why_not(&p->units[n].map.at[k], e);
	return count;
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
	size_t total = count_cases(p);
	struct pool pool;

	ways_make(&w.ways, p);
	w.orders = (struct unit_orders){ &passes_signal, deadline, &w.done, &w.ways };
	pool_start(&pool, jobs, p->unit_count, inject_one, &w);
	for (size_t n = 0; n < p->unit_count; n++) {
		while (!pool_wait(&pool, n, LOOK_INTERVAL))
			progress_show("injecting", atomic_load(&w.done), total);
		progress_clear();
		if (p->units[n].asked && !passes_signal)
			finished(&p->units[n], context);
	}
	pool_finish(&pool);
	ways_free(&w.ways);
}
