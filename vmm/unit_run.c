/* SPDX-License-Identifier: MIT */
/* unit_run.c: the second pass over a unit: its injections. */
#include "vmm/unit_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/case_switch.h"
#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/hash.h"
#include "vmm/rank.h"

#define SAMPLE_ONE_IN 100
#define REPEATS 2                       /* a violation must come out again as often */

struct pass {
	struct unit_record *r;
	const struct bench *bench;
	const struct unit_orders *orders;
	unsigned ranks;
	size_t end;                     /* so many visits are walked */
	bool cut;
};

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

static void see_handler(void *context, const struct cpu_state *now)
{
	record_mark(context, now->rip, COVER_HANDLER);
}

/* A death that ends in #DF is walked once behind its outcome, for the boundaries of that handler: the guest reports it and halts. */
static void cover_double_fault(struct pass *p, struct session *s, const struct case_start *start, enum event event,
			       const struct case_result *result)
{
	uint64_t top = death_push_top(&start->before);

	if (result->breach.broken || result->death != DEATH_NO_IST ||
	    mem_is_writable(&s->machine.mem, start->before.cr3, top - DEATH_PUSHED, DEATH_PUSHED))
		return;
	if (!atomic_exchange(&p->orders->ways->double_fault[unit_scheme(&p->r->unit)], true))
		case_walk(s, start, event, see_handler, p->r);
}

/* One case in full: judged, repeated if it broke a rule, sampled if it did not. True if it came back and broke none. */
static bool run_case(struct pass *p, struct session *s, const struct case_start *start, const struct place *at,
		     enum event event)
{
	bool goes_on = event_asks(event) || case_switches(s, &start->before, event);    /* these are run on anyway */
	bool sampled = !goes_on && is_sampled(p, at, event);
	struct case_options options = { .all_memory = sampled };
	struct case_record *c = add_case(p->r);
	struct case_result result;

	*c = (struct case_record){
		.visit = at->index, .event = event, .db_real = event_base(event) == EVENT_DB && at->visit->after_access,
	};
	case_inject(s, start, event, &options, &result);
	c->hash = result.hash;
	c->death = s->judge.broken ? DEATH_NONE : result.death; /* what is muted is broken all the same */
	cover_double_fault(p, s, start, event, &result);
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
	return *o->interrupted || clock_past(o->deadline);
}

static bool same_visit(const struct visit *now, const struct visit *then)
{
	return now->cpu == then->cpu && now->rip == then->rip && now->number == then->number && now->cpl == then->cpl;
}

/* What the cases of this visit check, apart from what the walk does. */
static void add_checks(struct unit_record *r, const struct session *s, const struct rule_count *before)
{
	for (enum rule rule = 0; rule < RULE_COUNT; rule++) {
		r->checks[rule].checked += s->judge.count[rule].checked - before[rule].checked;
		r->checks[rule].broken += s->judge.count[rule].broken - before[rule].broken;
	}
}

static bool is_planned(const struct pass *p, const struct visit *v, enum event event)
{
	return p->ranks >> v->rank[event] & 1 && map_is_planned(v, p->r->events, event);
}

static bool any_planned(const struct pass *p, const struct visit *v)
{
	bool any = false;

	for (enum event event = 0; event < EVENT_COUNT; event++)
		any |= is_planned(p, v, event);
	return any;
}

static void inject_here(struct pass *p, struct session *s, const struct place *at)
{
	struct rule_count checks[RULE_COUNT];
	const struct visit *v = &p->r->map.at[at->index];
	struct case_start start;

	walk_pause(s);
	memcpy(checks, s->judge.count, sizeof(checks));
	case_begin(s, &start);
	for (enum event event = 0; event < EVENT_COUNT; event++) {
		if (!is_planned(p, v, event))
			continue;
		if (run_case(p, s, &start, at, event))
			count_way(p, s, &start, v, event_base(event));
		cover_work(p, s, &start, v, event);
		atomic_fetch_add_explicit(p->orders->done, 1, memory_order_relaxed);
	}
	add_checks(p->r, s, checks);
	walk_resume(s);
}

/* The whole golden run is walked on to the end of its workload. */
static bool ends_here(const struct pass *p, const struct place *at)
{
	return p->end < p->r->map.count && at->index + 1 >= p->end;
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
	if (!any_planned(p, m))
		return !ends_here(p, at);
	p->cut = should_stop(p->orders);
	if (p->cut)
		return false;
	if (m->inject)
		record_mark(r, at->visit->rip, COVER_INJECTED);
	if (m->cpl == 0 && m->a != CLASS_K)
		record_mark(r, at->visit->rip, COVER_WINDOW);
	inject_here(p, s, at);
	return !ends_here(p, at);
}

/* Once to the end, to see that no case has left anything behind; for other ranks as far as they have cases. */
static size_t end_of(const struct pass *p)
{
	size_t end = p->r->map.count;

	while (!(p->ranks >> RANK_REST & 1) && end && !any_planned(p, &p->r->map.at[end - 1]))
		end--;
	return end;
}

void unit_inject(struct unit_record *r, unsigned ranks, const struct bench *bench, const struct unit_orders *orders)
{
	struct pass p = { .r = r, .bench = bench, .orders = orders, .ranks = ranks };
	struct walk_result again;
	struct session s;
	double start = clock_now();

	if (!session_open(&s, bench, &r->unit, r->error, sizeof(r->error)))
		return;
	s.mapped = true;
	s.judge.muted = r->golden.broken;
	p.end = end_of(&p);
	walk_golden(&s, inject_visit, &p, &again);
	r->exits = s.machine.exits;
	r->ioctls = s.machine.ioctls;
	r->seconds = clock_now() - start;
	if (again.broken & ~r->golden.broken)   /* an earlier case has left something behind */
		r->golden.breach = again.breach;
	r->golden.broken |= again.broken;
	r->finished = again.visits == p.end && !p.cut && !r->error[0];
	session_close(&s);
}
