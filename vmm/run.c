/* SPDX-License-Identifier: MIT */
/* run.c: letting the guest run to its next stop: one switch on the exit reason, one function a case. */
#include "vmm/run.h"

#include <string.h>

#include "guest/abi.h"
#include "vmm/artefact.h"
#include "vmm/inject.h"

#define EXIT_LIMIT 20000                /* that do not stop, in one run: a loop of system calls that need assistance has no end */
#define FAULT_LIMIT 200                 /* genuine faults in one run: no good guest has more than one */

/* At whose gate what the host does differently arrives, and what undoes it. */
static const struct {
	unsigned vector;
	bool (*undo)(struct run *r);
} artefacts[RUN_ARTEFACTS] = { { 13, artefact_user_stop }, { 14, artefact_syscall }, { 6, artefact_int } };

static const char *const stop_names[] = {
	[STOP_BOUNDARY] = "boundary", [STOP_DONE] = "end of the workload",
	[STOP_PANIC] = "panic of the guest kernel", [STOP_HALT] = "HLT of the guest",
	[STOP_SHUTDOWN] = "triple fault", [STOP_INTERNAL] = "KVM_EXIT_INTERNAL_ERROR",
	[STOP_HANG] = "hang", [STOP_EXIT] = "unexpected exit",
	[STOP_TURN] = "waiting for another CPU",
};

const char *stop_name(enum stop_kind kind)
{
	return stop_names[kind];
}

bool run_init(struct run *r, struct machine *m, struct stops *s)
{
	struct cpu_state now;
	uint64_t left;
	bool good = true;

	r->machine = m;
	r->stops = s;
	machine_get(m, MACHINE_ALL, &now);      /* where the IDT is does not come with every exit of every engine */
	for (unsigned n = 0; n < RUN_ARTEFACTS; n++) {
		r->gate[n] = machine_gate(m, artefacts[n].vector);
		good = good && stops_text(s, r->gate[n], &left);
	}
	return good;
}

/* The last line stays readable until the next one begins. */
static void console_char(struct run *r, char c)
{
	if (c == '\n') {
		r->console_line_ended = true;
		return;
	}
	if (r->console_line_ended || r->console_used == RUN_CONSOLE_SIZE - 1)
		r->console_used = 0;
	r->console_line_ended = false;
	r->console[r->console_used++] = c >= ' ' && c <= '~' ? c : '?';
	r->console[r->console_used] = '\0';
}

/* Always false. Where the number of the CPU that it is sent to is wrong nothing is sent. */
static bool turn(struct run *r, const struct left *left, struct stop *stop)
{
	bool sent = left->port == ABI_PORT_IPI && left->value >> 8 != r->machine->cpu && left->value >> 8 < r->machine->cpus;

	r->to_other = sent ? left->value & 0xff : 0;
	stop->kind = STOP_TURN;
	machine_flush(r->machine);
	return false;
}

/* True if the guest may just go on. */
static bool handle_port(struct run *r, const struct left *left, struct stop *stop)
{
	if (left->port == ABI_PORT_CONSOLE) {
		console_char(r, (char)left->value);
		return true;
	}
	if (left->port == ABI_PORT_SPIN || (left->port == ABI_PORT_IPI && left->size == 4))
		return turn(r, left, stop);
	if (left->port == ABI_PORT_IPI) {
		if (!inject_own(r->machine, left->value & 0xff))
			r->ipi = left->value & 0xff;
		return true;
	}
	stop->kind = left->port == ABI_PORT_DONE ? STOP_DONE : left->port == ABI_PORT_PANIC ? STOP_PANIC : STOP_EXIT;
	stop->value = stop->kind == STOP_EXIT ? KVM_EXIT_IO : left->value;
	machine_flush(r->machine);
	return false;
}

static gva_t next_insn(struct run *r, gva_t at)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(r->stops, at, &left);
	struct insn insn;

	return bytes && decode_insn(bytes, left, at, &insn) ? at + insn.length : 0;
}

/* A genuine fault that nobody wants to stop at: its gate's first instruction is let through, and the stop there is
 * set again at the second. False if faults do not end. */
static bool begin_passing(struct run *r, gva_t gate, struct stop *stop)
{
	r->passing.gate = gate;
	r->passing.next = next_insn(r, gate);
	r->passing.next_was_set = stops_is_set(r->stops, r->passing.next);
	stops_lift(r->stops, gate);
	stops_set(r->stops, r->passing.next);
	if (r->passing.faults++ < FAULT_LIMIT)
		return true;
	stop->kind = STOP_HANG;
	return false;
}

static bool end_passing(struct run *r)
{
	gva_t next = r->passing.next;

	stops_set(r->stops, r->passing.gate);
	r->passing.next = 0;
	if (r->passing.next_was_set)
		return false;
	stops_lift(r->stops, next);
	return true;
}

