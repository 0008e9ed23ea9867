/* SPDX-License-Identifier: MIT */
/* totals.c: the sums of a whole run. */
#include "vmm/totals.h"

#include "vmm/declared.h"
#include "vmm/pins.h"

static void add_case(struct totals *t, const struct case_record *c)
{
	t->injections++;
	t->by_event[c->event]++;
	t->db += event_base(c->event) == EVENT_DB;
	t->db_real += c->db_real;
	if (!c->breach) {
		t->deaths[c->death] += c->death != DEATH_NONE;
		return;
	}
	t->violations++;
	t->unstable += c->unstable;
	t->rules[c->breach->rule].broken++;
}

/* What no time could bring, behind a golden run that died, is not planned. */
static void add_planned(struct totals *t, const struct unit_record *r)
{
	t->units++;
	t->unmapped += !r->mapped;
	t->planned += r->golden.completed && !r->error[0] ? record_planned(r) : r->case_count;
}

static void add_unit(struct totals *t, const struct unit_record *r)
{
	for (size_t n = 0; n < r->case_count; n++)
		add_case(t, &r->cases[n]);
	for (enum rule rule = 0; rule < RULE_COUNT; rule++)
		t->rules[rule].checked += r->checks[rule].checked;
	if (r->golden.broken) {
		t->golden++;
		t->rules[r->golden.breach.rule].broken++;
	}
	tally_add(&t->tally[unit_scheme(&r->unit)], &r->golden.tally);
	t->sampled += r->sampled;
	t->kernel_instructions += r->kernel_instructions;
	t->exits += r->exits;
	t->ioctls += r->ioctls;
	t->unfinished += record_unfinished(r);
	add_planned(t, r);
}

static void add_pin(struct totals *t, const struct pinned *pinned, const struct bench *bench)
{
	struct pin_result result;

	pins_judge(pinned, bench, &result);
	t->pins_broken += !result.good && !result.undecided;
}

static void add_declared(struct totals *t, const struct plan *p)
{
	struct declared d = { 0 };

	while (declared_next(p, &d))
		t->deaths_unseen += d.fate == DECLARED_UNSEEN;
}

void totals_sum(struct totals *t, const struct plan *p, const struct bench *bench)
{
	add_declared(t, p);
	for (size_t n = 0; n < p->pin_count; n++)
		add_pin(t, &p->pins[n], bench);
	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].asked)
			add_unit(t, &p->units[n]);
}

const char *totals_skip_reason(const struct totals *t, enum rule rule)
{
	if (t->rules[rule].checked)
		return NULL;
	return "no chosen scenario gets to a point where it applies";
}

uint64_t totals_deaths(const struct totals *t)
{
	uint64_t sum = 0;

	for (enum death n = 0; n < DEATH_COUNT; n++)
		sum += t->deaths[n];
	return sum;
}

double totals_fraction(const struct totals *t)
{
	double mapped = t->units ? (double)(t->units - t->unmapped) / t->units : 0;

	return t->planned ? mapped * t->injections / t->planned : mapped;
}

double totals_injections_per_second(const struct totals *t)
{
	return t->inject_seconds > 0 ? t->injections / t->inject_seconds : 0;
}

double totals_instructions_per_injection(const struct totals *t)
{
	uint64_t counted = t->injections - t->violations - totals_deaths(t);    /* those that came back */

	return counted ? (double)t->kernel_instructions / counted : 0;
}
