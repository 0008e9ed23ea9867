/* SPDX-License-Identifier: MIT */
/* unit_run.c: the two passes over a unit: first its map, later its injections. */
#include "vmm/unit_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/case.h"
#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/hash.h"
#include "vmm/msr.h"

#define SAMPLE_ONE_IN 100
#define REPEATS 2                       /* a violation must come out again as often */

struct pass {
	struct unit_record *r;
	const struct bench *bench;
	const struct unit_orders *orders;
};

static bool add_visit(struct session *s, const struct place *p, void *context)
{
	struct unit_record *r = context;

	(void)s;
	map_add(&r->map, p->visit);
	return true;
}

static void mark(struct unit_record *r, uint64_t rip, enum coverage c)
{
	if (rip - r->text_start < r->text_size)
		r->cover[rip - r->text_start] |= c;
}

/* Every boundary of entry text that the gates and LSTAR lead to. */
static void cover_reachable(struct session *s, struct unit_record *r)
{
	const struct layout *l = &s->layout;
	uint64_t roots[LAYOUT_GATES + 1], size = l->entry_text.end - l->entry_text.start, left;
	const uint8_t *bytes = stops_text(&s->stops, l->entry_text.start, &left);
	struct insn_starts starts;
	unsigned count = 0;

	r->text_start = l->text.start;
	r->text_size = l->text.end - l->text.start;
	r->cover = xcalloc(r->text_size, 1);
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		if (l->gate[n])
			roots[count++] = l->gate[n];
	roots[count++] = machine_get_msr(&s->machine, MSR_LSTAR);
	if (!bytes || left < size)
		return;
	decode_walk(bytes, l->entry_text.start, size, roots, count, &starts);
	for (size_t n = 0; n < starts.count; n++)
		mark(r, starts.addr[n], COVER_REACHABLE);
	insn_starts_free(&starts);
}

void unit_map(struct unit_record *r, const struct bench *bench)
{
	struct session s;

	if (!session_open(&s, bench, &r->unit, r->error, sizeof(r->error)))
		return;
	r->k = s.layout.k_own;
	r->u = s.u;
	cover_reachable(&s, r);
	walk_golden(&s, add_visit, r, &r->golden);
	memcpy(r->checks, s.judge.count, sizeof(r->checks));
	r->mapped = true;
	session_close(&s);
}

static struct case_record *add_case(struct unit_record *r)
{
	if (r->case_count == r->case_room) {
		r->case_room = r->case_room ? 2 * r->case_room : 256;
		r->cases = xrealloc(r->cases, r->case_room * sizeof(*r->cases));
	}
	return &r->cases[r->case_count++];
}

static bool same_verdict(const struct breach *a, const struct breach *b)
{
	return a->broken == b->broken && (!a->broken || (a->rule == b->rule && a->rip == b->rip));
}

/* A violation counts only if it comes out the same each time. */
static void repeat(struct session *s, const struct case_start *start, struct case_record *c)
{
	struct case_options options = { 0 };
	struct case_result again;

	for (unsigned n = 0; n < REPEATS; n++) {
		case_inject(s, start, c->event, &options, &again);
		c->unstable |= !same_verdict(&again.breach, c->breach);
	}
}

static bool is_sampled(const struct pass *p, const struct place *at, enum event event)
{
	uint64_t hash = hash_bytes(HASH_START ^ p->bench->seed, &at->index, sizeof(at->index));

	hash = hash_bytes(hash, &event, sizeof(event));
	hash = hash_bytes(hash, &p->r->unit.gs, sizeof(p->r->unit.gs));
	return hash % SAMPLE_ONE_IN == 0;
}

static void keep_breach(struct case_record *c, const struct breach *b)
{
	c->breach = xcalloc(1, sizeof(*b));
	*c->breach = *b;
}

/* One case in full: judged, repeated if it broke a rule, sampled if it did not. True if it came back and broke none. */
static bool run_case(struct pass *p, struct session *s, const struct case_start *start, const struct place *at,
		     enum event event)
{
	bool sampled = !event_asks(event) && is_sampled(p, at, event);  /* the others are run on anyway */
	struct case_options options = { .all_memory = sampled };
	struct case_record *c = add_case(p->r);
	struct case_result result;