/* Which of the artefacts' gates begins there; RUN_ARTEFACTS if none does. */
static unsigned gate_there(const struct run *r, gva_t at)
{
	unsigned n = 0;

	while (n < RUN_ARTEFACTS && r->gate[n] != at)
		n++;
	return n;
}

/* A HLT executed: one of our stops, the trace of a stop at CPL 3, of a SYSCALL or INT n, or the guest's own. */
static bool handle_stop(struct run *r, uint64_t at, struct stop *stop)
{
	struct kvm_regs *regs = machine_regs(r->machine);
	unsigned gate = gate_there(r, at);

	stop->kind = STOP_BOUNDARY;
	if (gate < RUN_ARTEFACTS && r->machine->engine->stops_are_bytes && artefacts[gate].undo(r))
		return !stops_is_set(r->stops, regs->rip);
	if (!stops_is_set(r->stops, at)) {
		stop->kind = STOP_HALT;
		return false;
	}
	if (regs->rip != at) {
		regs->rip = at;
		machine_touched_regs(r->machine);
	}
	if (at == r->passing.next)
		return end_passing(r);
	if (gate < RUN_ARTEFACTS && !r->report_faults && at != r->boundary)
		return begin_passing(r, at, stop);
	return false;
}

static bool handle_exit(struct run *r, const struct left *left, struct stop *stop)
{
	switch (left->why) {
	case LEAVE_STOP:
		return handle_stop(r, left->at, stop);
	case LEAVE_PORT:
		return handle_port(r, left, stop);
	case LEAVE_SHUTDOWN:
		stop->kind = STOP_SHUTDOWN;
		return false;
	case LEAVE_INTERNAL:
		*stop = (struct stop){ STOP_INTERNAL, left->value };
		return false;
	case LEAVE_HANG:
		*stop = (struct stop){ STOP_HANG, 0 };
		return false;
	default:
		*stop = (struct stop){ STOP_EXIT, left->value };
		machine_flush(r->machine);      /* what it left to complete must not complete in the next case */
		return false;
	}
}

/* Artefacts must find a stop at the gate. If the guest stands there and the stop was lifted, it goes on from there. */
static void arm(struct run *r, gva_t gate, gva_t rip, struct stop *stop)
{
	if (rip != gate)
		stops_set(r->stops, gate);
	else if (!stops_is_set(r->stops, gate))
		begin_passing(r, gate, stop);
}

struct stop run_to_stop(struct run *r)
{
	uint64_t rip = machine_regs(r->machine)->rip;
	struct stop stop = { STOP_HANG, 0 };
	unsigned exits = 0;
	struct left left;

	r->passing = (struct passing){ 0 };
	for (unsigned n = 0; n < RUN_ARTEFACTS; n++)
		arm(r, r->gate[n], rip, &stop);
	do {
		if (r->machine->engine->stops_are_bytes)
			artefact_prepare(r);
		machine_enter(r->machine, r->stops, &left);
	} while (handle_exit(r, &left, &stop) && ++exits < EXIT_LIMIT);
	if (exits == EXIT_LIMIT)
		stop = (struct stop){ STOP_HANG, 0 };
	return stop;
}

/* An IRETQ at CPL 0 that returns to itself leaves no boundary in between at which to set its stop again: it is done here, as the
 * manual says (SDM vol. 2A, IRET, 64-bit mode, no change of CPL). */
static bool iret_to_itself(struct run *r)
{
	struct machine *m = r->machine;
	struct kvm_regs *regs = machine_regs(m);
	uint64_t f[5];

	if (!stops_is_iretq(r->stops, regs->rip) || machine_sregs(m)->cs.selector & 3)
		return false;
	if (!mem_read(&m->mem, machine_sregs(m)->cr3, regs->rsp, f, sizeof(f)) || f[0] != regs->rip || f[1] & 3)
		return false;
	regs->rflags = f[2];
	regs->rsp = f[3];
	machine_events(m)->nmi.masked = 0;
	machine_touched_regs(m);
	machine_touched_events(m);
	return true;
}

struct stop run_one(struct run *r)
{
	bool reported = r->report_faults;
	struct stop stop = { STOP_BOUNDARY, 0 };

	if (iret_to_itself(r))
		return stop;
	stops_keep(r->stops);
	stops_carpet(r->stops);
	stops_lift(r->stops, machine_regs(r->machine)->rip);
	r->report_faults = true;
	stop = run_to_stop(r);
	r->report_faults = reported;
	stops_bring_back(r->stops);
	return stop;
}

struct stop run_past(struct run *r)
{
	struct stop stop = run_one(r);

	if (stop.kind != STOP_BOUNDARY || stops_is_set(r->stops, machine_regs(r->machine)->rip))
		return stop;
	return run_to_stop(r);
}
