/* SPDX-License-Identifier: MIT */
/* report_end.c: the last lines of a run: violations in groups, then the counts. */
#include <math.h>
#include <stdio.h>

#include "vmm/caseid.h"
#include "vmm/groups.h"
#include "vmm/report_tally.h"
#include "vmm/report_tap.h"

static void print_golden(const struct unit_record *r)
{
	char name[160];

	if (!r->asked || !r->golden.broken)
		return;
	unit_name(&r->unit, name, sizeof(name));
	printf("# golden: %s broken in %s: %s\n", rule_name(r->golden.breach.rule), name, r->golden.breach.detail);
}

static void print_groups(const struct plan *p, const struct bench *bench)
{
	char first[CASEID_SIZE];
	struct groups g;

	for (size_t n = 0; n < p->unit_count; n++)
		print_golden(&p->units[n]);
	groups_make(&g, p, bench);
	for (unsigned n = 0; n < g.count; n++) {
		const struct group *x = &g.group[n];

		record_case_id(x->unit, bench, x->first->visit, x->event, first, sizeof(first));
		printf("# %s broken in %s by %s: %u case%s, first %s\n", rule_name(x->rule), x->symbol, event_name(x->event),
		       x->count, x->count == 1 ? "" : "s", first);
	}
	groups_free(&g);
}

static void print_rules(const struct totals *t)
{
	printf("# %-14s %10s %10s\n", "rule", "checked", "broken");
	for (enum rule rule = 0; rule < RULE_COUNT; rule++)
		if (!totals_skip_reason(t, rule))
			printf("# %-14s %10lu %10lu\n", rule_name(rule), (unsigned long)t->rules[rule].checked,
			       (unsigned long)t->rules[rule].broken);
	for (enum rule rule = 0; rule < RULE_COUNT; rule++)
		if (totals_skip_reason(t, rule))
			printf("# skipped: rule %s: %s\n", rule_name(rule), totals_skip_reason(t, rule));
}

/* "36 double-fault, 3 corrupt-slot": why boundaries are unreached. */
static void print_unreached(const struct coverage_sum *c)
{
	const char *separator = ": ";

	for (unsigned n = 0; n < c->unreached_count; n++) {
		const char *reason = c->unreached[n].reason;
		unsigned count = 0;
		bool told = false;

		for (unsigned k = 0; k < c->unreached_count; k++) {
			bool same = c->unreached[k].reason == reason;

			told |= same && k < n;
			count += same;
		}
		if (told)
			continue;
		printf("%s%u %s", separator, count, reason ? reason : "unlisted");
		separator = ", ";
	}
}

static void print_boundaries(const struct coverage_sum *c)
{
	printf("# boundaries %u = %u injected + %u deferred + %u unreached", c->boundaries, c->injected, c->deferred,
	       c->unreached_count);
	print_unreached(c);
	printf("\n# boundaries of user code injected %u; windows %u\n", c->user_boundaries, c->windows);
}

static void print_speed(const struct totals *t)
{
	double rate = totals_injections_per_second(t);

	printf("# speed %.0f injections/s with %u job%s (the floor, %.0f exits/s, is %.0f times that); %.0f kernel instructions each; "
	       "%.1f s in all\n", rate, t->jobs, t->jobs == 1 ? "" : "s", t->floor, rate > 0 ? t->floor / rate : 0,
	       totals_instructions_per_injection(t), t->seconds);
}

/* Each came exactly as it was predicted; one that did not is a violation. */
static void print_deaths(const struct totals *t)
{
	const char *separator = ":";

	printf("# of these predicted deaths %lu", (unsigned long)totals_deaths(t));
	for (enum death n = 0; n < DEATH_COUNT; n++) {
		if (!t->deaths[n])
			continue;
		printf("%s %lu %s", separator, (unsigned long)t->deaths[n], death_name(n));
		separator = ",";
	}
	printf("\n");
}

static void print_injections(const struct totals *t)
{
	const char *separator = ":";

	printf("# injections %lu", (unsigned long)t->injections);
	for (enum event e = 0; e < EVENT_COUNT; e++) {
		if (!t->by_event[e])
			continue;
		printf("%s %lu %s", separator, (unsigned long)t->by_event[e], event_name(e));
		separator = ",";
	}
	printf("\n");
	print_deaths(t);
	printf("# #DB where hardware could raise it %lu, elsewhere (synthetic) %lu; cases run on to the end %lu\n",
	       (unsigned long)t->db_real, (unsigned long)(t->db - t->db_real), (unsigned long)t->sampled);
}

/* What was not done has no point that is ok. */
static void print_fraction(const struct totals *t)
{
	if (t->unfinished)
		printf("# %.0f %% of the planned cases done: cut after %.0f s; the rest is not judged\n",
		       floor(100 * totals_fraction(t)), t->seconds);
}

/* "# exits NAME: 5 by SYSRET, 4 by IRET: 3 RCX is not RIP, ...": the golden run's decisions, where the scenario asks for them. */
static void print_exits(const struct unit_record *r)
{
	const char *separator = ":";
	char name[160];

	if (!r->asked || !r->mapped || !(r->unit.scenario->shows >> SHOW_EXITS & 1))
		return;
	unit_name(&r->unit, name, sizeof(name));
	printf("# exits %s", name);
	for (unsigned n = 0; n < ABI_EXITS; n++) {
		if (n > ABI_EXIT_IRET && !r->golden.exits[n].count)
			continue;
		printf("%s %lu %s", separator, (unsigned long)r->golden.exits[n].count, r->golden.exits[n].name);
		separator = n == ABI_EXIT_IRET ? ":" : ",";
	}
	printf("\n");
}

void tap_end(const struct totals *t, const struct plan *p, const struct bench *bench)
{
	print_groups(p, bench);
	for (size_t n = 0; n < p->skip_count; n++)
		printf("# skipped: %s: %s\n", p->skips[n].what, p->skips[n].reason);
	print_fraction(t);
	for (size_t n = 0; n < p->unit_count; n++)
		print_exits(&p->units[n]);
	print_rules(t);
	tally_print(t);
	print_boundaries(&t->coverage);
	print_injections(t);
	print_speed(t);
	printf("# violations %lu (%lu unstable); golden runs broken %lu; canaries %u/%u\n", (unsigned long)t->violations,
	       (unsigned long)t->unstable, (unsigned long)t->golden, t->canaries_caught, CANARIES);
}