	*c = (struct case_record){
		.visit = at->index, .event = event, .db_real = event_base(event) == EVENT_DB && at->visit->after_access,
	};
	case_inject(s, start, event, &options, &result);
	c->hash = result.hash;
	c->death = s->judge.broken ? DEATH_NONE : result.death; /* what is muted is broken all the same */
	if (!result.breach.broken && !result.death && !s->judge.muted && sampled) {
		case_run_to_end(s, start, event, &result);
		p->r->sampled++;
	}
	if (!result.breach.broken)
		return !result.death;
	keep_breach(c, &result.breach);
	if (strcmp(result.breach.at, "end"))
		repeat(s, start, c);
	return false;
}

static void see_handler(void *context, const struct cpu_state *now)
{
	mark(context, now->rip, COVER_HANDLER);
}

/* The interrupt that a handler asks for is walked once for its boundaries. */
static void cover_work(struct pass *p, struct session *s, const struct case_start *start, const struct visit *v,
		       enum event event)
{
	if (event == EVENT_NMI_RESCHED && v->cpl == 3 && !atomic_exchange(&p->orders->ways->work[unit_scheme(&p->r->unit)], true))
		case_walk(s, start, event, see_handler, p->r);
}

/* Inside an NMI each boundary may have a way of its own. */
static atomic_uint *way_of(const struct pass *p, const struct visit *v, enum event event)
{
	struct unit_ways *w = p->orders->ways;
	enum scheme scheme = unit_scheme(&p->r->unit);
	uint64_t offset = v->rip - p->r->text_start;

	if (v->raised == ABI_VECTOR_NMI && !v->cpl && event < EVENT_NMI_LIKE && offset < p->r->text_size)
		return &w->inside[scheme][event][offset];
	return &w->instructions[scheme][event][v->cpl == 3][v->a];
}

static void count_way(struct pass *p, struct session *s, const struct case_start *start, const struct visit *v,
		      enum event event)
{
	atomic_uint *count = way_of(p, v, event);

	if (!atomic_load(count))
		atomic_store(count, case_walk(s, start, event, see_handler, p->r));
	p->r->kernel_instructions += atomic_load(count);
}

static bool should_stop(const struct unit_orders *o)
{
	return *o->interrupted || (o->deadline > 0 && clock_now() > o->deadline);
}

static bool same_visit(const struct visit *now, const struct visit *then)
{
	return now->rip == then->rip && now->number == then->number && now->cpl == then->cpl;
}

static void inject_here(struct pass *p, struct session *s, const struct place *at)
{
	const struct visit *v = &p->r->map.at[at->index];
	struct case_start start;

	walk_pause(s);
	case_begin(s, &start);
	for (enum event event = 0; event < EVENT_COUNT; event++) {
		if (!(p->r->events >> event & 1) || map_why_not(v, event))
			continue;
		if (run_case(p, s, &start, at, event))
			count_way(p, s, &start, v, event_base(event));
		cover_work(p, s, &start, v, event);
		atomic_fetch_add_explicit(p->orders->done, 1, memory_order_relaxed);
	}
	walk_resume(s);
}

static bool inject_visit(struct session *s, const struct place *at, void *context)
{
	struct pass *p = context;
	struct unit_record *r = p->r;
	const struct visit *m = &r->map.at[at->index];

	if (at->index >= r->map.count || !same_visit(at->visit, m)) {
		snprintf(r->error, sizeof(r->error), "the golden run is not repeatable: visit %zu differs", at->index);
		return false;
	}
	if (!m->inject && !m->inject_irq)
		return true;
	if (should_stop(p->orders))
		return false;
	if (m->inject)
		mark(r, at->visit->rip, COVER_INJECTED);
	if (m->cpl == 0 && m->a != CLASS_K)
		mark(r, at->visit->rip, COVER_WINDOW);
	inject_here(p, s, at);
	return true;
}

void unit_inject(struct unit_record *r, const struct bench *bench, const struct unit_orders *orders)
{
	struct pass p = { .r = r, .bench = bench, .orders = orders };
	struct walk_result again;
	struct session s;
	double start = clock_now();

	if (!session_open(&s, bench, &r->unit, r->error, sizeof(r->error)))
		return;
	s.mapped = true;
	s.judge.muted = r->golden.broken;
	walk_golden(&s, inject_visit, &p, &again);
	memcpy(r->checks, s.judge.count, sizeof(r->checks));
	r->exits = s.machine.exits;
	r->ioctls = s.machine.ioctls;
	r->seconds = clock_now() - start;
	if (again.broken & ~r->golden.broken)   /* an earlier case has left something behind */
		r->golden.breach = again.breach;
	r->golden.broken |= again.broken;
	r->finished = again.visits == r->map.count && !r->error[0];
	session_close(&s);
}
