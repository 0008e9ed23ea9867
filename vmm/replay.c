/* SPDX-License-Identifier: MIT */
/* replay.c: one case again: every stop of it, the instructions around it, and its neighbours. */
#include "vmm/replay.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/case_switch.h"
#include "vmm/die.h"
#include "vmm/smp.h"

/* The last state that was seen, if the event came back. */
static const struct cpu_state *back_at(const struct case_trace *t)
{
	return t->count && t->at[t->count - 1].stop == CASE_BACK ? &t->at[t->count - 1].now : NULL;
}

struct at_breach {
	struct session *s;
	struct replay *r;
};

static void at_breach(void *context)
{
	struct at_breach *b = context;

	if (!b->r->result.breach.broken)        /* else it has been taken */
		dump_take(&b->r->dump, b->s, b->s->judge.at, b->r->id.event, cpu_cpl(&b->r->before));
}

static void inject(struct session *s, struct replay *r)
{
	struct case_options options = { .trace = &r->stops };
	struct at_breach here = { s, r };
	const struct cpu_state *back;
	struct case_start start;

	walk_pause(s);
	case_begin(s, &start);
	r->before = start.before;
	dump_take(&r->dump, s, "boundary", r->id.event, cpu_cpl(&r->before));
	s->judge.broke = at_breach;
	s->judge.context = &here;
	case_inject(s, &start, r->id.event, &options, &r->result);
	trace_event(&r->trace, s, &start, r->id.event, &r->result);
	back = back_at(&r->stops);
	if (back) {
		trace_add(&r->trace, s, TRACE_BACK, back);
		r->trace.at[r->trace.count - 1].broken = r->result.breach.broken;
	}
	if (!r->result.breach.broken && !r->result.death && !s->judge.muted && !event_asks(r->id.event) &&
	    !case_switches(s, &start.before, r->id.event))
		case_run_to_end(s, &start, r->id.event, &r->result);    /* as the sampled cases of a run */
	s->judge.broke = NULL;
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
static void print_base(FILE *f, const struct session *s, uint64_t base)
{
	const char *whose = base == s->layout.k_own ? (base == s->u ? "K=U" : "K") : base == s->u ? "U" : "-";

	fprintf(f, "%#-18lx %-4s", (unsigned long)base, whose);
}

static void print_state(FILE *f, const struct replay *r, const struct session *s, const char *stop, const struct cpu_state *c)
{
	char name[160], line[300];

	elf_name(r->bench->elf, c->rip, name, sizeof(name));
	elf_line(r->bench->elf, c->rip, line, sizeof(line));
	fprintf(f, "  %-14s %u   ", stop, cpu_cpl(c));
	print_base(f, s, c->a);
	print_base(f, s, c->i);
	fprintf(f, "%#-18lx  %s%s%s%s\n", (unsigned long)c->gpr[GPR_RSP], name, *line ? "  (" : "", line, *line ? ")" : "");
}

static void print_table(FILE *f, const struct replay *r, const struct session *s)
{
	fprintf(f, "  K = %#lx, U = %#lx\n", (unsigned long)s->layout.k_own, (unsigned long)s->u);
	fprintf(f, "  %-14s %s %-22s %-22s %-18s  %s\n", "stop", "CPL", "A", "I", "RSP", "about to execute");
	print_state(f, r, s, "boundary", &r->before);
	for (unsigned n = 0; n < r->stops.count; n++)
		print_state(f, r, s, r->stops.at[n].name, &r->stops.at[n].now);
}

static void print_verdict(FILE *f, const struct replay *r)
{
	const struct breach *b = &r->result.breach, *golden = &r->unit->golden.breach;

	if (r->unit->golden.broken)
		fprintf(f, "  golden: %s is broken at the %s: %s\n  what the golden run breaks is not judged again\n",
		       rule_name(golden->rule), golden->at, golden->detail);
	if (b->broken)
		fprintf(f, "  %s is broken at the %s: %s\n", rule_name(b->rule), b->at, b->detail);
	else
		fprintf(f, "  no %srule is broken\n", r->unit->golden.broken ? "other " : "");
	if (!b->broken && r->result.death)
		fprintf(f, "  the predicted death has come, %s: %s\n", death_name(r->result.death), death_meaning(r->result.death));
}

void replay_print(FILE *f, const struct replay *r, const struct session *s)
{
	fprintf(f, "case %s\n", r->text);
	print_table(f, r, s);
	print_verdict(f, r);
	trace_print(f, &r->trace, s, r->id.event);
}

bool replay_case(struct replay *r, struct session *s, char *err, size_t err_size)
{
	struct walk_result again;

	if (!session_open(s, r->bench, &r->unit->unit, err, err_size))
		return false;
	s->turns = r->id.turns;                 /* whatever the scenario has */
	s->judge.muted = r->unit->golden.broken;
	walk_golden(s, visit, r, &again);
	if (again.visits > r->target) {
		smp_select(s, r->unit->map.at[r->target].cpu);  /* of which the table speaks */
		return true;
	}
	snprintf(err, err_size, "%s: the golden run is not repeatable", r->text);
	session_close(s);
	return false;
}

void replay_free(struct replay *r)
{
	around_free(&r->around);
	trace_free(&r->trace);
}
