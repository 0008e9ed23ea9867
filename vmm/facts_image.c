/* SPDX-License-Identifier: MIT */
/* facts_image.c: what doctor measures with the image under test: one system call of its program, seen several ways. */
#include <stdlib.h>
#include <string.h>

#include "vmm/case.h"
#include "vmm/die.h"
#include "vmm/facts.h"
#include "vmm/walk.h"

#define MOST_BOUNDARIES 1000
#define GATE_DB 1

/* The first visit to each kernel boundary, in the order of the golden run. */
struct way {
	struct cpu_state at[MOST_BOUNDARIES];
	unsigned count;
};

static bool note(struct session *s, const struct place *p, void *context)
{
	struct way *w = context;

	(void)s;
	if (p->visit->cpl == 0 && p->visit->number == 1 && w->count < MOST_BOUNDARIES)
		w->at[w->count++] = *p->now;
	return true;
}

static bool same_state(const struct cpu_state *x, const struct cpu_state *y)
{
	return x->rip == y->rip && x->a == y->a && x->cs == y->cs && !memcmp(x->gpr, y->gpr, sizeof(x->gpr));
}

static void set_guest_debug(struct session *s, uint32_t control, uint64_t breakpoint)
{
	struct kvm_guest_debug debug = { .control = control };

	debug.arch.debugreg[0] = breakpoint;
	debug.arch.debugreg[7] = breakpoint ? 0x402 : 0x400;    /* G0 */
	KVM_DO(s->machine.vcpu_fd, KVM_SET_GUEST_DEBUG, &debug);
}

static bool stopped_by_debug(const struct stop *stop)
{
	return stop->kind == STOP_EXIT && stop->value == KVM_EXIT_DEBUG;
}

/* A hardware breakpoint at one boundary after the other. */
static unsigned count_same(const struct bench *b, const struct way *w)
{
	struct session *s = facts_session(b);
	struct cpu_state now = { 0 };
	unsigned same = 0;

	for (unsigned n = 0; n < w->count; n++) {
		struct stop stop;

		set_guest_debug(s, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, w->at[n].rip);
		stop = run_to_stop(&s->run);
		if (!stopped_by_debug(&stop))
			break;
		machine_get(&s->machine, MACHINE_CORE, &now);
		same += same_state(&now, &w->at[n]);
	}
	facts_session_close(s);
	return same;
}

static bool is_return(const struct layout *l, uint64_t rip)
{
	for (unsigned n = 0; n < l->returns_count; n++)
		if (l->returns[n] == rip)
			return true;
	return false;
}

/* From the first kernel boundary by single steps to the first return to user code: which of the boundaries are seen. */
static void count_steps(const struct bench *b, const struct way *w, struct more_facts *out)
{
	struct session *s = facts_session(b);
	unsigned at = 0, next, last = 0;

	while (last + 1 < w->count && !is_return(&s->layout, w->at[last].rip))
		last++;
	out->steps = out->steps_missed = last;
	stops_set(&s->stops, w->at[0].rip);
	run_to_stop(&s->run);
	stops_clear(&s->stops);
	set_guest_debug(s, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, 0);
	while (at < last) {
		struct stop stop = run_to_stop(&s->run);

		for (next = at + 1; next <= last && w->at[next].rip != machine_regs(&s->machine)->rip; next++)
			;
		if (!stopped_by_debug(&stop) || next > last)
			break;
		out->steps_missed--;
		at = next;
	}
	facts_session_close(s);
}

static void see_stops(const struct bench *b, struct more_facts *out)
{
	struct way *w = xcalloc(1, sizeof(*w));
	struct session *s = facts_session(b);
	struct walk_result golden;

	walk_golden(s, note, w, &golden);
	facts_session_close(s);
	out->boundaries = w->count;
	if (w->count) {
		out->same = count_same(b, w);
		count_steps(b, w, out);
	}
	free(w);
}

static bool run_to_sysret(struct session *s)
{
	struct stop stop;

	for (unsigned n = 0; n < s->layout.returns_count; n++) {
		uint64_t left, at = s->layout.returns[n];
		const uint8_t *bytes = stops_text(&s->stops, at, &left);
		struct insn insn;

		if (bytes && decode_insn(bytes, left, at, &insn) && insn.is_sysret)
			stops_set(&s->stops, at);
	}
	stop = run_to_stop(&s->run);
	stops_clear(&s->stops);
	return stop.kind == STOP_BOUNDARY;
}

/* True if the guest comes to the gate of #DB before the workload ends; then *rip is where the #DB struck. */
static bool run_to_debug(struct session *s, uint64_t *rip)
{
	bool comes = facts_come_to(s, GATE_DB);

	session_read(s, machine_regs(&s->machine)->rsp, rip, sizeof(*rip));
	return comes;
}

static enum sysret_tf see_sysret(const struct bench *b)
{
	struct session *s = facts_session(b);
	enum sysret_tf seen = TF_NEVER;
	uint64_t target, rip, left;
	const uint8_t *bytes;
	struct insn insn;

	if (run_to_sysret(s)) {
		target = machine_regs(&s->machine)->rcx;
		machine_regs(&s->machine)->r11 |= RFLAGS_TF;
		machine_touched_regs(&s->machine);
		if (run_to_debug(s, &rip)) {
			bytes = stops_text(&s->stops, target, &left);
			seen = rip == target ? TF_AT_TARGET : TF_ELSEWHERE;
			if (bytes && decode_insn(bytes, left, target, &insn) && rip == target + insn.length)
				seen = TF_ONE_LATE;
		}
	}
	facts_session_close(s);
	return seen;
}

static bool has_machine_check(const struct bench *b)
{
	struct case_trace trace = { .count = 0 };
	struct case_options options = { .trace = &trace };
	struct session *s = facts_session(b);
	struct case_result result;
	struct case_start start;

	case_begin(s, &start);
	case_inject(s, &start, EVENT_MCE, &options, &result);
	facts_session_close(s);
	return trace.count && trace.at[0].stop == CASE_GATE;
}

void facts_image(const struct bench *b, struct more_facts *out)
{
	see_stops(b, out);
	out->sysret_tf = see_sysret(b);
	out->machine_check = has_machine_check(b);
}
