/* SPDX-License-Identifier: MIT */
/* cmd_list.c: gsgate list: the scenarios, or with --boundaries the measured map. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/bench.h"
#include "vmm/caseid.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/map.h"
#include "vmm/passes.h"

static void print_scenario(const struct scenario *s)
{
	printf("%-14s %s\n%-14s program %s; schemes", s->name, s->claim, "", s->program);
	for (enum scheme n = 0; n < SCHEME_COUNT; n++)
		if (s->schemes >> n & 1)
			printf(" %s", scheme_name(n));
	printf("; events");
	for (enum event n = 0; n < EVENT_COUNT; n++)
		if (s->events >> n & 1)
			printf(" %s", event_name(n));
	if (s->rows[0])
		printf("; rows %s", s->rows);
	if (s->bugs[0])
		printf("; catches bugs %s", s->bugs);
	printf("\n");
}

static const char *stack_name(const struct layout *l, unsigned stack)
{
	return stack == LAYOUT_STACK_USER ? "user" : l->stack[stack].name;
}

/* One line per visit that is injected: everything that decides what must hold there. */
static void print_visit(const struct unit_record *r, const struct bench *bench, const struct layout *l, size_t n)
{
	const struct visit *v = &r->map.at[n];
	char id[CASEID_SIZE], line[300];

	record_case_id(r, bench, n, EVENT_NMI, id, sizeof(id));
	elf_line(bench->elf, v->rip, line, sizeof(line));
	printf("%.*s cpl=%u a=%s i=%s avalue=0x%lx ivalue=0x%lx stack=%s if=%u df=%u window=%u db=%s %s\n",
	       (int)(strlen(id) - strlen(":nmi")), id, v->cpl, gs_class_name(v->a), gs_class_name(v->i),
	       (unsigned long)v->a_value, (unsigned long)v->i_value, stack_name(l, v->stack), v->interrupts,
	       v->direction, map_in_window(v), !v->dr7_armed ? "none" : v->after_access ? "real" : "synthetic", line);
}

static void print_unit(const struct unit_record *r, const struct bench *bench, const struct layout *l)
{
	char name[160];

	unit_name(&r->unit, name, sizeof(name));
	printf("# %s: %zu visits, golden run %s\n", name, r->map.count,
	       r->golden.broken ? "broken" : r->golden.completed ? "good" : "incomplete");
	for (size_t n = 0; n < r->map.count; n++)
		if (r->map.at[n].inject)
			print_visit(r, bench, l, n);
}

/* The stacks' names: from any guest of this image. */
static void read_layout(struct layout *l, const struct bench *bench, const struct unit *unit)
{
	struct session *s = xcalloc(1, sizeof(*s));
	char err[RECORD_ERROR];

	if (!session_open(s, bench, unit, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	*l = s->layout;
	session_close(s);
	free(s);
}

static void list_boundaries(const struct options *o)
{
	struct bench bench = { .seed = o->seed };
	struct layout *l = xcalloc(1, sizeof(*l));
	struct plan p;

	bench_open(&bench, o->kernel, o->timeout);
	plan_make(&p, o, &bench);
	passes_map(&p, &bench, o->jobs, 0);
	read_layout(l, &bench, &p.units[0].unit);
	for (size_t n = 0; n < p.unit_count; n++)
		if (p.units[n].asked)
			print_unit(&p.units[n], &bench, l);
	free(l);
	plan_free(&p);
	bench_close(&bench);
}

int cmd_list(const struct options *o)
{
	struct plan p;

	options_allow(o, OPTIONS_ARGS | OPTIONS_BOUNDARIES);
	if (o->boundaries) {
		list_boundaries(o);
		return EXIT_GOOD;
	}
	plan_read_scenarios(&p, o);
	for (int n = 0; n < p.scenario_count; n++)
		print_scenario(&p.scenarios[n]);
	free(p.scenarios);
	return EXIT_GOOD;
}
