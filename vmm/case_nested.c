/* SPDX-License-Identifier: MIT */
/* case_nested.c: an NMI inside an NMI, followed until the outer one is back at the boundary where it came. */
#include "vmm/case_nested.h"

#include <string.h>

#include "vmm/ahead.h"
#include "vmm/case_flight.h"
#include "vmm/case_return.h"
#include "vmm/hash.h"
#include "vmm/inject.h"

#define MAX_STOPS 200                   /* two rounds through the handler have about twenty */

bool case_is_in_nmi(const struct session *s, const struct case_start *start)
{
	return s->raised.active && s->raised.event == EVENT_NMI && !cpu_cpl(&start->before);
}

bool case_is_nested(const struct session *s, const struct case_start *start, enum event event)
{
	return case_is_in_nmi(s, start) && event == EVENT_NMI;
}

bool case_has_opened(const struct session *s, const struct case_start *start, const struct cpu_state *back)
{
	return case_is_in_nmi(s, start) && start->before.nmi_masked && !back->nmi_masked;
}

/* What the golden run has where the outer NMI is back; the same for every boundary of its handler. */
bool case_run_to_outer_ahead(struct session *s, const struct case_start *start)
{
	struct stop stop;

	if (s->outer && s->outer->key == s->raised.number)
		return !s->outer->ends;
	stop = case_run_to(s, &s->raised.before);
	ahead_keep(&s->outer, s, s->raised.number);
	s->outer->ends = stop.kind != STOP_BOUNDARY;
	case_put_back(s, start, false, true);
	return !s->outer->ends;
}

static void set_stops(struct flight *f)
{
	const struct layout *l = &f->s->layout;

	stops_set(&f->s->stops, l->gate[event_vector(EVENT_NMI)]);
	stops_set(&f->s->stops, l->event[EVENT_NMI].handler);
	stops_set(&f->s->stops, l->event[EVENT_NMI].body);
	for (unsigned n = 0; n < l->returns_count; n++)
		stops_set(&f->s->stops, l->returns[n]);
	stops_set(&f->s->stops, f->in.before->rip);
	stops_set(&f->s->stops, f->s->raised.before.rip);
}

/* On the NMI stack there is one NMI to the outside, whoever handles it: the outermost. So it is on the thread stack, where one
 * from CPL 3 is handled; there another one that interrupts it is an NMI like any other. */
static const struct cpu_state *interrupted(struct flight *f, gva_t frame)
{
	const struct layout *l = &f->s->layout;
	unsigned handled_on = layout_stack(l, frame), at = layout_stack(l, f->in.before->gpr[GPR_RSP]);
	bool thread = handled_on != LAYOUT_STACK_USER && !l->stack[handled_on].vectors;

	return thread || handled_on == at ? &f->s->raised.before : f->in.before;
}

/* The judge compares with what this call must have in its frame; the nested event itself keeps its boundary. */
static void judge_as(struct flight *f, gva_t frame, void (*stop)(struct flight *f))
{
	const struct cpu_state *boundary = f->in.before;

	f->in.before = interrupted(f, frame);
	stop(f);
	f->in.before = boundary;
}

/* A masked NMI on arrival: it has taken the place of the one that it interrupted, and its own IRET is still to come. */
static void at_boundary(struct flight *f)
{
	f->back = true;
	flight_look(f, CASE_BACK);
	f->in.masked = !f->iret;
	judge_check(&f->s->judge, RULE_DELIVERY, f->at_gate, "the nested nmi was not delivered: no stop at its gate");
	judge_back(&f->s->judge, &f->in, &f->now);
	f->s->judge.nested = true;
	case_judge_memory(f);
	f->s->judge.nested = false;
	case_judge_tracked(f, f->s->machine.reference);
	set_stops(f);
}

/* The outer NMI's own return to user code is judged against the program as it will be there. */
static const struct model *user_of(const struct session *s)
{
	return cpu_cpl(&s->raised.before) ? &s->next : &s->model;
}

