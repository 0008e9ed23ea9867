/* SPDX-License-Identifier: MIT */
/* walk_judge.c: which rules apply at which boundary of the golden run: gates and C handlers of ordinary exceptions and
 * SYSCALL, return instructions, and every boundary at CPL 3. */
#include "vmm/walk_judge.h"

#include <string.h>

#include "vmm/case_return.h"
#include "vmm/case_work.h"
#include "vmm/inject.h"
#include "vmm/smp.h"
#include "vmm/walk_watch.h"

#define FIRST_INTERRUPT 32

/* Vectors of the golden run that push an error code (SDM vol. 3, table 6-1). */
static bool pushes_error(unsigned vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* A gate without IST must not be used in a window, but by the faults that the guest declares. */
static void judge_declared(struct session *s, const struct cpu_state *before, unsigned vector)
{
	bool declared = cpu_cpl(before) || before->a == s->layout.k_own || layout_fixup(&s->layout, before->rip);

	judge_check(&s->judge, RULE_PROGRESS, declared, "vector %u at CPL 0 while A is %#lx, and no fixup is declared there", vector,
		    (unsigned long)before->a);
}

/* The user code that an IRET is going to: its five words, and the registers, which are the user's already. */
static struct cpu_state target_of_iret(const struct cpu_state *iret, struct session *s)
{
	struct cpu_state target = *iret;
	struct hardware_frame f;

	session_read(s, iret->gpr[GPR_RSP], &f, sizeof(f));
	target.rip = f.rip;
	target.cs = f.cs;
	target.rflags = f.rflags;
	target.gpr[GPR_RSP] = f.rsp;
	target.ss = f.ss;
	return target;
}

/* After an IRET to user code comes the gate of a fault: the IRET's own, which belongs to that user code, or that of the user's
 * first fetch, where the host does not look at RIP before. */
static void fault_of_iret(struct walk_judge *w, struct session *s)
{
	struct cpu_state target = target_of_iret(&w->last, s);

	w->refused_iret = s->bench->facts.iret_checks_rip || cpu_is_canonical(target.rip);
	w->entered = target;
	if (w->refused_iret)
		return;
	w->last = target;
	w->from_user = true;
}

/* The event of an IST gate, EVENT_COUNT for other vectors. */
static enum event event_of(unsigned vector)
{
	for (enum event e = 0; e < EVENT_NMI_LIKE; e++)
		if (event_vector(e) == vector)
			return e;
	return EVENT_COUNT;
}

static struct injected raised_event(struct session *s)
{
	return (struct injected){ s->raised.event, s->raised.dr6, &s->raised.before, &s->model, false, false };
}

/* The length of the OUT by which the guest has sent itself this event; 0 if the instruction was another. */
static unsigned raising_length(const struct session *s, const struct cpu_state *at, enum event event)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&s->stops, at->rip, &left);

	if (!bytes || left < 2 || (at->gpr[GPR_RAX] & 0xff) != event_vector(event))
		return 0;
	if (bytes[0] == 0xe6)
		return bytes[1] == ABI_PORT_IPI ? 2 : 0;
	return bytes[0] == 0xee && (at->gpr[GPR_RDX] & 0xffff) == ABI_PORT_IPI;
}

/* It came at the boundary after the OUT, or after the instruction that hit, which the walk has not seen yet. Delivery has changed
 * neither A nor I. */
static void at_raised_gate(struct walk_judge *w, struct session *s, const struct cpu_state *now, enum event event)
{
	struct raised *r = &s->raised;
	unsigned length = raising_length(s, &w->last, event);
	bool hit = w->hit && event == EVENT_DB;
	struct hardware_frame f;
	struct injected in;

	judge_at(&s->judge, "gate", now);
	if (!judge_check(&s->judge, RULE_PROGRESS, hit || length, "%s came, and nobody has raised it", event_name(event)))
		return;
	*r = (struct raised){
		.active = true, .number = r->number + 1, .event = event, .dr6 = hit ? WATCH_DR6 : INJECT_DR6,
		.before = hit ? w->after_hit : w->last,
	};
	r->before.rip += hit ? 0 : length;
	r->before.i = now->i;
	in = raised_event(s);
	session_read(s, now->gpr[GPR_RSP], &f, sizeof(f));
	judge_gate(&s->judge, &in, now, &f);
}

/* A gate's first instruction is also somebody's jump away: delivery leaves RSP five words below the top. */
static bool is_delivered(const struct session *s, const struct cpu_state *now, enum event event)
{
	const struct kernel_stack *own = layout_stack_of(&s->layout, event_vector(event), 0);

	return own && now->gpr[GPR_RSP] == own->base + own->size - sizeof(struct hardware_frame);
}

/* Of two at a time only the first is followed; the other must have been raised all the same. */
static void at_gate_inside(struct walk_judge *w, struct session *s, const struct cpu_state *now, enum event event)
{
	if (!is_delivered(s, now, event))
		return;
	judge_at(&s->judge, "gate", now);
	judge_check(&s->judge, RULE_PROGRESS, raising_length(s, &w->last, event), "%s came inside the handler of %s, and nobody has raised it",
		    event_name(event), event_name(s->raised.event));
	s->raised.nested = true;
}

