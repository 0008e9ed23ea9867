/* SPDX-License-Identifier: MIT */
/* smp.c: a session's CPUs: at most one runs, the others stand still, and which one it is follows from the guest alone. */
#include "vmm/smp.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/case_work.h"
#include "vmm/die.h"
#include "vmm/inject.h"

#define FIRST_VECTOR 64

static uint64_t bit(unsigned vector)
{
	return 1ull << (vector - FIRST_VECTOR);
}

static bool runs_on(const struct session *s, unsigned thread, unsigned cpu)
{
	const struct session_thread *t = &s->thread[thread];

	return t->model.cpu == cpu && t->next.cpu == cpu && !t->next.exited;
}

static bool comes_to(const struct session *s, unsigned thread, unsigned cpu)
{
	const struct session_thread *t = &s->thread[thread];

	return t->model.cpu != cpu && t->next.cpu == cpu && !t->next.exited;
}

static bool leaves(const struct session *s, unsigned thread, unsigned cpu)
{
	return s->thread[thread].model.cpu == cpu;
}

bool smp_is_idle(struct session *s)
{
	const struct kernel_stack *idle = layout_idle_stack(&s->layout, s->machine.cpu);
	uint64_t rsp = machine_regs(&s->machine)->rsp;

	return idle && rsp > idle->base && rsp <= idle->base + idle->size;
}

/* On its own stack a CPU is done with the thread before: it runs the one that comes, if any; or none is left but the one that ended
 * there or leaves. */
static unsigned thread_of_idle(const struct session *s, unsigned cpu)
{
	static bool (*const is_there[])(const struct session *s, unsigned thread, unsigned cpu) = { runs_on, comes_to, leaves };

	for (unsigned n = 0; n < sizeof(is_there) / sizeof(is_there[0]); n++)
		for (unsigned thread = 0; thread < s->cpus; thread++)
			if (is_there[n](s, thread, cpu))
				return thread;
	return SESSION_NO_THREAD;
}

static void put_away(struct session *s)
{
	struct session_cpu *c = &s->cpu[s->machine.cpu];

	c->raised = s->raised;
	c->exits = s->exits;
	c->ipi = s->run.ipi;
	c->sent = s->run.sent;
	c->running = s->running;
	if (s->running == SESSION_NO_THREAD)
		return;
	c->gs_base = s->model.gs_base;
	s->thread[s->running] = (struct session_thread){ s->model, s->next };
}

/* A CPU without a thread has the GS base of the last one in I. */
static void take_out(struct session *s)
{
	const struct session_cpu *c = &s->cpu[s->machine.cpu];
	unsigned number = s->raised.number;

	s->raised = c->raised;
	s->exits = c->exits;
	s->raised.number = number;      /* counts those of all CPUs */
	s->u = c->u;
	s->run.ipi = c->ipi;
	s->run.sent = c->sent;
	s->running = smp_is_idle(s) ? thread_of_idle(s, s->machine.cpu) : c->running;
	if (s->running != SESSION_NO_THREAD) {
		s->model = s->thread[s->running].model;
		s->next = s->thread[s->running].next;
		layout_give_stack(&s->layout, s->running, s->model.current);
		case_work_flags(s);     /* finds where they lie */
		return;
	}
	layout_give_stack(&s->layout, s->running, LAYOUT_NO_THREAD);
	s->model.gs_base = c->gs_base;
	s->next = s->model;
}

void smp_share(struct session *s)
{
	const uint8_t *data = machine_sregs(&s->machine)->cs.selector & 3 ? s->model.data : s->next.data;

	for (unsigned n = 0; n < s->cpus && s->running != SESSION_NO_THREAD; n++) {
		if (n == s->running)
			continue;
		memcpy(s->thread[n].model.data, data, sizeof(s->model.data));
		memcpy(s->thread[n].next.data, data, sizeof(s->next.data));
	}
}

void smp_select(struct session *s, unsigned cpu)
{
	if (cpu == s->machine.cpu)
		return;
	put_away(s);
	machine_select(&s->machine, cpu);
	layout_select(&s->layout, cpu);
	take_out(s);
}

