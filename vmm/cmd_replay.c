/* SPDX-License-Identifier: MIT */
/* cmd_replay.c: gsgate replay: one case again, with the machine's state at every stop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/bench.h"
#include "vmm/case.h"
#include "vmm/caseid.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/plan.h"
#include "vmm/walk.h"

struct replay {
	struct caseid id;
	const struct bench *bench;
	uint64_t rip;
	bool found;
	struct cpu_state before;
	struct case_trace trace;
	struct case_result result;
};

static bool visit(struct session *s, const struct place *p, void *context)
{
	struct replay *r = context;
	struct case_options options = { .trace = &r->trace };
	struct case_start start;

	if (p->visit->rip != r->rip || p->visit->number != r->id.visit)
		return true;
	r->found = true;
	walk_pause(s);
	case_begin(s, &start);
	r->before = start.before;
	case_inject(s, &start, r->id.event, &options, &r->result);
	walk_resume(s);
	return false;
}

/* "0x1000 U": the value, and whose it is. Under u-own-k it is both. */
static void print_base(const struct session *s, uint64_t base)
{
	const char *whose = base == s->layout.k_own ? (base == s->u ? "K=U" : "K") : base == s->u ? "U" : "-";

	printf("%#-18lx %-4s", (unsigned long)base, whose);
}

static void print_state(const struct replay *r, const struct session *s, const char *stop, const struct cpu_state *c)
{
	char name[160], line[300];

	elf_name(r->bench->elf, c->rip, name, sizeof(name));
	elf_line(r->bench->elf, c->rip, line, sizeof(line));
	printf("  %-9s %u   ", stop, cpu_cpl(c));
	print_base(s, c->a);
	print_base(s, c->i);
	printf("%#-18lx  %s%s%s%s\n", (unsigned long)c->gpr[GPR_RSP], name, *line ? "  (" : "", line, *line ? ")" : "");
}

static void print_table(const struct replay *r, const struct session *s)
{
	printf("  K = %#lx, U = %#lx\n", (unsigned long)s->layout.k_own, (unsigned long)s->u);
	printf("  %-9s %s %-22s %-22s %-18s  %s\n", "stop", "CPL", "A", "I", "RSP", "about to execute");
	print_state(r, s, "boundary", &r->before);
	for (unsigned n = 0; n < r->trace.count; n++)
		print_state(r, s, case_stop_name(r->trace.at[n].stop), &r->trace.at[n].now);
}

static void print_verdict(const struct replay *r)
{
	const struct breach *b = &r->result.breach;

	if (b->broken)
		printf("  %s is broken at the %s: %s\n", rule_name(b->rule), b->at, b->detail);
	else
		printf("  no rule is broken\n");
}

static void find_boundary(struct replay *r)
{
	const struct elf_symbol *s = elf_symbol(r->bench->elf, r->id.symbol);

	if (!s)
		die(EXIT_USAGE, "%s: no symbol \"%s\"", elf_path(r->bench->elf), r->id.symbol);
	r->rip = s->addr + r->id.offset;
}

static void replay(struct replay *r, const char *text, const struct scenario *scenario)
{
	struct unit unit = { scenario, r->id.scheme, r->id.gs };
	struct session *s = xcalloc(1, sizeof(*s));
	struct walk_result golden;
	char err[400];

	if (!session_open(s, r->bench, &unit, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	walk_golden(s, visit, r, &golden);
	if (!r->found)
		die(EXIT_USAGE, "%s: the golden run does not come to that boundary a %u. time", text, r->id.visit);
	printf("case %s\n", text);
	print_table(r, s);
	print_verdict(r);
	session_close(s);
	free(s);
}

int cmd_replay(const struct options *o)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	struct bench bench = { .seed = o->seed };
	struct scenario scenario;
	char err[400];
	int status;

	if (o->arg_count != 1)
		die(EXIT_USAGE, "replay takes one case id");
	if (!caseid_parse(o->args[0], &r->id, err, sizeof(err)))
		die(EXIT_USAGE, "%s", err);
	plan_find_scenario(r->id.scenario, &scenario);
	bench_open(&bench, o->kernel, o->timeout);
	r->bench = &bench;
	find_boundary(r);
	replay(r, o->args[0], &scenario);
	status = r->result.breach.broken ? EXIT_BROKEN : EXIT_GOOD;
	bench_close(&bench);
	free(r);
	return status;
}
