/* SPDX-License-Identifier: MIT */
/* walk.c: the golden run, boundary by boundary, over the carpet. */
#include "vmm/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/case_context.h"
#include "vmm/death.h"
#include "vmm/die.h"
#include "vmm/walk_judge.h"

#define WALK_LIMIT 200000               /* boundaries: a workload that visits more does not end */

struct walk {
	struct session *s;
	struct walk_judge judge;
	struct cpu_state now;
	struct insn last_insn;          /* at the boundary before; length 0 if there was none */
	uint32_t *visits[STOPS_RANGES]; /* by offset into each text range */
	size_t index;
	struct walk_result *out;
};

static enum gs_class classify(const struct session *s, uint64_t base)
{
	if (base == s->layout.k_own)
		return CLASS_K;
	return base == s->model.gs_base || base == s->next.gs_base ? CLASS_U : CLASS_OTHER;
}

static uint32_t count_visit(struct walk *w, uint64_t rip)
{
	const struct stops *t = &w->s->stops;

	for (unsigned n = 0; n < t->ranges; n++)
		if (rip - t->range[n].va < t->range[n].size)
			return ++w->visits[n][rip - t->range[n].va];
	return 0;
}

static bool is_gate(const struct session *s, uint64_t rip)
{
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		if (s->layout.gate[n] == rip)
			return true;
	return false;
}

static void describe(struct walk *w, struct visit *v)
{
	const struct cpu_state *c = &w->now;
	const struct session *s = w->s;

	*v = (struct visit){
		.rip = c->rip, .number = count_visit(w, c->rip), .cpl = cpu_cpl(c),
		.a = classify(s, c->a), .i = classify(s, c->i), .a_value = c->a, .i_value = c->i,
		.stack = cpu_cpl(c) ? LAYOUT_STACK_USER : layout_stack(&s->layout, c->gpr[GPR_RSP]),
		.interrupts = c->rflags & RFLAGS_IF, .direction = c->rflags & RFLAGS_DF,
		/* an instruction that faulted did not complete: its watchpoint has not fired */
		.after_access = w->last_insn.touches_memory && !is_gate(s, c->rip),
		.entered = w->judge.from_user,
		.shadow = w->last_insn.is_sets_shadow,
		.dr7_armed = c->dr7 != ABI_DR7_DISARMED,
		.nmi_masked = c->nmi_masked, .raised = s->raised.active ? event_vector(s->raised.event) : 0,
		.nested = s->raised.active && s->raised.nested,
		.context_user = case_context(w->s).state == ABI_CONTEXT_USER,
		.no_ist = death_predict(&s->layout, c, EVENT_GP) == DEATH_NO_IST,
		.db_mixes = s->raised.active && s->raised.event == EVENT_DB && !death_predict(&s->layout, c, EVENT_DB),
	};
}

static void remember_insn(struct walk *w)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&w->s->stops, w->now.rip, &left);

	if (!bytes || !decode_insn(bytes, left, w->now.rip, &w->last_insn))
		w->last_insn = (struct insn){ 0 };
}

/* The stop at the current boundary is lifted for one instruction and set again. */
static struct stop step(struct walk *w)
{
	struct session *s = w->s;
	uint64_t rip = w->now.rip;
	struct stop stop;

	stops_lift(&s->stops, rip);
	stop = run_to_stop(&s->run);
	stops_set(&s->stops, rip);
	return stop;
}

static void note_breach(struct walk *w)
{
	struct breach *b = &w->s->judge.breach;

	if (!b->broken)
		return;
	if (!w->out->broken)
		w->out->breach = *b;
	w->out->broken |= w->s->judge.broken;
	judge_begin(&w->s->judge);
}

static void end(struct walk *w, const struct stop *stop)
{
	struct session *s = w->s;
	char what[BREACH_DETAIL];

	judge_at(&s->judge, "end", &w->now);
	if (stop->kind == STOP_DONE) {
		const struct model *m = &s->next;

		w->out->completed = judge_check(&s->judge, RULE_PROGRESS, m->exited && stop->value == m->exit_code,
						"the workload ended with %lu, must be %s%lu", (unsigned long)stop->value,
						m->exited ? "" : "still running; ", (unsigned long)m->exit_code);
		return;
	}
	session_describe_stop(s, stop, what, sizeof(what));
	judge_check(&s->judge, RULE_PROGRESS, false, "%s", what);
}

/* One boundary: judged, described, shown to the visitor. */
static bool visit(struct walk *w, walk_visitor visitor, void *context)
{
	struct visit v;
	struct place p = { &v, w->index, &w->now };

	machine_get(&w->s->machine, MACHINE_CORE, &w->now);
	if (!w->s->mapped || walk_judge_needs_i(w->s, &w->now))
		machine_get(&w->s->machine, MACHINE_I, &w->now);
	walk_judge(&w->judge, w->s, &w->now);
	if (w->s->raised.active)        /* its handler disarms DR7 */
		machine_get(&w->s->machine, MACHINE_DEBUG, &w->now);
	note_breach(w);
	if (w->judge.lost)
		return false;
	describe(w, &v);
	w->out->kernel_instructions += v.cpl == 0;
	w->index++;
	return visitor(w->s, &p, context);
}

static bool walk_on(struct walk *w, walk_visitor visitor, void *context)
{
	struct stop stop;

	if (!visit(w, visitor, context))
		return false;
	remember_insn(w);
	if (w->index == WALK_LIMIT) {
		judge_check(&w->s->judge, RULE_PROGRESS, false, "no end after %u boundaries", WALK_LIMIT);
		return false;
	}
	stop = step(w);
	if (stop.kind == STOP_BOUNDARY)
		return true;
	end(w, &stop);
	return false;
}

void walk_pause(struct session *s)
{
	stops_clear(&s->stops);
	s->run.report_faults = false;
}

void walk_resume(struct session *s)
{
	judge_begin(&s->judge);         /* what a visitor judged is no matter of the golden run */
	stops_carpet(&s->stops);
	s->run.report_faults = true;
}

void walk_golden(struct session *s, walk_visitor visitor, void *context, struct walk_result *out)
{
	struct walk w = { .s = s, .out = out };

	memset(out, 0, sizeof(*out));
	for (unsigned n = 0; n < s->stops.ranges; n++)
		w.visits[n] = xcalloc(s->stops.range[n].size, sizeof(uint32_t));
	walk_resume(s);
	machine_get(&s->machine, MACHINE_ALL, &w.now);
	while (walk_on(&w, visitor, context))
		;
	note_breach(&w);
	walk_pause(s);
	out->visits = w.index;
	for (unsigned n = 0; n < ABI_EXITS; n++) {
		memcpy(out->exits[n].name, s->layout.exit[n].name, sizeof(out->exits[n].name));
		out->exits[n].count = s->exits.made[n];
	}
	for (unsigned n = 0; n < s->stops.ranges; n++)
		free(w.visits[n]);
}
