/* SPDX-License-Identifier: MIT */
/* walk.c: the golden run, boundary by boundary, over the carpet. */
#include "vmm/walk_way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/case_context.h"
#include "vmm/death.h"
#include "vmm/die.h"
#include "vmm/smp.h"

#define WALK_LIMIT 200000               /* boundaries: a workload that visits more does not end */

static enum gs_class classify(const struct session *s, uint64_t base)
{
	if (base == s->layout.k_own)
		return CLASS_K;
	return base == s->model.gs_base || base == s->next.gs_base ? CLASS_U : CLASS_OTHER;
}

static uint32_t count_visit(struct walk *w, uint64_t rip)
{
	const struct stops *t = &w->s->stops;

	for (unsigned n = 0; n < t->ranges && w->visitor; n++)
		if (rip - t->range[n].va < t->range[n].size)
			return ++w->on->visits[n][rip - t->range[n].va];
	return 0;
}

static void describe(struct walk *w, struct visit *v)
{
	const struct cpu_state *c = &w->on->now;
	const struct session *s = w->s;

	*v = (struct visit){
		.rip = c->rip, .number = count_visit(w, c->rip), .cpl = cpu_cpl(c), .cpu = s->machine.cpu,
		.a = classify(s, c->a), .i = classify(s, c->i), .a_value = c->a, .i_value = c->i,
		.stack = cpu_cpl(c) ? LAYOUT_STACK_USER : layout_stack(&s->layout, c->gpr[GPR_RSP]),
		.interrupts = c->rflags & RFLAGS_IF, .direction = c->rflags & RFLAGS_DF,
		/* an instruction that faulted did not complete: its watchpoint has not fired */
		.after_access = w->on->last_insn.touches_memory && layout_gate_vector(&s->layout, c->rip) < 0,
		.entered = w->on->judge.from_user, .boots = !w->on->judge.been_user, .no_idt = !c->idt_limit,
		.no_timer = !cpu_cpl(c) && scenario_timer_migrates(s->unit.scenario),
		.shadow = w->on->last_insn.is_sets_shadow,
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
	const uint8_t *bytes = stops_text(&w->s->stops, w->on->now.rip, &left);

	if (!bytes || !decode_insn(bytes, left, w->on->now.rip, &w->on->last_insn))
		w->on->last_insn = (struct insn){ 0 };
}

/* The stop at the current boundary is lifted for one instruction and set again; an interrupt from another CPU comes before. Where it
 * is the other CPU's turn, that one stands at a boundary already. */
static struct stop step(struct walk *w)
{
	struct session *s = w->s;
	uint64_t rip = w->on->now.rip;
	struct stop stop;

	if (!smp_take_interrupt(s))
		stops_lift(&s->stops, rip);
	stop = run_to_stop(&s->run);
	stops_set(&s->stops, rip);
	if (stop.kind == STOP_TURN && smp_turn(s)) {
		w->on = &w->cpu[s->machine.cpu];
		w->on->judge.turned = true;
		stop.kind = STOP_BOUNDARY;
	}
	return stop;
}

void walk_note_breach(struct walk *w)
{
	struct breach *b = &w->s->judge.breach;

	if (!b->broken)
		return;
	if (!w->out->broken)
		w->out->breach = *b;
	w->out->broken |= w->s->judge.broken;
	judge_begin(&w->s->judge);
}

static uint64_t asked_on(const struct session *s, unsigned cpu)
{
	uint64_t asked = 0;

	for (unsigned n = 0; n < s->cpus; n++)
		asked += (n == s->running ? &s->next : &s->thread[n].next)->rescheduled[cpu];
	return asked;
}

/* What threads have asked for has been done by their end, on each CPU. One CPU's work is judged on each way to user code.
 * An event can make two requests meet, which are then served as one. */
static void judge_all_work(struct session *s, bool golden)
{
	const struct layout *l = &s->layout;
	uint64_t done, asked;
	bool good;

	for (unsigned n = 0; n < l->exempts; n++) {
		if (l->exempt[n].vector != ABI_COUNTS_WORK)
			continue;
		session_read(s, l->exempt[n].addr, &done, sizeof(done));
		asked = asked_on(s, l->exempt[n].cpu);
		good = done == asked || (!golden && done && done < asked);
		judge_check(&s->judge, RULE_EXIT_WORK, good, "CPU %u has done %lu reschedules, must be %lu",
			    l->exempt[n].cpu, (unsigned long)done, (unsigned long)asked);
	}
}

static void end(struct walk *w, const struct stop *stop)
{
	struct session *s = w->s;
	char what[BREACH_DETAIL];

	judge_at(&s->judge, "end", &w->on->now);
	if (stop->kind == STOP_DONE) {
		const struct model *m = &s->next;

		bool ended = m->exited && smp_others_ended(s);

		w->out->completed = judge_check(&s->judge, RULE_PROGRESS, ended && stop->value == m->exit_code,
						"the workload ended with %lu, must be %s%lu", (unsigned long)stop->value,
						ended ? "" : "still running; ", (unsigned long)m->exit_code);
		if (s->cpus > 1)
			judge_all_work(s, w->visitor);
		return;
	}
	session_describe_stop(s, stop, what, sizeof(what));
	judge_check(&s->judge, RULE_PROGRESS, false, "%s", what);
}

/* One boundary: judged, described, shown to the visitor. */
bool walk_visit(struct walk *w)
{
	struct visit v;
	struct place p = { &v, w->index, &w->on->now };

	machine_get(&w->s->machine, MACHINE_CORE, &w->on->now);
	if (!w->s->mapped || walk_judge_needs_i(w->s, &w->on->now))
		machine_get(&w->s->machine, MACHINE_I, &w->on->now);
	smp_follow(w->s);
	walk_judge(&w->on->judge, w->s, &w->on->now);
	if (w->s->raised.active)        /* its handler disarms DR7 */
		machine_get(&w->s->machine, MACHINE_DEBUG, &w->on->now);
	walk_note_breach(w);
	if (w->on->judge.lost)
		return false;
	describe(w, &v);
	if (w->s->unit.scenario->shows >> SHOW_EXECUTED & 1)
		walk_tally(&w->on->tally, w->s, &w->on->now);
	w->out->kernel_instructions += v.cpl == 0;
	w->index++;
	return !w->visitor || w->visitor(w->s, &p, w->context);
}

/* From a boundary that has been visited to the next. */
bool walk_on(struct walk *w)
{
	struct stop stop;

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

static void begin(struct walk *w)
{
	struct session *s = w->s;
	unsigned first = s->machine.cpu;

	for (unsigned cpu = 0; cpu < s->cpus; cpu++) {
		w->on = &w->cpu[cpu];
		walk_tally_begin(&w->on->tally, s);
		for (unsigned n = 0; n < s->stops.ranges; n++)
			w->on->visits[n] = xcalloc(s->stops.range[n].size, sizeof(uint32_t));
		smp_select(s, cpu);
		machine_get(&s->machine, MACHINE_ALL, &w->on->now);
	}
	smp_select(s, first);
	w->on = &w->cpu[first];
}

void walk_golden(struct session *s, walk_visitor visitor, void *context, struct walk_result *out)
{
	struct walk w = { .s = s, .visitor = visitor, .context = context, .out = out };

	memset(out, 0, sizeof(*out));
	begin(&w);
	s->walk = &w;
	walk_resume(s);
	while (walk_visit(&w) && walk_on(&w))
		;
	walk_note_breach(&w);
	walk_pause(s);
	s->walk = NULL;
	out->visits = w.index;
	for (unsigned n = 0; n < ABI_EXITS; n++) {
		memcpy(out->exits[n].name, s->layout.exit[n].name, sizeof(out->exits[n].name));
		out->exits[n].count = s->exits.made[n];
	}
	for (unsigned cpu = 0; cpu < s->cpus; cpu++) {
		tally_add(&out->tally, &w.cpu[cpu].tally.tally);
		for (unsigned n = 0; n < s->stops.ranges; n++)
			free(w.cpu[cpu].visits[n]);
	}
}
