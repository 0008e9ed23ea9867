/* SPDX-License-Identifier: MIT */
/* walk_judge.c: which rules apply at which boundary of the golden run: gates and C handlers of ordinary exceptions and
 * SYSCALL, return instructions, and every boundary at CPL 3. */
#include "vmm/walk_judge.h"

#include <string.h>

#include "vmm/case_context.h"
#include "vmm/case_exit.h"
#include "vmm/case_return.h"
#include "vmm/case_work.h"
#include "vmm/smp.h"
#include "vmm/vector.h"
#include "vmm/walk_raised.h"
#include "vmm/walk_watch.h"

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

static void at_gate(struct walk_judge *w, struct session *s, const struct cpu_state *now, unsigned vector)
{
	const unsigned error_bytes = vector_pushes_error(vector) ? 8 : 0;
	struct hardware_frame f;

	session_read(s, now->gpr[GPR_RSP] + error_bytes, &f, sizeof(f));
	w->entered = w->last;
	w->entered.i = now->i;          /* delivery has not changed it */
	w->refused_iret = false;
	if (cpu_cpl(&w->last) == 0 && layout_fixup(&s->layout, w->last.rip) == ABI_FIXUP_IRET)
		fault_of_iret(w, s);
	judge_at(&s->judge, "gate", now);
	judge_ordinary_gate(&s->judge, &w->last, now, &f, error_bytes);
	judge_declared(s, &w->last, vector);
	if (vector_is_interrupt(vector) && w->from_user)
		s->next = s->model;             /* the instruction there is still to come */
	if (s->next.asked)
		model_reschedule(&s->next);
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
	case_context_ordinary(s, w->refused_iret ? 3 : cpu_cpl(&w->entered));
	if (h->vector == ABI_VECTOR_CALL)
		smp_called(s);
	if (h->vector == ABI_VECTOR_TIMER && scenario_timer_migrates(s->unit.scenario))
		model_move(&s->next, !s->next.cpu);
}

static void in_kernel(struct walk_judge *w, struct session *s, struct cpu_state *now)
{
	const struct layout *l = &s->layout;

	if (!s->mapped && now->idt_limit) {     /* without an IDT nobody could see it */
		judge_at(&s->judge, "kernel", now);
		judge_inactive(&s->judge, now);
	}
	w->from_user = cpu_cpl(&w->last) == 3;
	if (w->from_user) {
		w->entered = w->last;
		w->refused_iret = false;
	}
	if (case_is_return(l, w->last.rip))
		s->raised.nested = false;
	if (s->raised.active)
		walk_raised_stop(s, now);
	for (unsigned n = 0; n < LAYOUT_GATES; n++) {
		if (l->gate[n] != now->rip)
			continue;
		if (walk_raised_of(n) == EVENT_COUNT)
			at_gate(w, s, now, n);
		else if (s->raised.active)
			walk_raised_inside(w, s, now, walk_raised_of(n));
		else
			walk_raised_gate(w, s, now, walk_raised_of(n));
	}
	for (unsigned n = 0; n < LAYOUT_HANDLERS; n++)
		if (l->handler[n].addr == now->rip)
			at_handler(w, s, now, &l->handler[n]);
	if (now->rip == l->exit_to_user) {
		judge_at(&s->judge, "exit", now);
		case_judge_context(s, CONTEXT_OF_KERNEL);
	}
	case_judge_return(s, &s->next, now);
}

/* What else is due where user code goes on after a stay in the kernel. */
static void judge_arrival(struct walk_judge *w, struct session *s, const struct cpu_state *now)
{
	if (!w->been_user)
		case_exit_begin(s);
	judge_breakpoints(&s->judge, now);
	case_exit_at_user(s);
	case_judge_context(s, CONTEXT_OF_USER);
}

static void in_user(struct walk_judge *w, struct session *s, struct cpu_state *now)
{
	bool arrived = !w->started || cpu_cpl(&w->last) == 0;
	char err[200];

	w->from_user = false;
	if (arrived)
		machine_get(&s->machine, MACHINE_DEBUG, now);
	judge_at(&s->judge, "user", now);
	if (s->raised.active)
		judge_check(&s->judge, RULE_PROGRESS, cpu_cpl(&s->raised.before), "%s has not come back to the kernel code that it interrupted",
			    event_name(s->raised.event));
	s->raised.active = false;
	s->model = s->next;
	s->model.rflags = (s->model.rflags & ~RFLAGS_RF) | (now->rflags & RFLAGS_RF);   /* a stop at CPL 3 may lose it */
	s->layout.thread = s->model.current;
	smp_asked(s);
	s->user_visits++;
	judge_user_boundary(&s->judge, &s->model, now, arrived);
	if (arrived)
		judge_arrival(w, s, now);
	w->been_user = true;
	if ((arrived || w->turned) && !smp_is_told(s))
		judge_work(&s->judge, case_work_flags(s), 0);
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
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		if (l->gate[n] == now->rip)
			return true;
	for (unsigned n = 0; n < LAYOUT_HANDLERS; n++)
		if (l->handler[n].addr == now->rip)
			return true;
	return false;
}

/* An interrupt before the user's instruction: at its gate the frame says so. */
static bool is_interrupt(const struct walk_judge *w, const struct session *s, const struct cpu_state *now)
{
	int vector = layout_gate_vector(&s->layout, now->rip);

	return cpu_cpl(&w->last) == 3 && vector >= 0 && vector_is_interrupt(vector);
}

/* What is watched was touched by the instruction before: nothing may come before its #DB. */
static void judge_hit(struct walk_judge *w, struct session *s, const struct cpu_state *now)
{
	w->hit = w->started ? walk_watch_due(s, &w->last, &w->after_hit) : 0;
	if (w->hit && is_interrupt(w, s, now))
		w->hit = 0;
	if (!w->hit)
		return;
	judge_at(&s->judge, "hit", now);
	judge_check(&s->judge, RULE_DEBUG, now->rip == s->layout.gate[event_vector(EVENT_DB)],
		    "%s at %#lx, and no #DB came", w->hit == STEP_DR6 ? "a single step was made" : w->hit == BREAK_DR6 ? "a breakpoint was come to" : "what is watched was touched",
		    (unsigned long)w->last.rip);
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
