/* SPDX-License-Identifier: MIT */
/* run.c: letting the guest run to its next stop: one switch on the exit reason, one function a case. */
#include "vmm/run.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/artefact.h"
#include "vmm/die.h"
#include "vmm/inject.h"

#define FAULT_LIMIT 200                 /* genuine faults in one run: no good guest has more than one */

static const char *const stop_names[] = {
	[STOP_BOUNDARY] = "boundary", [STOP_DONE] = "end of the workload",
	[STOP_PANIC] = "panic of the guest kernel", [STOP_HALT] = "HLT of the guest",
	[STOP_SHUTDOWN] = "triple fault", [STOP_INTERNAL] = "KVM_EXIT_INTERNAL_ERROR",
	[STOP_HANG] = "hang", [STOP_EXIT] = "unexpected exit",
};

const char *stop_name(enum stop_kind kind)
{
	return stop_names[kind];
}

static uint64_t gate_of(const struct machine *m, unsigned vector)
{
	const struct kvm_sregs *s = &m->run->s.regs.sregs;
	uint64_t d[2];

	if (!mem_read(&m->mem, s->cr3, s->idt.base + 16 * vector, d, sizeof(d)))
		return 0;
	return (d[0] & 0xffff) | (d[0] >> 32 & 0xffff0000) | d[1] << 32;
}

bool run_init(struct run *r, struct machine *m, struct stops *s)
{
	uint64_t left;

	r->machine = m;
	r->stops = s;
	r->gate_gp = gate_of(m, 13);
	r->gate_pf = gate_of(m, 14);
	return stops_text(s, r->gate_gp, &left) && stops_text(s, r->gate_pf, &left);
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

/* True if the guest may just go on. */
static bool handle_io(struct run *r, struct stop *stop)
{
	struct kvm_run *k = r->machine->run;
	uint32_t value = 0;

	memcpy(&value, (char *)k + k->io.data_offset, k->io.size);
	if (k->io.port == ABI_PORT_CONSOLE) {
		console_char(r, (char)value);
		return true;
	}
	if (k->io.port == ABI_PORT_IPI) {
		if (!inject_own(r->machine, value & 0xff))
			r->ipi = value & 0xff;
		return true;
	}
	stop->kind = k->io.port == ABI_PORT_DONE ? STOP_DONE : k->io.port == ABI_PORT_PANIC ? STOP_PANIC : STOP_EXIT;
	stop->value = stop->kind == STOP_EXIT ? KVM_EXIT_IO : value;
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

/* A HLT executed: one of our stops, the trace of a stop at CPL 3, of a SYSCALL, or the guest's own. */
static bool handle_hlt(struct run *r, struct stop *stop)
{
	struct kvm_regs *regs = machine_regs(r->machine);
	uint64_t at = regs->rip - 1;

	stop->kind = STOP_BOUNDARY;
	if (at == r->gate_gp && artefact_user_stop(r))
		return false;
	if (at == r->gate_pf && artefact_syscall(r))
		return !stops_is_set(r->stops, regs->rip);
	if (!stops_is_set(r->stops, at)) {
		stop->kind = STOP_HALT;
		return false;
	}
	regs->rip = at;
	machine_touched_regs(r->machine);
	if (at == r->passing.next)
		return end_passing(r);
	if ((at == r->gate_gp || at == r->gate_pf) && !r->report_faults && at != r->boundary)
		return begin_passing(r, at, stop);
	return false;
}

static bool handle_exit(struct run *r, struct stop *stop)
{
	struct kvm_run *k = r->machine->run;

	switch (k->exit_reason) {
	case KVM_EXIT_HLT:
		return handle_hlt(r, stop);
	case KVM_EXIT_IO:
		return handle_io(r, stop);
	case KVM_EXIT_SHUTDOWN:
		stop->kind = STOP_SHUTDOWN;
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		*stop = (struct stop){ STOP_INTERNAL, k->internal.suberror };
		return false;
	default:
		*stop = (struct stop){ STOP_EXIT, k->exit_reason };
		machine_flush(r->machine);      /* what it left to complete must not complete in the next case */
		return false;
	}
}

/* One KVM_RUN. False if the watchdog ended it. */
static bool enter(struct machine *m)
{
	unsigned sequence;
	int result;

	do {
		m->run->immediate_exit = 0;     /* a kick for an earlier entry is void */
		sequence = watch_enter(&m->watch);
		result = kvm_try(m->vcpu_fd, KVM_RUN, NULL);
		watch_leave(&m->watch);
		m->exits++;
		if (result >= 0)
			return true;
		if (result != -EINTR && result != -EAGAIN)
			die(EXIT_HOST, "KVM_RUN: %s", strerror(-result));
	} while (atomic_load(&m->watch.expired) != sequence);
	m->run->immediate_exit = 0;
	return false;
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

	r->passing = (struct passing){ 0 };
	arm(r, r->gate_gp, rip, &stop);
	arm(r, r->gate_pf, rip, &stop);
	do {
		artefact_prepare(r);
		if (!enter(r->machine))
			return (struct stop){ STOP_HANG, 0 };
	} while (handle_exit(r, &stop));
	return stop;
}

/* An IRETQ at CPL 0 that returns to itself leaves no boundary in between at which to set its stop again: it is done here, as the
 * manual says (SDM vol. 2A, IRET, 64-bit mode, no change of CPL). */
static bool iret_to_itself(struct run *r)
{
	struct machine *m = r->machine;
	struct kvm_regs *regs = machine_regs(m);
	uint64_t left, f[5];
	const uint8_t *bytes = stops_text(r->stops, regs->rip, &left);

	if (!bytes || left < 2 || bytes[0] != 0x48 || bytes[1] != 0xcf || machine_sregs(m)->cs.selector & 3)
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