/* Everything that either way wrote is compared with the way without the event. */
static void judge_outer(struct flight *f)
{
	const struct ahead *a = f->s->outer;
	struct injected outer = f->in;

	outer.before = &a->state;
	outer.user = user_of(f->s);
	outer.masked = false;
	f->done = true;
	flight_look(f, CASE_OUTER);
	judge_back(&f->s->judge, &outer, &f->now);
	case_judge_text(f);
	case_judge_ram(f->s, outer.before, a->ram, a, f->options->all_memory);
	case_judge_tracked(f, a->ram);
	case_judge_counters(f, a->ram);
	judge_check(&f->s->judge, RULE_PROGRESS, true, " ");
}

static void at_outer(struct flight *f)
{
	judge_outer(f);
	judge_check(&f->s->judge, RULE_DELIVERY, f->at_gate, "the nested nmi was not delivered: no stop at its gate");
	judge_check(&f->s->judge, RULE_MASKING, f->at_handler, "the nested nmi was not handled: no C handler was called");
}

/* The outer NMI's stacks are idle there, and dead. */
static void allow_outer_stacks(struct session *s)
{
	const struct layout *l = &s->layout;

	s->judge.stacks |= 1u << (layout_stack_of(l, event_vector(EVENT_NMI), 0) - l->stack);
	if (cpu_cpl(&s->raised.before))
		s->judge.stacks |= 1u << (layout_stack_of(l, 0, 3) - l->stack);
}

void case_follow_outer(struct flight *f)
{
	struct session *s = f->s;
	struct stop stop;

	allow_outer_stacks(s);
	stop = case_run_to(s, &s->raised.before);
	if (stop.kind == STOP_BOUNDARY)
		judge_outer(f);
	else
		flight_died(f, &stop);
}

static void at_stop(struct flight *f)
{
	const struct event_code *code = &f->s->layout.event[EVENT_NMI];
	const struct kvm_regs *regs = machine_regs(&f->s->machine);

	if (case_stands_at(f->s, &f->s->raised.before))
		at_outer(f);
	else if (!f->back && (f->iret || f->at_handler) && case_stands_at(f->s, f->in.before))
		at_boundary(f);
	else if (!f->at_gate && regs->rip == f->s->layout.gate[event_vector(EVENT_NMI)])
		flight_gate(f);
	else if (regs->rip == code->handler)
		judge_as(f, regs->rdi, flight_handler);
	else if (regs->rip == code->body)
		judge_as(f, regs->rdi, flight_body);
	else if (case_is_return(&f->s->layout, regs->rip))
		flight_return(f);
}

/* No stop is lifted: the handler may be called again and again, and each call is judged. */
static void fly(struct flight *f)
{
	struct stop stop = run_to_stop(&f->s->run);

	for (unsigned n = 0; stop.kind == STOP_BOUNDARY && n < MAX_STOPS; n++) {
		at_stop(f);
		if (f->done)
			return;
		stop = run_past(&f->s->run);
	}
	if (stop.kind == STOP_BOUNDARY)
		stop = (struct stop){ STOP_HANG, 0 };
	flight_died(f, &stop);
}

static void start_flight(struct flight *f)
{
	struct session *s = f->s;

	judge_begin(&s->judge);
	judge_allow_stacks(&s->judge, &f->in);
	allow_outer_stacks(s);
	machine_restore_core(&s->machine, &f->start->state);
	machine_events(&s->machine)->nmi.masked = 0;
	machine_touched_events(&s->machine);
	stops_clear(&s->stops);
	set_stops(f);
	inject_event(&s->machine, EVENT_NMI, &f->start->state);
}

void case_nested(struct session *s, const struct case_start *start, const struct case_options *options,
		 struct case_result *out)
{
	struct cpu_state open = start->before;
	struct flight f = {
		.s = s, .start = start, .options = options, .out = out, .nested = true,
		.in = { EVENT_NMI, INJECT_DR6, &open, user_of(s), true, false },
	};

	if (!case_run_to_outer_ahead(s, start))
		return;                 /* the golden run ends in its handler: that has been told */
	open.nmi_masked = false;
	start_flight(&f);
	fly(&f);
	out->breach = s->judge.breach;
	if (out->breach.broken)
		out->hash = hash_bytes(out->hash, out->breach.detail, strlen(out->breach.detail));
	s->run.boundary = start->before.rip;
	case_put_back(s, start, false, true);
}
