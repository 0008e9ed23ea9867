/* SPDX-License-Identifier: MIT */
/* facts.c: what every run needs to know of this host, measured with the image under test. */
#include "vmm/facts.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/case.h"
#include "vmm/case_return.h"
#include "vmm/die.h"
#include "vmm/msr.h"
#include "vmm/tiny.h"

#define VECTOR_DB 1
#define VECTOR_UD 6
#define VECTOR_NP 11
#define VECTOR_SS 12
#define CPUID7_EBX_FSGSBASE (1u << 0)
#define CPUID7_EBX_SMEP (1u << 7)
#define CPUID7_EBX_SMAP (1u << 20)

/* FSGSBASE is offered if it works, whatever the host's CPUID says; SMAP and SMEP are not: the guest does not use them. */
static bool offer_fsgsbase(struct host *h)
{
	struct kvm_cpuid_entry2 *leaf7 = kvm_cpuid_find(&h->kvm, 7, 0);

	if (!leaf7)
		return false;
	leaf7->ebx |= CPUID7_EBX_FSGSBASE;
	leaf7->ebx &= ~(CPUID7_EBX_SMEP | CPUID7_EBX_SMAP);
	if (tiny_has_fsgsbase(h))
		return true;
	leaf7->ebx &= ~CPUID7_EBX_FSGSBASE;
	return false;
}

/* NT set at a user boundary, then on to the first kernel boundary of a SYSCALL. */
static void see_syscall(struct session *s, struct host_facts *f)
{
	struct stop stop;

	machine_regs(&s->machine)->rflags |= RFLAGS_NT;
	machine_touched_regs(&s->machine);
	stops_set(&s->stops, machine_get_msr(&s->machine, MSR_LSTAR));
	stop = run_to_stop(&s->run);
	f->syscall_native = !s->run.syscall_assists;
	f->user_keeps_nt = stop.kind == STOP_BOUNDARY && machine_regs(&s->machine)->r11 & RFLAGS_NT;
	stops_clear(&s->stops);
}

/* An NMI at a user boundary with AC set: its gate. */
static void see_gate(struct session *s, struct host_facts *f)
{
	struct case_trace trace = { .count = 0 };
	struct case_options options = { .trace = &trace };
	struct case_start start;
	struct case_result result;

	machine_regs(&s->machine)->rflags |= RFLAGS_AC;
	machine_touched_regs(&s->machine);
	case_begin(s, &start);
	case_inject(s, &start, EVENT_NMI, &options, &result);
	f->gate_keeps_ac = trace.count && trace.at[0].now.rflags & RFLAGS_AC;
	machine_regs(&s->machine)->rflags &= ~RFLAGS_AC;
	machine_touched_regs(&s->machine);
}

bool facts_come_to(struct session *s, unsigned vector)
{
	struct stop stop;

	stops_set(&s->stops, s->layout.gate[vector]);
	stop = run_to_stop(&s->run);
	stops_clear(&s->stops);
	return stop.kind == STOP_BOUNDARY && machine_regs(&s->machine)->rip == s->layout.gate[vector];
}

/* Wherever the guest was. */
void facts_stand_at(struct session *s, uint64_t rip, uint64_t rsp, unsigned cpl)
{
	struct kvm_regs *regs = machine_regs(&s->machine);

	regs->rip = rip;
	regs->rsp = rsp;
	regs->rflags = RFLAGS_FIXED;
	machine_set_cpl(&s->machine, cpl, cpl ? ABI_USER_CS : ABI_KERNEL_CS, cpl ? ABI_USER_SS : ABI_KERNEL_SS);
	machine_touched_regs(&s->machine);
}

/* The program's first push, watched for writes. Without #DB it goes on to its end. */
static void see_watch(struct session *s, struct host_facts *f)
{
	const struct kvm_debugregs armed = { .db = { ABI_USER_RSP - 8 }, .dr6 = ABI_DR6_RESET, .dr7 = ABI_DR7_ARMED };
	struct kvm_debugregs before;

	machine_get_debug(&s->machine, &before);
	machine_set_debug(&s->machine, &armed);
	f->watchpoints_fire = facts_come_to(s, VECTOR_DB);
	machine_set_debug(&s->machine, &before);
}

/* The program's first two instructions, JRCXZ and WRGSBASE, as if FSGSBASE were offered, but with CR4.FSGSBASE = 0. */
static void see_fsgsbase(struct session *s, struct host_facts *f)
{
	struct stop stop;

	facts_stand_at(s, s->model.rip, ABI_USER_RSP, 3);
	machine_regs(&s->machine)->rcx = 1;
	machine_sregs(&s->machine)->cr4 &= ~CR4_FSGSBASE;
	machine_touched_sregs(&s->machine);
	run_one(&s->run);
	stop = run_one(&s->run);
	f->fsgsbase_can_be_off = stop.kind == STOP_BOUNDARY && machine_regs(&s->machine)->rip == s->layout.gate[VECTOR_UD];
}

/* The program's second instruction, behind JRCXZ, with an instruction breakpoint: #DB must come before the stop there does. */
static void see_break(struct session *s, struct host_facts *f)
{
	const struct kvm_debugregs armed = { .db = { s->model.rip + 2 }, .dr6 = ABI_DR6_RESET, .dr7 = ABI_DR7_DISARMED | 2 };
	struct kvm_debugregs before;
	struct stop stop;

	facts_stand_at(s, s->model.rip, ABI_USER_RSP, 3);
	machine_regs(&s->machine)->rcx = 1;
	machine_get_debug(&s->machine, &before);
	machine_set_debug(&s->machine, &armed);
	stop = run_one(&s->run);
	f->breakpoints_fire = stop.kind == STOP_BOUNDARY && machine_regs(&s->machine)->rip == s->layout.gate[VECTOR_DB];
	machine_set_debug(&s->machine, &before);
}

