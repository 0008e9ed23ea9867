/* SPDX-License-Identifier: MIT */
/* report_tap.c: the results of a run as TAP version 13 with one indented subtest per unit. */
#include "vmm/report_tap.h"

#include <stdio.h>
#include <string.h>

#include "vmm/caseid.h"
#include "vmm/declared.h"
#include "vmm/pins.h"
#include "vmm/points.h"

static unsigned number;                 /* of the last point of the top level */

void tap_begin(const struct plan *p)
{
	unsigned points = 2 + p->pin_count;
	struct declared d = { 0 };

	while (declared_next(p, &d))
		points++;
	for (size_t n = 0; n < p->unit_count; n++)
		points += p->units[n].asked;
	printf("TAP version 13\n1..%u\n", points);
	puts("# canaries: damage of the bench's own, which its rules must find");
	puts("# a subtest is SCENARIO/SCHEME/USER-GS-VALUE; a test in it is one event at each boundary of one function");
	number = 0;
}

void tap_canaries(const struct totals *t)
{
	printf("%s %u - canaries %u/%u\n", t->canaries_caught == CANARIES ? "ok" : "not ok", ++number,
	       t->canaries_caught, CANARIES);
	for (unsigned n = 0; n < CANARIES; n++) {
		const struct canary_result *c = &t->canaries[n];

		if (!c->caught)
			printf("# canary \"%s\": must be reported by %s, was %s\n", c->name, rule_name(c->expected),
			       !c->ran ? "not run" : c->breach.broken ? rule_name(c->breach.rule) : "not reported");
	}
}

static void print_place(const struct bench *bench, const char *key, uint64_t rip)
{
	char name[160], line[300];

	elf_name(bench->elf, rip, name, sizeof(name));
	elf_line(bench->elf, rip, line, sizeof(line));
	printf("      %s: %s%s%s%s\n", key, name, *line ? " (" : "", line, *line ? ")" : "");
}

/* In YAML single quotes, where only the quote itself is special. */
static void print_quoted(const char *key, const char *text)
{
	printf("      %s: '", key);
	for (; *text; text++)
		printf(*text == '\'' ? "''" : "%c", *text);
	printf("'\n");
}

static void print_bases(const struct unit_record *r, const struct breach *b)
{
	printf("      bases: { K: 0x%lx, U: 0x%lx }\n", (unsigned long)r->bases.k[b->cpu],
	       (unsigned long)r->bases.u[b->cpu]);
	if (b->expects)
		printf("      expected: { A: 0x%lx, I: 0x%lx }\n", (unsigned long)b->expected_a,
		       (unsigned long)b->expected_i);
	printf("      seen: { A: 0x%lx, I: 0x%lx }\n", (unsigned long)b->a, (unsigned long)b->i);
}

static void print_breach(const struct unit_record *r, const struct bench *bench, const struct breach *b)
{
	printf("      rule: %s\n", rule_name(b->rule));
	print_quoted("detail", b->detail);
	printf("      stop: %s\n", b->at);
	print_place(bench, "rip", b->rip);
	print_bases(r, b);
}

static void print_failure(const struct unit_record *r, const struct bench *bench, const struct point *p)
{
	const struct visit *v = &r->map.at[p->first->visit];
	char id[CASEID_SIZE], line[RECORD_REPLAY_LINE];

	record_case_id(r, bench, p->first->visit, p->event, id, sizeof(id));
	printf("      ---\n      case: %s\n", id);
	print_breach(r, bench, p->first->breach);
	print_place(bench, "boundary", v->rip);
	printf("      at boundary: { CPL: %u, A: 0x%lx, I: 0x%lx }\n", v->cpl, (unsigned long)v->a_value,
	       (unsigned long)v->i_value);
	printf("      broken: %u of %u cases%s\n", p->broken, p->cases, p->unstable ? ", unstable" : "");
	record_replay_line(&r->unit, bench, id, line, sizeof(line));
	printf("      again: %s\n      ...\n", line);
}

static void print_golden(const struct unit_record *r, const struct bench *bench)
{
	printf("    %s 1 - golden\n", r->golden.broken || !r->mapped ? "not ok" : "ok");
	if (!r->golden.broken)
		return;
	printf("      ---\n");
	print_breach(r, bench, &r->golden.breach);
	printf("      completed: %s\n      ...\n", r->golden.completed ? "true" : "false");
}

