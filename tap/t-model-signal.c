/* SPDX-License-Identifier: MIT */
/* t-model-signal.c: in the model of the user program: signals, notifications, breakpoints, and what may not be watched. */
#include "tap/model_text.h"

#define SYSCALL 0x0f, 0x05
#define NOP 0x90
#define HANDLER (ABI_USER_TEXT + 0x20)
#define TO ((ABI_USER_RSP - ABI_SIGNAL_GAP - sizeof(struct abi_signal)) & ~15ull)

static bool call(uint64_t number, uint64_t arg)
{
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RAX] = number;
	m.gpr[GPR_RDI] = arg;
	return step();
}

static const struct abi_signal *stored(void)
{
	return (const void *)(m.stack + (TO - ABI_USER_STACK));
}

static void begin_handled(void)
{
	BEGIN(SYSCALL, NOP);
	ok(call(ABI_SYS_HANDLER, HANDLER) && !m.gpr[GPR_RAX], "a handler");
}

static void test_delivery(void)
{
	const struct abi_signal *w = stored();

	begin_handled();
	m.rflags |= RFLAGS_TF | RFLAGS_DF;
	ok(call(ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL | ABI_WORK_RESCHED), "a signal");
	ok(m.rip == HANDLER && m.gpr[GPR_RDI] == TO && m.gpr[GPR_RSP] == TO, "goes to it, with RDI and RSP at the words");
	is_u64(m.rflags, RFLAGS_FIXED | RFLAGS_IF, "without TF and DF");
	ok(w->rip == ABI_USER_TEXT + 2 && w->rcx == w->rip && w->rsp == ABI_USER_RSP && w->rdi == 3 && !w->rax, "the registers are stored");
	ok(w->rflags == (RFLAGS_FIXED | RFLAGS_IF | RFLAGS_TF | RFLAGS_DF) && w->r11 == w->rflags, "and the flags");
	ok(w->cs == ABI_USER_CS && w->ss == ABI_USER_SS, "and the selectors");
	m.gpr[GPR_RCX] = m.gpr[GPR_R11] = 1;
	ok(call(ABI_SYS_RESTORE, TO) && m.rip == ABI_USER_TEXT + 2 && m.gpr[GPR_RSP] == ABI_USER_RSP, "RESTORE goes back");
	ok(m.gpr[GPR_RCX] == m.rip && m.gpr[GPR_R11] == m.rflags && !m.gpr[GPR_RAX] && m.gpr[GPR_RDI] == 3, "with all registers");
	ok(m.rflags & RFLAGS_TF && !m.stepped, "and TF, and no step");
}

static void test_dropped(void)
{
	BEGIN(SYSCALL);
	ok(call(ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL) && m.rip == ABI_USER_TEXT + 2 && !m.signal, "without a handler it is dropped");
	ok(call(ABI_SYS_HANDLER, ABI_TASK_SIZE_MAX) && m.gpr[GPR_RAX] == -(uint64_t)ABI_EFAULT && !m.handler, "none out of user space");
	ok(call(ABI_SYS_ASK_WORK, 8) && m.gpr[GPR_RAX] == -(uint64_t)ABI_EINVAL, "no other work");
	ok(call(ABI_SYS_ASK_WORK, ABI_WORK_NOTIFY) && !m.gpr[GPR_RAX], "a notification");
	ok(call(ABI_SYS_ASK_WORK, 0) && m.gpr[GPR_RAX] == 1, "is counted");
}

static void test_lost(void)
{
	begin_handled();
	m.gpr[GPR_RSP] = ABI_USER_UNMAPPED;
	ok(call(ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL) && m.rip == m.gpr[GPR_RBX] && m.gpr[GPR_RAX] == -(uint64_t)ABI_EFAULT, "it cannot be stored");
	begin_handled();
	m.gpr[GPR_RSP] = ABI_USER_STACK + 4096 + ABI_SIGNAL_GAP + 0x20;
	memset(m.stack, 0xff, sizeof(m.stack));
	ok(call(ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL) && m.rip == m.gpr[GPR_RBX], "nor all of it");
	ok(m.stack[4095] == 0 && m.stack[4096 - 48] == 2, "what could be is");
}

static void test_step_signals(void)
{
	begin_handled();
	ok(call(ABI_SYS_STEPS, 1) && m.step_signals, "each step sends one");
	m.rflags |= RFLAGS_TF;
	m.rip = ABI_USER_TEXT + 2;
	ok(step() && m.stepped && m.rip == HANDLER && m.trap.rip == ABI_USER_TEXT + 3, "behind its instruction");
	ok(m.trap.gpr[GPR_RSP] == ABI_USER_RSP && m.trap.rflags & RFLAGS_TF && !(m.rflags & RFLAGS_TF), "where all is as it was");
	is_u64(stored()->rip, ABI_USER_TEXT + 3, "and is stored");
}

static void test_break(void)
{
	BEGIN(SYSCALL, NOP, NOP);
	ok(call(ABI_SYS_BREAK, ABI_USER_TEXT + 3) && !m.gpr[GPR_RAX] && model_dr7(&m) == (ABI_DR7_ARMED | ABI_DR7_BREAK), "a breakpoint");
	steps_to(3, "the instruction before it");
	ok(m.broke && m.trap.rip == m.rip, "is the last before #DB");
	is_u64(model_dr7(&m), ABI_DR7_ARMED, "once");
	ok(call(ABI_SYS_BREAK, 0) && m.gpr[GPR_RAX] == 1, "and is counted");
	ok(call(ABI_SYS_BREAK, ABI_KERNEL_VIRT) && m.gpr[GPR_RAX] == -(uint64_t)ABI_EFAULT && !m.stop_at, "none on kernel text");
	ok(!call(ABI_SYS_BREAK, ABI_USER_TEXT + 2) && strstr(err, "returns to a breakpoint"), "none where the kernel returns to: %s", err);
}

static void test_forbidden(void)
{
	BEGIN(SYSCALL);
	for (uint64_t kind = 0; kind < ABI_FORBIDDEN; kind++)
		ok(call(ABI_SYS_WATCH_KERNEL, kind) && !m.gpr[GPR_RAX] && model_dr7(&m) == ABI_DR7_ARMED, "kind %lu is refused", (unsigned long)kind);
	ok(call(ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN) && m.gpr[GPR_RAX] == -(uint64_t)ABI_EINVAL, "there is no other");
	ok(call(ABI_SYS_WATCH_KERNEL, ABI_WATCH_ALLOWED) && m.gpr[GPR_RAX] == 1 && model_dr7(&m) == (ABI_DR7_ARMED | ABI_DR7_KERNEL), "one is accepted");
	ok(call(ABI_SYS_WATCH_KERNEL, ABI_WATCH_NOTHING) && !m.gpr[GPR_RAX] && model_dr7(&m) == ABI_DR7_ARMED, "and taken back");
}

int main(void)
{
	plan(10 + 5 + 5 + 5 + 7 + ABI_FORBIDDEN + 3);
	test_delivery();
	test_dropped();
	test_lost();
	test_step_signals();
	test_break();
	test_forbidden();
	return done();
}
