/* SPDX-License-Identifier: MIT */
/* trap.c: ordinary exceptions and #DF in C, and the check that every handler begins with. */
#include <stddef.h>

#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/percpu.h"
#include "guest/report.h"
#include "guest/trap.h"
#include "guest/vector.h"

/* From usercopy.S, loadgs.S and exception_pure.S: where the kernel may fault, and where it goes on. */
struct fixup {
	uint64_t fault, resume;
};
extern const struct fixup __extable_start[], __extable_end[];

extern const char exit_to_user_iretq[], exit_to_user_iretq_pure[], load_gs_mov[], kernel_breakpoint_passed[];

const struct abi_fixup abi_fixup[] = {
	{ (uint64_t)exit_to_user_iretq, ABI_FIXUP_IRET },
	{ (uint64_t)exit_to_user_iretq_pure, ABI_FIXUP_IRET },
	{ (uint64_t)load_gs_mov, ABI_FIXUP_RESUME },
};

void trap_check_entry(void)
{
	struct percpu *k = percpu_expected();

	/* A is compared before it is used: a wrong one would fault in this very check, again and again. */
	if (cpu_rdmsr(MSR_GS_BASE) != (uint64_t)k)
		report_panic(ABI_PANIC_ASSERT, "A is not K in a C handler", 0);
	if (percpu_this() != k)
		report_panic(ABI_PANIC_ASSERT, "the per-CPU self pointer is not K", 0);
	if (cpu_rflags() & RFLAGS_IF)
		report_panic(ABI_PANIC_ASSERT, "IF is 1 in a C handler", 0);
}

/* The user's fault comes back to it like a signal (abi.h). RF belongs to the instruction that faulted; CS and SS may be what
 * IRET has refused. */
static void signal_user(struct abi_frame *frame, enum vector vector, uint64_t error)
{
	frame->rip = frame->rbx;
	frame->rax = vector;
	frame->rdx = error;
	frame->rflags &= ~RFLAGS_RF;
	frame->cs = ABI_USER_CS;
	frame->ss = ABI_USER_SS;
}

/* IRET to such a RIP would fault in the kernel, on the user's GS. */
static bool can_signal(const struct abi_frame *frame)
{
	return trap_from_user(frame) && frame->rbx < ABI_TASK_SIZE_MAX;
}

static bool fix_kernel_fault(struct abi_frame *frame)
{
	for (const struct fixup *f = __extable_start; f < __extable_end; f++) {
		if (frame->rip != f->fault)
			continue;
		frame->rip = f->resume;
		frame->rflags &= ~RFLAGS_RF;
		return true;
	}
	return false;
}

/* Upwards by less than its length: the last word first. */
struct abi_frame *fixup_bad_iret(struct abi_frame *fault)
{
	uint64_t *from = (uint64_t *)fault, *to = (uint64_t *)(fault->rsp - offsetof(struct abi_frame, rip));

	for (unsigned n = offsetof(struct abi_frame, rip) / sizeof(*to); n--;)
		to[n] = from[n];
	return (struct abi_frame *)to;
}

/* An exception that does not know more than its vector: for the user, or for a fixup, or a bug. */
static void ordinary(struct abi_frame *frame, enum vector vector, const char *mnemonic, uint64_t error)
{
	trap_check_entry();
	context_enter(frame);
	if (can_signal(frame))
		signal_user(frame, vector, error);
	else if (trap_from_user(frame) || !fix_kernel_fault(frame))
		report_trap(mnemonic, frame);
}

/* A trap: RIP is behind the INT3 already, and that of the kernel's is passed. */
void exc_breakpoint(struct abi_frame *frame)
{
	if (trap_from_user(frame) || frame->rip != (uint64_t)kernel_breakpoint_passed) {
		ordinary(frame, VECTOR_BP, "#BP", 0);
		return;
	}
	trap_check_entry();
	context_enter(frame);
}

void exc_invalid_op(struct abi_frame *frame)
{
	ordinary(frame, VECTOR_UD, "#UD", 0);
}

void exc_segment_not_present(struct abi_frame *frame)
{
	ordinary(frame, VECTOR_NP, "#NP", frame->error);
}

void exc_stack_segment(struct abi_frame *frame)
{
	ordinary(frame, VECTOR_SS, "#SS", frame->error);
}

void exc_general_protection(struct abi_frame *frame)
{
	ordinary(frame, VECTOR_GP, "#GP", frame->error);
}

/* CR2 is read before anything else can fault, and is the user's to see only if the fault was its own. */
void exc_page_fault(struct abi_frame *frame)
{
	uint64_t address = cpu_read_cr2();
	bool from_user = trap_from_user(frame);

	ordinary(frame, VECTOR_PF, "#PF", frame->error);
	if (from_user)
		frame->rdi = address;
}

bool exc_double_fault(struct abi_frame *frame)
{
	trap_check_entry();
	report_trap("#DF", frame);
}
