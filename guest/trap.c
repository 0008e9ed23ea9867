/* SPDX-License-Identifier: MIT */
/* trap.c: ordinary exceptions and #DF in C, and the check that every handler begins with. */
#include "guest/cpu.h"
#include "guest/percpu.h"
#include "guest/report.h"
#include "guest/trap.h"
#include "guest/vector.h"

/* From usercopy.S: where the kernel may fault, and where it goes on. */
struct fixup {
	uint64_t fault, resume;
};
extern const struct fixup __extable_start[], __extable_end[];

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

/* The user's fault comes back to it like a signal (abi.h). RF belongs to the instruction that faulted. */
static void signal_user(struct abi_frame *frame, enum vector vector, uint64_t error)
{
	frame->rip = frame->rbx;
	frame->rax = vector;
	frame->rdx = error;
	frame->rflags &= ~RFLAGS_RF;
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

/* An exception that does not know more than its vector: for the user, or for a fixup, or a bug. */
static void ordinary(struct abi_frame *frame, enum vector vector, const char *mnemonic, uint64_t error)
{
	trap_check_entry();
	if (can_signal(frame))
		signal_user(frame, vector, error);
	else if (trap_from_user(frame) || !fix_kernel_fault(frame))
		report_trap(mnemonic, frame);
}

void exc_breakpoint(struct abi_frame *frame)
{
	ordinary(frame, VECTOR_BP, "#BP", 0);
}

void exc_invalid_op(struct abi_frame *frame)
{
	ordinary(frame, VECTOR_UD, "#UD", 0);
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

void exc_double_fault(struct abi_frame *frame)
{
	trap_check_entry();
	report_trap("#DF", frame);
}
