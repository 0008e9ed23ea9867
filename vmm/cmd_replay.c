/* SPDX-License-Identifier: MIT */
/* cmd_replay.c: gsgate replay: one case again, with the machine's state at every stop, the instructions around it and,
 * if asked, its neighbours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/around.h"
#include "vmm/bench.h"
#include "vmm/caseid.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/gdb_serve.h"
#include "vmm/plan.h"
#include "vmm/replay_gdb.h"
#include "vmm/trace.h"
#include "vmm/unit_run.h"

struct replay {
	const char *text;
	struct caseid id;
	const struct bench *bench;
	struct unit_record unit;        /* its map says where the boundary is */
	size_t target;                  /* index into the map */
	unsigned reach;                 /* --around */
	struct cpu_state before;
	struct case_trace stops;
	struct trace trace;
	struct case_result result;
	struct around around;
};

/* The last state that was seen, if the event came back. */
static const struct cpu_state *back_at(const struct case_trace *t)
{
	return t->count && t->at[t->count - 1].stop == CASE_BACK ? &t->at[t->count - 1].now : NULL;
}

static void inject(struct session *s, struct replay *r)
{
	struct case_options options = { .trace = &r->stops };
	const struct cpu_state *back;
	struct case_start start;

	walk_pause(s);
	case_begin(s, &start);
	r->before = start.before;
	case_inject(s, &start, r->id.event, &options, &r->result);
	trace_event(&r->trace, s, &start, r->id.event, &r->result);
	back = back_at(&r->stops);
	if (back) {
		trace_add(&r->trace, s, TRACE_BACK, back);
		r->trace.at[r->trace.count - 1].broken = r->result.breach.broken;
	}
	if (!r->result.breach.broken && !r->result.death && !s->judge.muted && !event_asks(r->id.event))
		case_run_to_end(s, &start, r->id.event, &r->result);    /* as the sampled cases of a run */
	walk_resume(s);
}

/* After a broken case, or one that did not come back, the golden run's next boundaries are not what would follow. */
static bool is_traced(const struct replay *r, size_t index)
{
	if (index <= r->target)
		return r->target - index <= TRACE_BEFORE;
	return index - r->target <= TRACE_AFTER && !r->result.breach.broken && back_at(&r->stops);
}

static bool visit(struct session *s, const struct place *p, void *context)
{
	struct replay *r = context;
	size_t last = r->target + (r->reach > TRACE_AFTER ? r->reach : TRACE_AFTER);

	if (is_traced(r, p->index))
		trace_add(&r->trace, s, p->index == r->target ? TRACE_BOUNDARY : TRACE_GOLDEN, p->now);
	if (p->index == r->target)
		inject(s, r);
	if (p->index + r->reach >= r->target && p->index <= r->target + r->reach && r->reach)
		around_judge(&r->around, s, p, r->id.event, p->index == r->target ? &r->result.breach : NULL);
	return p->index < last;
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
	printf("  %-14s %u   ", stop, cpu_cpl(c));
	print_base(s, c->a);
	print_base(s, c->i);
	printf("%#-18lx  %s%s%s%s\n", (unsigned long)c->gpr[GPR_RSP], name, *line ? "  (" : "", line, *line ? ")" : "");
}

static void print_table(const struct replay *r, const struct session *s)
{
	printf("  K = %#lx, U = %#lx\n", (unsigned long)s->layout.k_own, (unsigned long)s->u);
	printf("  %-14s %s %-22s %-22s %-18s  %s\n", "stop", "CPL", "A", "I", "RSP", "about to execute");
	print_state(r, s, "boundary", &r->before);
	for (unsigned n = 0; n < r->stops.count; n++)
		print_state(r, s, r->stops.at[n].name, &r->stops.at[n].now);
}

static void print_verdict(const struct replay *r)
{
	const struct breach *b = &r->result.breach, *golden = &r->unit.golden.breach;

	if (r->unit.golden.broken)
		printf("  golden: %s is broken at the %s: %s\n  what the golden run breaks is not judged again\n",
		       rule_name(golden->rule), golden->at, golden->detail);
	if (b->broken)
		printf("  %s is broken at the %s: %s\n", rule_name(b->rule), b->at, b->detail);
	else
		printf("  no %srule is broken\n", r->unit.golden.broken ? "other " : "");
	if (!b->broken && r->result.death)
		printf("  the predicted death has come, %s: %s\n", death_name(r->result.death), death_meaning(r->result.death));
}

