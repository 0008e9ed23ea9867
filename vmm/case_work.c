/* SPDX-License-Identifier: MIT */
/* case_work.c: a case whose handler asked for a reschedule: on from the boundary to user code, where it must be done. */
#include "vmm/case_work.h"

#include "vmm/ahead.h"
#include "vmm/case_context.h"
#include "vmm/case_exit.h"
#include "vmm/case_flight.h"
#include "vmm/case_return.h"
#include "vmm/case_switch.h"
#include "vmm/die.h"
#include "vmm/inject.h"
#include "vmm/smp.h"

#define MAX_STOPS 200                   /* between two boundaries at CPL 3 */
#define MAX_TURNS 10                    /* that are given away between two stops: more, and the guest waits for the other CPU */

uint64_t case_work_flags(struct session *s)
{
	uint64_t current, flags;

	session_read(s, s->layout.k_own + ABI_PERCPU_CURRENT, &current, sizeof(current));
	s->layout.thread_work = current + ABI_THREAD_WORK;
	session_read(s, s->layout.thread_work, &flags, sizeof(flags));
	return flags;
}

void case_ask(struct session *s)
{
	gpa_t at = s->layout.event_request - ABI_KERNEL_VIRT;
	uint64_t *request = mem_at(&s->machine.mem, at, sizeof(*request));

	if (!request)
		return;                 /* the image lies, and the handler will not ask: exit-work sees it */
	*request = 1;
	machine_mark_dirty(&s->machine, at);
}

/* Stops where IF may become 1 (after an STI, at the target of a return) and before each return. */
void case_set_return_stops(struct session *s)
{
	const struct layout *l = &s->layout;

	stops_clear(&s->stops);
	s->run.boundary = 0;
	for (unsigned n = 0; n < l->returns_count; n++)
		stops_set(&s->stops, l->returns[n]);
	for (unsigned n = 0; n < l->enabled_count; n++)
		stops_set(&s->stops, l->enabled[n]);
}

static bool may_interrupt(struct session *s)
{
	return machine_regs(&s->machine)->rflags & RFLAGS_IF && !machine_in_shadow(&s->machine);
}

struct stop case_run_alone(struct session *s)
{
	struct stop stop = run_to_stop(&s->run);

	for (unsigned n = 0; stop.kind == STOP_TURN && n < MAX_TURNS; n++)
		stop = run_to_stop(&s->run);
	return stop;
}

/* Takes the pending interrupt if it may come here; then to the next stop. */
static struct stop go_on(struct session *s)
{
	struct run *run = &s->run;
	gva_t here = machine_regs(&s->machine)->rip;
	struct stop stop;

	if (run->ipi && may_interrupt(s)) {
		inject_interrupt(&s->machine, run->ipi);
		run->ipi = 0;
		return case_run_alone(s);            /* the stop here stays: the interrupt comes first */
	}
	if (!stops_is_set(&s->stops, here))
		return case_run_alone(s);
	stops_lift(&s->stops, here);
	stop = case_run_alone(s);
	stops_set(&s->stops, here);             /* nothing comes back here without another stop in between */
	return stop;
}

/* How many reschedules have been done, by the guest's counters. */
static uint64_t work_done(const struct session *s, const uint8_t *ram)
{
	const struct layout *l = &s->layout;
	uint64_t done = 0;

	for (unsigned n = 0; n < l->exempts; n++)
		if (l->exempt[n].vector == ABI_COUNTS_WORK && l->exempt[n].cpu == l->cpu)
			done += case_word(ram, l->exempt[n].addr);
	return done;
}

/* On the way to user code: whose turn it is if nothing more has been rescheduled than without the event, and if something has. */
struct turns {
	const struct model *plain, *turned;     /* turned: NULL if that cannot be */
	uint64_t done;                  /* reschedules without the event */
};

/* The counter only chooses; that one more or none at all may be is judged apart, and so is every register of the one it says. */
static const struct model *whose_turn(struct session *s, const struct turns *t)
{
	bool more = t->turned && work_done(s, mem_at(&s->machine.mem, 0, ABI_RAM_SIZE)) != t->done;

	return more ? t->turned : t->plain;
}

/* A return instruction is judged, and its target is a stop. */
static void at_return(struct session *s, const struct cpu_state *now, const struct turns *t)
{
	struct hardware_frame f;

	if (t) {
		case_judge_return(s, whose_turn(s, t), now);
		s->exits.nmi = false;
	}
	if (case_is_sysret(s, now->rip))
		f.rip = now->gpr[GPR_RCX];
	else
		session_read(s, now->gpr[GPR_RSP], &f, sizeof(f));
	stops_set(&s->stops, f.rip);
}

static bool is_user(struct session *s)
{
	return machine_sregs(&s->machine)->cs.selector & 3;
}

/* To the first boundary at CPL 3 where no interrupt is pending, or to the end of the workload. Without t nothing is judged. */
static struct stop to_user(struct session *s, const struct turns *t)
{
	struct cpu_state now = { 0 };
	struct stop stop = { STOP_BOUNDARY, 0 };