static void print_missing(const struct unit_record *r, const struct point *p)
{
	printf("    # ");
	if (p->cases)
		printf("%u of %u cases ", p->planned - p->cases, p->planned);
	printf("not injected: %s\n", r->golden.completed ? "the run was cut short" : "the golden run died");
}

/* False if a point is not ok. */
static bool print_points(const struct unit_record *r, const struct bench *bench)
{
	struct points p;
	bool good = true;

	points_group(&p, r, bench, r->events);
	printf("    1..%u\n", p.count + 1);
	print_golden(r, bench);
	for (unsigned n = 0; n < p.count; n++) {
		bool ok = p.point[n].cases == p.point[n].planned && !p.point[n].broken;

		printf("    %s %u - %s %s\n", ok ? "ok" : "not ok", n + 2, p.point[n].symbol, event_name(p.point[n].event));
		if (p.point[n].broken)
			print_failure(r, bench, &p.point[n]);
		else if (!ok)
			print_missing(r, &p.point[n]);
		good &= ok;
	}
	points_free(&p);
	return good;
}

void tap_unit(const struct unit_record *r, const struct bench *bench)
{
	char name[160];
	bool good;

	unit_name(&r->unit, name, sizeof(name));
	printf("# Subtest: %s\n", name);
	good = print_points(r, bench) && r->mapped && !r->golden.broken && !r->error[0];
	printf("%s %u - %s%s\n", good ? "ok" : "not ok", ++number, name,
	       good || r->finished || (r->mapped && !r->golden.completed) || r->error[0] ? "" : " # TODO not finished");
	if (r->error[0])
		printf("# %s: %s\n", name, r->error);
}

static void print_pin(const char *name, const struct pin *pin, const struct pin_result *r)
{
	bool unfinished = r->undecided && !r->seen;
	char id[CASEID_SIZE];

	caseid_format(&pin->id, id, sizeof(id));
	printf("%s %u - %s: %s%s\n", r->good ? "ok" : "not ok", ++number, name, pins_verdict(pin),
	       unfinished ? " # TODO not finished" : "");
	printf("  ---\n  case: %s\n", id);
	if (!r->good)
		printf("  why: '%s%s'\n", r->seen ? "" : "not injected: ", r->why);
	printf("  ...\n");
}

void tap_pins(const struct plan *p, const struct bench *bench)
{
	struct pin_result result;
	char name[320];

	for (size_t n = 0; n < p->pin_count; n++) {
		pins_judge(&p->pins[n], bench, &result);
		pins_name(p, n, name, sizeof(name));
		print_pin(name, p->pins[n].pin, &result);
	}
}

void tap_declared(const struct plan *p)
{
	static const char *const directive[] = {
		[DECLARED_NARROWED] = " # SKIP not all cases were asked for", [DECLARED_UNFINISHED] = " # TODO not finished",
		[DECLARED_SEEN] = "", [DECLARED_UNSEEN] = "",
	};
	struct declared d = { 0 };

	while (declared_next(p, &d)) {
		bool good = d.fate == DECLARED_SEEN || d.fate == DECLARED_NARROWED;

		printf("%s %u - death %s: %s%s\n", good ? "ok" : "not ok", ++number, d.scenario->name, death_name(d.death),
		       directive[d.fate]);
		if (d.fate == DECLARED_UNSEEN)
			printf("# %s: no case of %s came to it\n", death_meaning(d.death), d.scenario->name);
	}
}

void tap_coverage(const struct coverage_sum *c, const struct bench *bench)
{
	printf("%s %u - every boundary is injected, deferred, or unreached for a listed reason\n",
	       c->unlisted || c->stale[0] ? "not ok" : "ok", ++number);
	for (unsigned n = 0; n < c->unreached_count; n++) {
		char name[160], line[300];

		if (c->unreached[n].reason)
			continue;
		elf_name(bench->elf, c->unreached[n].rip, name, sizeof(name));
		elf_line(bench->elf, c->unreached[n].rip, line, sizeof(line));
		printf("# unreached and not listed: %s %s\n", name, line);
	}
	if (c->stale[0])
		printf("# %s\n", c->stale);
}
