/* SPDX-License-Identifier: MIT */
/* case_stop.c: what is read, kept and judged at each stop of a case. */
#include "vmm/case_context.h"
#include "vmm/case_exit.h"
#include "vmm/case_flight.h"
#include "vmm/case_return.h"
#include "vmm/case_turns.h"
#include "vmm/hash.h"

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

/* Which part of the state each stop is judged by. */
static unsigned parts_of(enum case_stop stop, const struct flight *f)
{
	unsigned always = f->s->judge.scheme == SCHEME_PURE ? MACHINE_CORE | MACHINE_I : MACHINE_CORE;

	switch (stop) {
	case CASE_HANDLER:
		return MACHINE_CORE | MACHINE_I;
	case CASE_BODY:
		return always | MACHINE_DEBUG;
	case CASE_RETURN:
		return cpu_cpl(f->in.before) || f->nested ? MACHINE_CORE | MACHINE_I : MACHINE_CORE;
	case CASE_BACK:
	case CASE_OUTER:
		return MACHINE_ALL;
	default:
		return always;
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
	if (event_base(f->in.event) == EVENT_NMI)
		case_exit_nmi_gate(f->s, f->in.before);
	f->out->hash = hash_bytes(f->out->hash, &pushed, sizeof(pushed));
	f->at_gate = true;
}

/* What the event, or the one that is handled in its place, has interrupted. */
static struct context context_before(const struct flight *f)
{
	const struct session *s = f->s;

	return f->in.before == &s->raised.before ? s->raised.context : case_context_in(s, s->machine.reference);
}

void flight_handler(struct flight *f)
{
	struct abi_frame saved;

	flight_look(f, CASE_HANDLER);
	session_read(f->s, f->now.gpr[GPR_RDI], &saved, sizeof(saved));
	judge_handler(&f->s->judge, &f->in, &f->now, &saved);
	case_context_handler(f->s, &f->in, context_before(f));
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
	case_context_body(f->s, context_before(f));
	f->at_body = true;
	case_turns_take(f);
}

void flight_return(struct flight *f)
{
	flight_look(f, CASE_RETURN);
	f->iret |= !case_is_sysret(f->s, f->now.rip);
	case_judge_return(f->s, f->in.user, &f->now);
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