	for (unsigned n = 0; n < MAX_STOPS; n++) {
		if (case_is_return(&s->layout, machine_regs(&s->machine)->rip)) {
			machine_get(&s->machine, MACHINE_CORE | (t ? MACHINE_I : 0), &now);
			at_return(s, &now, t);
		}
		stop = go_on(s);
		if (stop.kind != STOP_BOUNDARY || (is_user(s) && !s->run.ipi))
			return stop;
	}
	return (struct stop){ STOP_HANG, 0 };
}

struct stop case_to_user(struct session *s, const struct model *user)
{
	return to_user(s, &(struct turns){ .plain = user });
}

/* One CPU alone comes to the same user boundary from everywhere before it; of two each boundary has a way of its own, because what the other
 * one did meanwhile is left out. */
void case_run_ahead(struct session *s, const struct case_start *start)
{
	const unsigned key = s->cpus > 1 ? s->begun : s->user_visits;
	struct stop stop;

	if (s->ahead && s->ahead->key == key)
		return;
	case_set_return_stops(s);
	stop = to_user(s, NULL);
	ahead_keep(&s->ahead, s, key);
	s->ahead->ends = stop.kind != STOP_BOUNDARY;
	s->run.boundary = start->before.rip;
	case_put_back(s, start, true, true);
}

/* All pages that the event or the way without it wrote, against the way without it. */
static void judge_ram(struct session *s, const struct case_start *start)
{
	if (cpu_cpl(&start->before))
		case_judge_ram(s, &start->before, s->machine.reference, NULL, false);
	else
		case_judge_ram(s, &s->ahead->state, s->ahead->ram, s->ahead, false);
}

/* RAM without the event, at its boundary or where user code is reached. */
static const uint8_t *ram_without(const struct session *s, const struct case_start *start)
{
	return cpu_cpl(&start->before) ? s->machine.reference : s->ahead->ram;
}

/* Where the thread asks for a reschedule itself before it is back in user code, one may serve both requests. */
void case_judge_done(struct session *s, const struct case_start *start)
{
	uint64_t was = work_done(s, ram_without(s, start));

	judge_work_done(&s->judge, work_done(s, mem_at(&s->machine.mem, 0, ABI_RAM_SIZE)), was, was != work_done(s, s->machine.reference));
}

static void judge_end(struct session *s, const struct stop *stop, const struct model *user)
{
	char what[BREACH_DETAIL];

	session_describe_stop(s, stop, what, sizeof(what));
	if (stop->kind == STOP_TURN && smp_is_idle(s)) {        /* and so would it be without the event */
		judge_check(&s->judge, RULE_PROGRESS, user->exited, "after the reschedule: %s", what);
		return;
	}
	if (stop->kind != STOP_DONE) {
		judge_check(&s->judge, RULE_PROGRESS, false, "after the reschedule: %s", what);
		return;
	}
	judge_check(&s->judge, RULE_PROGRESS, user->exited && stop->value == user->exit_code, "after the reschedule: %s", what);
}

/* The guest stands in user code of the thread that m says, which is the one that was to run without the event. */
static void judge_user(struct session *s, const struct case_start *start, const struct model *m)
{
	struct cpu_state now = { 0 };

	machine_get(&s->machine, MACHINE_ALL, &now);
	judge_at(&s->judge, "work", &now);
	judge_after_work(&s->judge, m, &now);
	judge_system_registers(&s->judge, cpu_cpl(&start->before) ? &start->before : &s->ahead->state, &now);
	judge_work(&s->judge, case_work_flags(s), 0);
	if (s->judge.switched)
		case_judge_user_memory(s, m);
	else
		case_judge_done(s, start);
	case_exit_at_user(s);
	case_judge_context(s, CONTEXT_OF_USER);
	judge_ram(s, start);
}

/* Another thread has got the turn: it runs until it is that of `home`. */
static struct stop finish_round(struct session *s, const struct case_start *start, struct model *m, unsigned home)
{
	struct cpu_state now = { 0 };

	machine_get(&s->machine, MACHINE_CORE, &now);
	judge_at(&s->judge, "switched", &now);
	case_judge_done(s, start);
	case_allow_switch(s);
	return case_round(s, m, home);
}

void case_finish_work(struct session *s, const struct case_start *start)
{
	const struct model *user = cpu_cpl(&start->before) ? &s->model : &s->next, *turn;
	struct model turned = *user;
	struct turns t = { user, &turned, work_done(s, ram_without(s, start)) };
	struct cpu_state now = { 0 };
	struct stop stop = { STOP_BOUNDARY, 0 };

	model_reschedule(&turned);
	case_set_return_stops(s);
	if (cpu_cpl(&start->before))
		stops_set(&s->stops, start->before.rip);
	if (!cpu_cpl(&start->before) || s->run.ipi)
		stop = to_user(s, &t);
	turn = whose_turn(s, &t);
	if (stop.kind == STOP_BOUNDARY && turn->current != user->current)
		stop = finish_round(s, start, &turned, user->current);
	if (stop.kind == STOP_BOUNDARY) {
		judge_user(s, start, turn);
		return;
	}
	machine_get(&s->machine, MACHINE_CORE, &now);
	judge_at(&s->judge, "work", &now);
	judge_end(s, &stop, turn);
}
