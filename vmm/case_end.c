/* SPDX-License-Identifier: MIT */
/* case_end.c: a case followed further than to its boundary: to the end of the workload, or instruction by instruction. */
#include <string.h>

#include "vmm/case_exit.h"
#include "vmm/case_flight.h"
#include "vmm/case_turns.h"
#include "vmm/case_work.h"
#include "vmm/hash.h"
#include "vmm/inject.h"
#include "vmm/smp.h"
#include "vmm/walk.h"

#define WALK_LIMIT 20000                /* instructions of one event */
#define MODEL_LIMIT 200000              /* user instructions of one workload */

bool case_stands_at(const struct session *s, const struct cpu_state *boundary)
{
	const struct kvm_regs *regs = s->machine.regs;

	return regs->rip == boundary->rip && regs->rsp == boundary->gpr[GPR_RSP];
}

struct stop case_run_to(struct session *s, const struct cpu_state *boundary)
{
	struct stop stop;

	s->run.boundary = boundary->rip;
	stops_clear(&s->stops);
	stops_set(&s->stops, boundary->rip);
	stop = run_to_stop(&s->run);
	while (stop.kind == STOP_BOUNDARY && !case_stands_at(s, boundary))
		stop = run_past(&s->run);
	return stop;
}

static bool same_page(struct session *s, gva_t at, const uint8_t *expected)
{
	uint8_t page[PAGE_SIZE];

	session_read(s, at, page, sizeof(page));
	return !memcmp(page, expected, sizeof(page));
}

/* What the user program must leave behind, from its model alone. */
static bool model_to_end(const struct session *s, struct model *m)
{
	char err[200];

	*m = s->next;
	for (unsigned n = 0; n < MODEL_LIMIT && !m->exited; n++)
		if (!model_step(m, err, sizeof(err)))
			return false;
	return m->exited;
}

static void judge_end(struct session *s, const struct stop *stop)
{
	struct cpu_state now = { 0 };
	struct model final;
	char what[BREACH_DETAIL];

	machine_get(&s->machine, MACHINE_CORE, &now);
	judge_at(&s->judge, "end", &now);
	session_describe_stop(s, stop, what, sizeof(what));
	if (!judge_check(&s->judge, RULE_PROGRESS, stop->kind == STOP_DONE, "run to the end: %s", what))
		return;
	if (!judge_check(&s->judge, RULE_PROGRESS, model_to_end(s, &final), "the model of the program has no end"))
		return;
	judge_equal(&s->judge, RULE_PROGRESS, "the workload's result", stop->value, final.exit_code);
	judge_check(&s->judge, RULE_PROGRESS, same_page(s, ABI_USER_DATA, final.data), "user data differs at the end");
	judge_check(&s->judge, RULE_PROGRESS, same_page(s, ABI_USER_STACK, final.stack), "user stack differs at the end");
	judge_check(&s->judge, RULE_PROGRESS, same_page(s, final.stack_page - ABI_USER_STACK_STEP, final.stack_2), "the second thread's stack differs at the end");
}

static void judge_threads(struct session *s)
{
	judge_check(&s->judge, RULE_PROGRESS, same_page(s, ABI_USER_DATA, s->next.data), "user data differs at the end");
	for (unsigned n = 0; n < s->cpus; n++) {
		const struct model *m = n == s->running ? &s->next : &s->thread[n].next;

		judge_check(&s->judge, RULE_PROGRESS, same_page(s, m->stack_page, m->stack), "the stack of CPU %u's thread differs at the end", n);
		judge_check(&s->judge, RULE_PROGRESS, same_page(s, m->stack_page - ABI_USER_STACK_STEP, m->stack_2), "the stack of CPU %u's second thread differs at the end", n);
	}
}

/* To the event's body, and the other CPU's turns there. */
static bool take_turns(struct session *s, enum event event, struct walk_result *out)
{
	const struct event_code *code = &s->layout.event[event];

	stops_clear(&s->stops);
	stops_set(&s->stops, code->body ? code->body : code->handler);
	return run_to_stop(&s->run).kind == STOP_BOUNDARY && walk_turns(s, s->turns, out) && !out->broken;
}

static uint64_t timers_handled(const struct session *s, const uint8_t *ram)
{
	uint64_t count = 0;

	for (unsigned n = 0; n < s->layout.exempts; n++)
		if (s->layout.exempt[n].vector == ABI_VECTOR_TIMER)
			count += case_word(ram, s->layout.exempt[n].addr);
	return count;
}

