/* SPDX-License-Identifier: MIT */
/* run.c: letting the guest run to its next stop: one switch on the exit reason, one function a case. */
#include "vmm/run.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/artefact.h"
#include "vmm/die.h"

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

static void console_char(struct run *r, char c)
{
	if (c == '\n' || r->console_used == RUN_CONSOLE_SIZE - 1) {
		r->console_used = 0;
		return;
	}
	r->console[r->console_used++] = c;
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
	stop->kind = k->io.port == ABI_PORT_DONE ? STOP_DONE : k->io.port == ABI_PORT_PANIC ? STOP_PANIC : STOP_EXIT;
	stop->value = stop->kind == STOP_EXIT ? KVM_EXIT_IO : value;
	machine_flush(r->machine);
	return false;
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
	if ((at == r->gate_gp || at == r->gate_pf) && !r->report_faults)
		*stop = run_past(r);
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
		return false;
	}
}

/* One KVM_RUN. False if the watchdog ended it. */
static bool enter(struct machine *m)
{
	int result;

	atomic_store(&m->watch.expired, false);         /* a kick that came too late is void */
	m->run->immediate_exit = 0;
	do {
		watch_enter(&m->watch);
		result = kvm_try(m->vcpu_fd, KVM_RUN, NULL);
		watch_leave(&m->watch);
		m->exits++;
		if (result >= 0)
			return true;
		if (result != -EINTR && result != -EAGAIN)
			die(EXIT_HOST, "KVM_RUN: %s", strerror(-result));
	} while (!atomic_exchange(&m->watch.expired, false));
	m->run->immediate_exit = 0;
	return false;
}

struct stop run_to_stop(struct run *r)
{
	uint64_t rip = machine_regs(r->machine)->rip;
	struct stop stop = { STOP_HANG, 0 };

	if (rip != r->gate_gp)
		stops_set(r->stops, r->gate_gp);
	if (rip != r->gate_pf)
		stops_set(r->stops, r->gate_pf);
	do {
		artefact_prepare(r);
		if (!enter(r->machine))
			return (struct stop){ STOP_HANG, 0 };
	} while (handle_exit(r, &stop));
	return stop;
}

struct stop run_past(struct run *r)
{
	gva_t at = machine_regs(r->machine)->rip, next;
	bool was_set = stops_is_set(r->stops, at), next_was_set;
	const uint8_t *bytes;
	struct insn insn;
	struct stop stop;
	uint64_t left;

	bytes = stops_text(r->stops, at, &left);
	if (!bytes || !decode_insn(bytes, left, at, &insn))
		die(EXIT_HOST, "cannot decode the instruction at %#lx", (unsigned long)at);
	next = at + insn.length;
	next_was_set = stops_is_set(r->stops, next);
	stops_lift(r->stops, at);
	stops_set(r->stops, next);
	stop = run_to_stop(r);
	if (was_set)
		stops_set(r->stops, at);
	if (next_was_set)
		return stop;
	stops_lift(r->stops, next);
	if (stop.kind != STOP_BOUNDARY || machine_regs(r->machine)->rip != next)
		return stop;
	return run_to_stop(r);
}