void smp_follow(struct session *s)
{
	if (s->cpus < 2 || !smp_is_idle(s))
		return;
	if (s->raised.active && cpu_cpl(&s->raised.before))
		s->raised.active = false;       /* the thread has gone to the other CPU on its way out of that event */
	smp_share(s);
	put_away(s);
	take_out(s);
}

bool smp_others_ended(const struct session *s)
{
	for (unsigned n = 0; n < s->cpus; n++)
		if (n != s->running && !s->thread[n].next.exited)
			return false;
	return true;
}

/* The flag is set. Where user code stands the interrupt comes before its next instruction; in the kernel it is the way out of there
 * that does it. */
static void asked_for_reschedule(struct session *s)
{
	s->next.asked = true;
	if (!(machine_sregs(&s->machine)->cs.selector & 3))
		model_reschedule(&s->next);
}

bool smp_turn(struct session *s)
{
	unsigned vector = s->run.to_other;

	if (s->cpus < 2)
		return false;
	smp_share(s);
	smp_select(s, !s->machine.cpu);
	s->run.sent |= vector >= FIRST_VECTOR && vector < FIRST_VECTOR + 64 ? bit(vector) : 0;
	if (vector == ABI_VECTOR_KICK && !smp_is_idle(s))       /* which has nobody to be asked */
		asked_for_reschedule(s);
	return true;
}

bool smp_take_interrupt(struct session *s)
{
	unsigned vector;

	if (!s->run.sent || !(machine_regs(&s->machine)->rflags & RFLAGS_IF) || machine_in_shadow(&s->machine))
		return false;
	vector = FIRST_VECTOR + 63 - __builtin_clzll(s->run.sent);      /* the highest first */
	inject_interrupt(&s->machine, vector);
	s->run.sent &= ~bit(vector);
	return true;
}

void smp_called(struct session *s)
{
	for (unsigned n = 0; n < s->cpus; n++) {
		struct model *asks = &s->thread[n].next;

		if (n == s->running || !asks->sets_other)
			continue;
		asks->sets_other = false;
		s->model.gs_base = s->next.gs_base = asks->other_gs;
		s->model.gs_is_percpu = s->next.gs_is_percpu = false;
	}
}

void smp_asked(struct session *s)
{
	struct session_thread *other = &s->thread[!s->running];

	if (s->cpus < 2 || !s->model.sets_other)
		return;
	s->model.sets_other = false;
	other->model.gs_base = other->next.gs_base = s->model.other_gs;
}

bool smp_is_told(const struct session *s)
{
	return s->run.sent & bit(ABI_VECTOR_KICK);
}

struct smp_kept {
	struct machine_state state[ABI_CPUS];
	struct session_cpu cpu[ABI_CPUS];
	struct session_thread thread[ABI_CPUS];
	unsigned spoken_of, user_visits;
};

struct smp_kept *smp_keep(struct session *s)
{
	struct smp_kept *k = xcalloc(1, sizeof(*k));
	unsigned cpu = s->machine.cpu;

	k->spoken_of = cpu;
	k->user_visits = s->user_visits;
	for (unsigned n = 0; n < s->cpus; n++) {
		smp_select(s, n);
		machine_save(&s->machine, &k->state[n]);
	}
	smp_select(s, cpu);
	put_away(s);
	memcpy(k->cpu, s->cpu, sizeof(k->cpu));
	memcpy(k->thread, s->thread, sizeof(k->thread));
	return k;
}

void smp_bring_back(struct session *s, struct smp_kept *k)
{
	for (unsigned n = 0; n < s->cpus; n++) {
		machine_select(&s->machine, n);
		machine_restore(&s->machine, &k->state[n]);
	}
	machine_select(&s->machine, k->spoken_of);
	layout_select(&s->layout, k->spoken_of);
	memcpy(s->cpu, k->cpu, sizeof(k->cpu));
	memcpy(s->thread, k->thread, sizeof(k->thread));
	take_out(s);
	s->user_visits = k->user_visits;
	free(k);
}