/* What comes of it is seen from the first boundary on: each is judged for the thread as the model has it on the CPU where it is. */
void case_fly_away(struct flight *f)
{
	struct session *s = f->s;
	struct walk_result rest;

	walk_rest(s, &rest);
	if (rest.completed)
		judge_threads(s);
	judge_equal(&s->judge, RULE_MASKING, "timers handled", timers_handled(s, mem_at(&s->machine.mem, 0, ABI_RAM_SIZE)),
		    timers_handled(s, s->machine.reference) + 1);
	f->out->hash = hash_bytes(f->out->hash, s->next.data, sizeof(s->next.data));
	if (rest.broken) {
		s->judge.broken |= rest.broken;
		s->judge.breach = rest.breach;
	}
}

/* The event and one NMI more, both back at the boundary, with the other CPU's turns in the first; then all CPUs to the end, judged as the
 * golden run is. */
static void run_all_to_end(struct session *s, const struct case_start *start, enum event event, struct case_result *out)
{
	bool turns = case_turns_ahead(s, start);
	struct stop stop = { STOP_BOUNDARY, 0 };
	struct walk_result rest = { 0 };
	struct walk_kept *kept;

	machine_restore_core(&s->machine, &start->state);
	kept = walk_keep(s);
	judge_begin(&s->judge);
	inject_event(&s->machine, event, &start->state);
	if (turns && !take_turns(s, event, &rest))
		stop.kind = STOP_HANG;
	if (stop.kind == STOP_BOUNDARY)
		stop = case_run_to(s, &start->before);
	if (stop.kind == STOP_BOUNDARY) {
		inject_event(&s->machine, EVENT_NMI, &start->state);
		stop = case_run_to(s, &start->before);
	}
	if (cpu_cpl(&start->before))    /* these events went out to user code, too */
		case_exit_begin(s);
	if (stop.kind == STOP_BOUNDARY)
		walk_rest(s, &rest);
	else
		judge_end(s, &stop);
	if (rest.completed)
		judge_threads(s);
	out->breach = rest.broken ? rest.breach : s->judge.breach;
	out->breach.at = "end";
	walk_bring_back(s, kept);
	s->run.boundary = start->before.rip;
	case_put_back(s, start, false, true);
}

void case_run_to_end(struct session *s, const struct case_start *start, enum event event, struct case_result *out)
{
	struct stop stop;

	if (s->cpus > 1) {
		run_all_to_end(s, start, event, out);
		return;
	}
	judge_begin(&s->judge);
	machine_restore_core(&s->machine, &start->state);
	inject_event(&s->machine, event, &start->state);
	stop = case_run_to(s, &start->before);
	if (stop.kind == STOP_BOUNDARY) {
		stops_clear(&s->stops);
		s->run.boundary = 0;
		inject_event(&s->machine, EVENT_NMI, &start->state);
		stop = run_to_stop(&s->run);
	}
	judge_end(s, &stop);
	s->run.boundary = start->before.rip;
	out->breach = s->judge.breach;
	case_put_back(s, start, false, true);
}

/* What a handler asked for, if it may come here. */
static bool take_interrupt(struct session *s)
{
	if (!s->run.ipi || !(machine_regs(&s->machine)->rflags & RFLAGS_IF))
		return false;
	inject_interrupt(&s->machine, s->run.ipi);
	s->run.ipi = 0;
	return true;
}

unsigned case_walk(struct session *s, const struct case_start *start, enum event event,
		   void (*seen)(void *context, const struct cpu_state *now), void *context)
{
	struct cpu_state now = { 0 };
	struct stop stop;
	unsigned n = 0;

	machine_restore_core(&s->machine, &start->state);
	s->run.ipi = 0;
	if (event_is_told(event))
		case_ask(s);
	inject_event(&s->machine, event, &start->state);
	stops_carpet(&s->stops);
	s->run.report_faults = true;
	stop = case_run_alone(s);
	while (stop.kind == STOP_BOUNDARY && n < WALK_LIMIT && !(n && case_stands_at(s, &start->before) && !take_interrupt(s))) {
		machine_get(&s->machine, MACHINE_CORE, &now);
		n += cpu_cpl(&now) == 0;
		seen(context, &now);
		stops_lift(&s->stops, now.rip);
		stop = case_run_alone(s);
		stops_set(&s->stops, now.rip);
	}
	s->run.report_faults = false;
	case_put_back(s, start, false, true);
	return n;
}