static void at_raised_stop(struct session *s, struct cpu_state *now)
{
	const struct event_code *code = &s->layout.event[s->raised.event];
	struct injected in = raised_event(s);
	struct abi_frame saved;

	if (now->rip == code->handler) {
		session_read(s, now->gpr[GPR_RDI], &saved, sizeof(saved));
		judge_at(&s->judge, "handler", now);
		judge_handler(&s->judge, &in, now, &saved);
	} else if (now->rip == code->body) {
		machine_get(&s->machine, MACHINE_DEBUG, now);
		judge_at(&s->judge, "body", now);
		judge_body(&s->judge, &in, now);
	} else if (now->rip == in.before->rip && now->gpr[GPR_RSP] == in.before->gpr[GPR_RSP]) {
		machine_get(&s->machine, MACHINE_DEBUG, now);
		judge_at(&s->judge, "back", now);
		judge_raised_back(&s->judge, &in, now);
		s->raised.active = false;
	}
}

static void at_gate(struct walk_judge *w, struct session *s, const struct cpu_state *now, unsigned vector)
{
	struct hardware_frame f;

	unsigned error_bytes = pushes_error(vector) ? 8 : 0;

	session_read(s, now->gpr[GPR_RSP] + error_bytes, &f, sizeof(f));
	w->entered = w->last;
	w->refused_iret = false;
	if (cpu_cpl(&w->last) == 0 && layout_fixup(&s->layout, w->last.rip) == ABI_FIXUP_IRET)
		fault_of_iret(w, s);
	judge_at(&s->judge, "gate", now);
	judge_ordinary_gate(&s->judge, &w->last, now, &f, error_bytes);
	judge_declared(s, &w->last, vector);
	if (vector >= FIRST_INTERRUPT && w->from_user)
		s->next = s->model;             /* the instruction there is still to come */
}

static void at_handler(struct walk_judge *w, struct session *s, const struct cpu_state *now, const struct c_handler *h)
{
	struct abi_frame f;

	session_read(s, now->gpr[GPR_RDI], &f, sizeof(f));
	judge_at(&s->judge, "handler", now);
	if (w->refused_iret)
		judge_refused_iret(&s->judge, &w->entered, now, &f, &s->model);
	else
		judge_ordinary_handler(&s->judge, &w->entered, now, &f, h->vector, &s->model);
	if (h->vector == ABI_VECTOR_CALL)
		smp_called(s);
}

static void in_kernel(struct walk_judge *w, struct session *s, struct cpu_state *now)
{
	const struct layout *l = &s->layout;

	w->from_user = cpu_cpl(&w->last) == 3;
	if (w->from_user) {
		w->entered = w->last;
		w->refused_iret = false;
	}
	if (case_is_return(l, w->last.rip))
		s->raised.nested = false;
	if (s->raised.active)
		at_raised_stop(s, now);
	for (unsigned n = 0; n < LAYOUT_GATES; n++) {
		if (l->gate[n] != now->rip)
			continue;
		if (event_of(n) == EVENT_COUNT)
			at_gate(w, s, now, n);
		else if (s->raised.active)
			at_gate_inside(w, s, now, event_of(n));
		else
			at_raised_gate(w, s, now, event_of(n));
	}
	for (unsigned n = 0; n < LAYOUT_HANDLERS; n++)
		if (l->handler[n].addr == now->rip)
			at_handler(w, s, now, &l->handler[n]);
	case_judge_return(s, &s->next, now);
}

static void in_user(struct walk_judge *w, struct session *s, struct cpu_state *now)
{
	bool arrived = !w->started || cpu_cpl(&w->last) == 0;
	char err[200];

	w->from_user = false;
	w->been_user = true;
	if (arrived)
		machine_get(&s->machine, MACHINE_DEBUG, now);
	judge_at(&s->judge, "user", now);
	if (s->raised.active)
		judge_check(&s->judge, RULE_PROGRESS, cpu_cpl(&s->raised.before), "%s has not come back to the kernel code that it interrupted",
			    event_name(s->raised.event));
	s->raised.active = false;
	s->model = s->next;
	smp_asked(s);
	s->user_visits++;
	judge_user_boundary(&s->judge, &s->model, now, arrived);
	if ((arrived || w->turned) && !smp_is_told(s))
		judge_work(&s->judge, case_work_flags(s));
	if (model_step(&s->next, err, sizeof(err)))
		return;
	judge_check(&s->judge, RULE_PROGRESS, false, "%s", err);
	w->lost = true;
}

bool walk_judge_needs_i(const struct session *s, const struct cpu_state *now)
{
	const struct layout *l = &s->layout;

	if (cpu_cpl(now) || case_is_return(l, now->rip) || s->raised.active)
		return true;
	for (enum event e = 0; e < EVENT_NMI_LIKE; e++)
		if (l->gate[event_vector(e)] == now->rip)
			return true;
	for (unsigned n = 0; n < LAYOUT_HANDLERS; n++)
		if (l->handler[n].addr == now->rip)
			return true;
	return false;
}

/* What is watched was touched by the instruction before: nothing may come before its #DB. */
static void judge_hit(struct walk_judge *w, struct session *s, const struct cpu_state *now)
{
	w->hit = w->started && walk_watch_hit(s, &w->last, &w->after_hit);
	if (!w->hit)
		return;
	judge_at(&s->judge, "hit", now);
	judge_check(&s->judge, RULE_DEBUG, now->rip == s->layout.gate[event_vector(EVENT_DB)],
		    "what is watched was touched at %#lx, and no #DB came", (unsigned long)w->last.rip);
}

void walk_judge(struct walk_judge *w, struct session *s, struct cpu_state *now)
{
	judge_hit(w, s, now);
	if (cpu_cpl(now) == 0)
		in_kernel(w, s, now);
	else
		in_user(w, s, now);
	w->last = *now;
	w->turned = false;
	w->started = true;
}