static void no_visit(const struct replay *r, unsigned visits)
{
	const struct walk_result *golden = &r->unit.golden;

	if (golden->broken && !golden->completed)
		die(EXIT_BROKEN, "%s: the golden run dies before that boundary: %s: %s", r->text,
		    rule_name(golden->breach.rule), golden->breach.detail);
	if (!visits)
		die(EXIT_USAGE, "%s: the golden run never comes to that boundary, or no instruction begins there", r->text);
	die(EXIT_USAGE, "%s: the golden run comes to that boundary %u time%s, not %u", r->text, visits,
	    visits == 1 ? "" : "s", r->id.visit);
}

/* Where the boundary is, or one line that says what comes instead. */
static void find_boundary(struct replay *r)
{
	const struct elf_symbol *symbol = elf_symbol(r->bench->elf, r->id.symbol);
	const struct map *m = &r->unit.map;
	const char *reason;
	uint64_t rip;
	unsigned visits = 0;

	if (!symbol)
		die(EXIT_USAGE, "%s: no symbol \"%s\"", elf_path(r->bench->elf), r->id.symbol);
	rip = symbol->addr + r->id.offset;
	for (r->target = 0; r->target < m->count; r->target++)
		if (m->at[r->target].rip == rip && ++visits == r->id.visit)
			break;
	if (r->target == m->count)
		no_visit(r, visits);
	reason = map_cannot(&m->at[r->target], r->id.event);
	if (reason)
		die(EXIT_USAGE, "%s: nothing is injected there: %s", r->text, reason);
}

static void check_can_run(const struct replay *r)
{
	plan_check_unit(&r->unit.unit);
	if (unit_scheme(&r->unit.unit) != SCHEME_SWAPGS && !r->bench->facts.fsgsbase)
		die(EXIT_HOST, "scheme %s: this host does not execute RD/WRGSBASE in a guest", scheme_name(r->id.scheme));
}

static void replay(struct replay *r)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct walk_result again;
	char err[RECORD_ERROR];

	unit_map(&r->unit, r->bench);
	if (r->unit.error[0])
		die(EXIT_HOST, "%s", r->unit.error);
	find_boundary(r);
	if (!session_open(s, r->bench, &r->unit.unit, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	s->judge.muted = r->unit.golden.broken;
	walk_golden(s, visit, r, &again);
	if (again.visits <= r->target)
		die(EXIT_HOST, "%s: the golden run is not repeatable", r->text);
	printf("case %s\n", r->text);
	print_table(r, s);
	print_verdict(r);
	trace_print(&r->trace, s, r->id.event);
	if (r->reach)
		around_print(&r->around, r->bench->elf, r->target);
	session_close(s);
	free(s);
}

static void hold(const struct replay *r, const struct options *o)
{
	struct held h = {
		.text = r->text, .socket = o->gdb, .hold = o->stop, .bench = r->bench, .unit = &r->unit.unit, .target = r->target,
		.event = r->id.event, .muted = r->unit.golden.broken,
	};

	replay_gdb(&h);
}

/* An id is only worth something with the image that it was made with. */
static void check_image(const struct options *o, const struct bench *bench)
{
	uint64_t hash = elf_text_hash(bench->elf);

	if (o->image_named && o->image != hash)
		die(EXIT_USAGE, "%s: its text has the hash %016lx, the case is from an image with %016lx",
		    elf_path(bench->elf), (unsigned long)hash, (unsigned long)o->image);
}

int cmd_replay(const struct options *o)
{
	struct replay all = { 0 }, *r = &all;
	struct bench bench = { .seed = o->seed };
	struct scenario scenario;
	char err[400];
	bool broken;

	if (o->arg_count < 1 || o->arg_count > 2)
		die(EXIT_USAGE, "replay takes one case id, after its scenario file if that is not one of ours");
	r->text = o->args[o->arg_count - 1];
	if (!caseid_parse(r->text, &r->id, err, sizeof(err)))
		die(EXIT_USAGE, "%s", err);
	plan_find_scenario(o->arg_count == 2 ? o->args[0] : r->id.scenario, &scenario);
	if (strcmp(scenario.name, r->id.scenario))
		die(EXIT_USAGE, "%s: the case is of scenario %s", scenario.path, r->id.scenario);
	if (o->gdb)
		gdb_serve_listen(o->gdb);
	bench_open(&bench, o);
	r->bench = &bench;
	r->reach = o->around;
	r->unit.unit = (struct unit){ &scenario, r->id.scheme, r->id.gs };
	check_image(o, &bench);
	check_can_run(r);
	replay(r);
	if (o->gdb)
		hold(r, o);
	broken = r->result.breach.broken || r->unit.golden.broken || r->around.broken;
	around_free(&r->around);
	trace_free(&r->trace);
	record_free(&r->unit);
	bench_close(&bench);
	return broken ? EXIT_BROKEN : EXIT_GOOD;
}