static uint64_t any_iret(const struct session *s)
{
	for (unsigned n = 0; n < s->layout.returns_count; n++)
		if (!case_is_sysret(s, s->layout.returns[n]))
			return s->layout.returns[n];
	return 0;
}

/* An IRET of the kernel's to user code, made here, so that what the guest's C decides does not matter: to the next stop. */
static struct stop iret_to(struct session *s, const struct hardware_frame *to)
{
	const struct kernel_stack *thread = layout_stack_of(&s->layout, 0, 3);
	uint64_t rsp = thread->base + thread->size - sizeof(*to);
	struct stop stop;

	memcpy(mem_at(&s->machine.mem, rsp - ABI_KERNEL_VIRT, sizeof(*to)), to, sizeof(*to));
	facts_stand_at(s, any_iret(s), rsp, 0);
	s->run.report_faults = true;
	stop = run_to_stop(&s->run);
	s->run.report_faults = false;
	return stop;
}

/* To a stack segment that is not present: which fault that is. */
static void see_absent_stack(struct session *s, struct host_facts *f)
{
	const struct hardware_frame to = { s->model.rip, ABI_USER_CS, RFLAGS_FIXED, ABI_USER_RSP, ABI_ABSENT_SS };
	struct stop stop;

	stops_set(&s->stops, s->layout.gate[VECTOR_NP]);
	stops_set(&s->stops, s->layout.gate[VECTOR_SS]);
	stop = iret_to(s, &to);
	f->absent_ss_is_np = stop.kind == STOP_BOUNDARY && machine_regs(&s->machine)->rip == s->layout.gate[VECTOR_NP];
	stops_clear(&s->stops);
}

/* To an address that is not canonical: which RIP its #GP saves, and whether with RF. */
static void see_iret(struct session *s, struct host_facts *f)
{
	const struct hardware_frame to = { 1ull << 47, ABI_USER_CS, RFLAGS_FIXED, ABI_USER_RSP, ABI_USER_SS };
	struct stop stop = iret_to(s, &to);
	struct hardware_frame saved;

	session_read(s, machine_regs(&s->machine)->rsp + 8, &saved, sizeof(saved));
	f->iret_checks_rip = stop.kind != STOP_BOUNDARY || saved.rip != to.rip;
	f->faults_set_rf = stop.kind != STOP_BOUNDARY || saved.rflags & RFLAGS_RF;
}

/* The kernel's own INT3. */
static void see_int3(struct session *s, struct host_facts *f)
{
	const struct kernel_stack *thread = layout_stack_of(&s->layout, 0, 3);
	const struct elf_symbol *at = elf_symbol(s->bench->elf, "kernel_breakpoint");

	if (!at)
		return;
	facts_stand_at(s, at->addr, thread->base + thread->size - sizeof(uint64_t), 0);
	f->kernel_int3 = facts_come_to(s, ABI_VECTOR_BP);
}

/* The gate as the contract has it, as the code segment below: what the guest has got wrong must not pass for what the host lacks. */
static void let_user_call(struct session *s, unsigned vector)
{
	const struct kvm_sregs *sregs = machine_sregs(&s->machine);
	gva_t at = sregs->idt.base + 16 * vector;
	uint64_t gate;

	if (!mem_read(&s->machine.mem, sregs->cr3, at, &gate, sizeof(gate)))
		return;
	gate |= 7ull << 45;
	mem_write(&s->machine.mem, sregs->cr3, at, &gate, sizeof(gate));
}

/* The image's 32-bit code, up to its INT 0x80. */
static void see_compat(struct session *s, struct host_facts *f)
{
	const struct elf_symbol *at = elf_symbol(s->bench->elf, "user_compat_32");

	if (!at)
		return;
	facts_stand_at(s, at->addr, ABI_USER_RSP, 3);
	machine_set_cpl(&s->machine, 3, ABI_USER32_CS, ABI_USER_SS);
	machine_sregs(&s->machine)->cs.l = 0;
	machine_sregs(&s->machine)->cs.db = 1;
	let_user_call(s, ABI_VECTOR_INT80);
	f->compat = facts_come_to(s, ABI_VECTOR_INT80);
	f->int_native = !s->run.int_assists;
}

struct session *facts_session(const struct bench *b)
{
	static const struct scenario probe = {
		.name = "probe", .path = "(built in)", .program = "probe",
		.flags = RFLAGS_FIXED | RFLAGS_IF,
	};
	struct unit unit = { &probe, SCHEME_SWAPGS, GS_SMALL };
	struct session *s = xcalloc(1, sizeof(*s));
	char err[400];

	if (!session_open(s, b, &unit, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	return s;
}

void facts_session_close(struct session *s)
{
	session_close(s);
	free(s);
}

/* What does not even get to user code is left unknown, and told by the run. */
void facts_measure(struct bench *b)
{
	struct session *s;

	b->facts.fsgsbase = b->host.engine == &engine_kvm ? offer_fsgsbase(&b->host) : true;
	s = facts_session(b);
	b->facts.user_hlt_faults = s->run.user_stops > 0;
	see_gate(s, &b->facts);
	see_syscall(s, &b->facts);
	see_watch(s, &b->facts);
	see_break(s, &b->facts);
	see_fsgsbase(s, &b->facts);
	see_absent_stack(s, &b->facts);
	see_iret(s, &b->facts);
	see_compat(s, &b->facts);
	facts_lsl(s, &b->facts);
	see_int3(s, &b->facts);         /* the last: the host may give up on it */
	facts_session_close(s);
}
