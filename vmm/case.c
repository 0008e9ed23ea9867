/* SPDX-License-Identifier: MIT */
/* case.c: one injection from a boundary to its verdict: gate, C handler, body, return instruction, back. */
#include "vmm/case.h"

#include <string.h>

#include "vmm/case_flight.h"
#include "vmm/case_nested.h"
#include "vmm/case_return.h"
#include "vmm/case_turns.h"
#include "vmm/case_work.h"
#include "vmm/hash.h"
#include "vmm/inject.h"
#include "vmm/msr.h"
#include "vmm/walk.h"

#define MAX_STOPS 64                    /* a good case has five; code shared with the interrupted one adds some */

static const char *const stop_names[CASE_STOPS] = {
	[CASE_GATE] = "gate", [CASE_HANDLER] = "handler", [CASE_BODY] = "body",
	[CASE_RETURN] = "return", [CASE_BACK] = "back", [CASE_OUTER] = "outer back",
};

static const char *const nested_names[CASE_STOPS] = {
	[CASE_GATE] = "nested gate", [CASE_HANDLER] = "nested handler", [CASE_BODY] = "nested body",
	[CASE_RETURN] = "nested return", [CASE_BACK] = "nested back", [CASE_OUTER] = "outer back",
};

static const char *name_of(const struct flight *f, enum case_stop stop)
{
	return f->nested ? nested_names[stop] : stop_names[stop];
}

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

/* Which part of the state each stop is judged by. */
static unsigned parts_of(enum case_stop stop, const struct flight *f)
{
	switch (stop) {
	case CASE_HANDLER:
		return MACHINE_CORE | MACHINE_I;
	case CASE_BODY:
		return MACHINE_CORE | MACHINE_DEBUG;
	case CASE_RETURN:
		return cpu_cpl(f->in.before) || f->nested ? MACHINE_CORE | MACHINE_I : MACHINE_CORE;
	case CASE_BACK:
	case CASE_OUTER:
		return MACHINE_ALL;
	default:
		return MACHINE_CORE;
	}
}

void case_trace(struct flight *f, enum case_stop stop)
{
	struct case_trace *t = f->options->trace;

	if (!t || t->count == sizeof(t->at) / sizeof(t->at[0]))
		return;
	machine_get(&f->s->machine, MACHINE_I, &f->now);
	t->at[t->count].name = name_of(f, stop);
	t->at[t->count].stop = stop;
	t->at[t->count++].now = f->now;
	if (t->seen)
		t->seen(f->s, stop, t->context);
}

void flight_look(struct flight *f, enum case_stop stop)
{
	const struct sabotage *sabotage = f->options->sabotage;
	struct session *s = f->s;

	machine_get(&s->machine, parts_of(stop, f), &f->now);
	if (sabotage && sabotage->damage && sabotage->at == stop) {
		sabotage->damage(s, &f->now);
		machine_flush(&s->machine);     /* what is judged is what the engine has */
		machine_get(&s->machine, parts_of(stop, f), &f->now);
	}
	judge_at(&s->judge, name_of(f, stop), &f->now);
	f->out->hash = hash_bytes(f->out->hash, &f->now, sizeof(f->now));
	case_trace(f, stop);
}

void flight_gate(struct flight *f)
{
	struct hardware_frame pushed;

	flight_look(f, CASE_GATE);
	session_read(f->s, f->now.gpr[GPR_RSP], &pushed, sizeof(pushed));
	judge_gate(&f->s->judge, &f->in, &f->now, &pushed);
	f->out->hash = hash_bytes(f->out->hash, &pushed, sizeof(pushed));
	f->at_gate = true;
}

void flight_handler(struct flight *f)
{
	struct abi_frame saved;

	flight_look(f, CASE_HANDLER);
	session_read(f->s, f->now.gpr[GPR_RDI], &saved, sizeof(saved));
	judge_handler(&f->s->judge, &f->in, &f->now, &saved);
	judge_offered(&f->s->judge, &f->now);
	f->at_handler = true;
	f->out->hash = hash_bytes(f->out->hash, &saved, sizeof(saved));
	if (!f->s->layout.event[f->in.event].body)
		case_turns_take(f);
}

void flight_body(struct flight *f)
{
	flight_look(f, CASE_BODY);
	judge_body(&f->s->judge, &f->in, &f->now);
	f->at_body = true;
	case_turns_take(f);
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
	if (event_asks(f->in.event) && !f->s->judge.breach.broken)
		case_finish_work(f->s, f->start);
}

/* The event's own code may execute the interrupted instruction itself, on its own stack: that is not the way back yet. */
static bool is_on_its_way(const struct flight *f, const struct kvm_regs *regs)
{
	const struct cpu_state *b = f->in.before;
	const struct kernel_stack *s = layout_stack_of(&f->s->layout, event_vector(f->in.event), 0);

	return cpu_cpl(b) == 0 && regs->rsp != b->gpr[GPR_RSP] && regs->rsp > s->base && regs->rsp <= s->base + s->size;
}

void flight_return(struct flight *f)
{
	flight_look(f, CASE_RETURN);
	f->iret |= !case_is_sysret(f->s, f->now.rip);
	case_judge_return(f->s, f->in.user, &f->now);
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
	else if (case_is_return(&f->s->layout, rip))
		flight_return(f);
	if (!f->on_its_way)
		stops_lift(&f->s->stops, rip);
}

void flight_died(struct flight *f, const struct stop *stop)
{
	char what[BREACH_DETAIL];

	machine_get(&f->s->machine, MACHINE_CORE, &f->now);
	judge_at(&f->s->judge, "death", &f->now);
	session_describe_stop(f->s, stop, what, sizeof(what));
	judge_check(&f->s->judge, RULE_PROGRESS, false, "%s", what);
	f->done = true;
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
		if (elsewhere)
			machine_set_msr(&s->machine, MSR_KERNEL_GS_BASE, start->before.i);
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
	set_stops(f);
	if (event_asks(f->in.event))
		case_ask(f->s);
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
	struct walk_kept *kept;
	bool follow, opened;

	out->hash = HASH_START;
	out->death = death_predict(&s->layout, &start->before, event);
	if (case_is_nested(s, start, event)) {
		case_nested(s, start, options, out);
		return;
	}
	if (event_asks(event) && !cpu_cpl(&start->before) && !out->death)
		case_run_ahead(s, start);
	follow = case_is_in_nmi(s, start) && start->before.nmi_masked && !out->death && case_run_to_outer_ahead(s, start);
	f.turns = !out->death && !event_is_fatal(event) && case_turns_ahead(s, start);
	kept = f.turns ? walk_keep(s) : NULL;
	start_flight(&f);
	if (out->death)
		case_fly_death(&f);
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
	case_put_back(s, start, !out->breach.broken && !out->death && !follow && !kept, event_asks(event));
	if (!out->breach.broken && !out->death && opened)
		case_nested(s, start, options, out);
}
