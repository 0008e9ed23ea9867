/* SPDX-License-Identifier: MIT */
/* case_switch.c: a case in which another thread runs before the first one is back: each arrival at CPL 3 is judged against the model of
 * the thread whose turn it is. */
#include "vmm/case_switch.h"

#include <string.h>

#include "vmm/case_work.h"

#define MAX_ARRIVALS 100                /* of other threads before the first one is back */

/* The user's memory, as far as threads that take turns can write to it. */
struct user_pages {
	uint64_t at[3];
	const uint8_t *expected[3];
};
#define USER_PAGES 3

static struct user_pages pages_of(const struct model *m)
{
	return (struct user_pages){
		{ ABI_USER_DATA, m->stack_page, m->stack_page - ABI_USER_STACK_STEP }, { m->data, m->stack, m->stack_2 }
	};
}

void case_allow_switch(struct session *s)
{
	s->judge.switched = true;
	for (unsigned n = 0; n < ABI_THREADS; n++)
		if (s->next.parked[n].runnable)
			judge_allow_thread_stack(&s->judge, n);
}

bool case_is_user_page(struct session *s, uint64_t page)
{
	const struct user_pages user = pages_of(&s->model);
	gpa_t gpa;

	for (unsigned n = 0; n < USER_PAGES; n++)
		if (mem_walk(&s->machine.mem, s->layout.page_table, user.at[n], &gpa, NULL) && gpa / PAGE_SIZE == page)
			return true;
	return false;
}

void case_judge_user_memory(struct session *s, const struct model *m)
{
	const struct user_pages user = pages_of(m);
	uint8_t page[PAGE_SIZE];

	for (unsigned n = 0; n < USER_PAGES; n++) {
		session_read(s, user.at[n], page, sizeof(page));
		judge_user_page(&s->judge, user.at[n], page, user.expected[n]);
	}
}

static void judge_arrival(struct session *s, const struct model *m)
{
	struct cpu_state now = { 0 };

	machine_get(&s->machine, MACHINE_ALL, &now);
	judge_at(&s->judge, "switched", &now);
	judge_user_boundary(&s->judge, m, &now, true);
	judge_work(&s->judge, case_work_flags(s), 0);
}

struct stop case_round(struct session *s, struct model *m, unsigned home)
{
	struct stop stop = { STOP_BOUNDARY, 0 };
	char err[200];

	for (unsigned n = 0; stop.kind == STOP_BOUNDARY && m->current != home; n++) {
		judge_arrival(s, m);
		if (n == MAX_ARRIVALS)
			return (struct stop){ STOP_HANG, 0 };
		if (!judge_check(&s->judge, RULE_PROGRESS, model_run_to_kernel(m, err, sizeof(err)), "%s", err))
			return (struct stop){ STOP_HANG, 0 };
		case_set_return_stops(s);
		stop = case_to_user(s, m);
	}
	return stop;
}

/* By its own exit, which does what another CPU has asked for, too; an NMI's does no work. */
bool case_switches(const struct session *s, const struct cpu_state *before, enum event event)
{
	return (event_asks(event) || s->model.asked) && cpu_cpl(before) && event_base(event) != EVENT_NMI && model_threads(&s->model) > 1;
}

/* What the first thread must find: registers as at its boundary, but FS and GS by the model, because a selector may win. */
static struct cpu_state expected_back(const struct flight *f, const struct model *m)
{
	struct cpu_state b = *f->in.before;

	b.a = m->gs_base;
	b.fs_base = m->fs_base;
	b.gs = m->gs;
	b.fs = m->fs;
	return b;
}

static void judge_first_back(struct flight *f, const struct model *m, void (*at_boundary)(struct flight *f))
{
	const struct injected in = f->in;
	struct cpu_state before = expected_back(f, m);

	f->in.before = &before;
	f->in.user = m;
	case_work_flags(f->s);          /* of this one again */
	at_boundary(f);
	case_judge_user_memory(f->s, m);
	f->in.before = in.before;
	f->in.user = in.user;
}

/* The other thread has ended the workload: the interrupted one never comes back, and its user memory is what is left. */
static void judge_exit(struct flight *f, const struct stop *stop, const struct model *m)
{
	struct judge *j = &f->s->judge;

	machine_get(&f->s->machine, MACHINE_CORE, &f->now);
	judge_at(j, "end", &f->now);
	judge_equal(j, RULE_PROGRESS, "the workload's result", stop->value, m->exit_code);
	case_judge_user_memory(f->s, m);
	f->done = true;
}

void case_fly_round(struct flight *f, void (*at_boundary)(struct flight *f))
{
	struct session *s = f->s;
	struct model m = s->model;
	struct stop stop;

	model_reschedule(&m);
	case_allow_switch(s);
	case_set_return_stops(s);
	stop = case_to_user(s, &m);
	if (stop.kind == STOP_BOUNDARY) {
		case_judge_done(s, f->start);
		stop = case_round(s, &m, s->model.current);
	}
	if (stop.kind == STOP_BOUNDARY)
		judge_first_back(f, &m, at_boundary);
	else if (stop.kind == STOP_DONE && m.exited)
		judge_exit(f, &stop, &m);
	else
		flight_died(f, &stop);
}
