/* SPDX-License-Identifier: MIT */
/* case.c: one injection from a boundary to its verdict: gate, C handler, body, return instruction, back. */
#include "vmm/case.h"

#include <string.h>

#include "vmm/case_exit.h"
#include "vmm/case_flight.h"
#include "vmm/case_nested.h"
#include "vmm/case_return.h"
#include "vmm/case_switch.h"
#include "vmm/case_turns.h"
#include "vmm/case_work.h"
#include "vmm/hash.h"
#include "vmm/inject.h"
#include "vmm/msr.h"
#include "vmm/walk.h"

#define MAX_STOPS 64                    /* a good case has five; code shared with the interrupted one adds some */

void case_begin(struct session *s, struct case_start *start)
{
	machine_save(&s->machine, &start->state);
	memset(&start->before, 0, sizeof(start->before));
	machine_saved_state(&s->machine, &start->state, &start->before);
	machine_collect_dirty(&s->machine);
	machine_take_ram(&s->machine);
	s->begun++;
	s->run.boundary = start->before.rip;
}

static void set_stops(struct flight *f)
{
	struct stops *t = &f->s->stops;
	const struct layout *l = &f->s->layout;
	const struct event_code *code = &l->event[f->in.event];

	stops_clear(t);
	stops_set(t, l->gate[event_vector(f->in.event)]);
	stops_set(t, code->handler);
	stops_set(t, code->body);
	for (unsigned n = 0; n < l->returns_count; n++)
		stops_set(t, l->returns[n]);
	stops_set(t, f->start->before.rip);
}

static bool switches(const struct flight *f)
{
	return case_switches(f->s, f->in.before, f->in.event);
}

static void at_boundary(struct flight *f)
{
	f->done = f->back = true;
	flight_look(f, CASE_BACK);
	f->in.masked = f->in.before->nmi_masked && !f->iret;
	if (!judge_check(&f->s->judge, RULE_DELIVERY, f->at_gate, "%s was not delivered: no stop at its gate",
			 event_name(f->in.event)))
		return;
	judge_back(&f->s->judge, &f->in, &f->now);
	case_judge_back(f);
	case_turns_judge(f);
	if (event_asks(f->in.event) && !f->s->judge.breach.broken && !switches(f))
		case_finish_work(f->s, f->start);
}

/* The event's own code may execute the interrupted instruction itself, on its own stack: that is not the way back yet. */
static bool is_on_its_way(const struct flight *f, const struct kvm_regs *regs)
{
	const struct cpu_state *b = f->in.before;
	const struct kernel_stack *s = judge_stack_of(&f->s->judge, &f->in);

	return cpu_cpl(b) == 0 && regs->rsp != b->gpr[GPR_RSP] && regs->rsp > s->base && regs->rsp <= s->base + s->size;
}

/* Stops are lifted once they are passed, but the one at the boundary, until the event is back. */
static void at_stop(struct flight *f)
{
	const struct kvm_regs *regs = machine_regs(&f->s->machine);
	const struct event_code *code = &f->s->layout.event[f->in.event];
	uint64_t rip = regs->rip;

	f->on_its_way = rip == f->in.before->rip && is_on_its_way(f, regs);
	if (rip == f->in.before->rip && !f->on_its_way)
		at_boundary(f);
	else if (rip == f->s->layout.gate[event_vector(f->in.event)])
		flight_gate(f);
	else if (rip == code->handler)
		flight_handler(f);
	else if (rip == code->body)
		flight_body(f);
	else if (case_is_return(&f->s->layout, rip) && switches(f))
		case_fly_round(f, at_boundary);
	else if (case_is_return(&f->s->layout, rip))
		flight_return(f);
	if (!f->on_its_way)
		stops_lift(&f->s->stops, rip);
}

static void fly(struct flight *f)
{
	for (unsigned n = 0; !f->done; n++) {
		struct stop stop = f->on_its_way ? run_past(&f->s->run) : run_to_stop(&f->s->run);

		if (stop.kind != STOP_BOUNDARY)
			flight_died(f, &stop);
		else if (n < MAX_STOPS)
			at_stop(f);
		else
			flight_died(f, &(struct stop){ STOP_HANG, 0 });
	}
	if (f->back)
		judge_check(&f->s->judge, RULE_PROGRESS, true, " ");
}

void case_put_back(struct session *s, const struct case_start *start, bool good, bool elsewhere)
{
	stops_clear(&s->stops);
	if (good && !s->judge.muted) {
		machine_restore_core(&s->machine, &start->state);
		if (elsewhere) {                /* and perhaps at the end of the workload, where no RAM is compared */
			machine_set_msr(&s->machine, MSR_KERNEL_GS_BASE, start->before.i);
			machine_collect_dirty(&s->machine);
		}
	} else {
		machine_restore(&s->machine, &start->state);
		machine_collect_dirty(&s->machine);     /* a judged case has collected already */
	}
	machine_revert_ram(&s->machine);
}

static void start_flight(struct flight *f)
{
	f->s->run.ipi = 0;
	f->s->run.boundary = f->start->before.rip;
	judge_begin(&f->s->judge);
	judge_allow_stacks(&f->s->judge, &f->in);
	machine_restore_core(&f->s->machine, &f->start->state);
	case_work_flags(f->s);          /* finds where they lie: the case before may have been elsewhere */
	set_stops(f);
	if (event_is_told(f->in.event))
		case_ask(f->s);
	if (event_asks(f->in.event) && !cpu_cpl(f->in.before))
		judge_allow_thread_stack(&f->s->judge, f->s->next.current);
	if (!f->options->sabotage || !f->options->sabotage->withhold)
		inject_event(&f->s->machine, f->in.event, &f->start->state);
}

void case_inject(struct session *s, const struct case_start *start, enum event event,
		 const struct case_options *options, struct case_result *out)
{
	struct flight f = {
		.s = s, .start = start, .options = options, .out = out,
		.in = { event, INJECT_DR6, &start->before, &s->model, s->raised.active, false },
	};
	const struct exits exits = s->exits;
	struct walk_kept *kept;
	bool follow, opened, away;

	case_exit_start(s);
	out->hash = HASH_START;
	out->death = death_predict(&s->layout, &start->before, event);
	if (case_is_nested(s, start, event)) {
		case_nested(s, start, options, out);
		s->exits = exits;
		return;
	}
	if (event_asks(event) && !cpu_cpl(&start->before) && !out->death)
		case_run_ahead(s, start);
	follow = case_is_in_nmi(s, start) && start->before.nmi_masked && !out->death && case_run_to_outer_ahead(s, start);
	f.turns = !out->death && !event_is_fatal(event) && case_turns_ahead(s, start);
	away = event == EVENT_TIMER && scenario_timer_migrates(s->unit.scenario);
	kept = f.turns || away ? walk_keep(s) : NULL;
	start_flight(&f);
	if (out->death)
		case_fly_death(&f);
	else if (away)
		case_fly_away(&f);
	else if (!event_is_fatal(event))
		fly(&f);
	else                            /* the map plans no such visit: who asks for it is told */
		judge_check(&s->judge, RULE_PROGRESS, false, "no death by %s is predicted here", event_name(event));
	opened = f.back && case_has_opened(s, start, &f.now);
	follow = follow && f.back && !opened && !s->judge.breach.broken;
	if (follow)
		case_follow_outer(&f);
	out->breach = s->judge.breach;
	if (out->breach.broken)
		out->hash = hash_bytes(out->hash, out->breach.detail, strlen(out->breach.detail));
	if (kept)
		walk_bring_back(s, kept);
	case_put_back(s, start, !out->breach.broken && !out->death && !follow && !kept, event_asks(event) || s->judge.switched);
	if (!out->breach.broken && !out->death && opened)
		case_nested(s, start, options, out);
	s->exits = exits;
}
