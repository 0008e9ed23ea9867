/* SPDX-License-Identifier: MIT */
/* t-model-step.c: in the model of the user program, which instructions are single steps, and frames given from outside. */
#include "tap/model_text.h"

#define SYSCALL 0x0f, 0x05
#define NOP 0x90
#define PUSHFQ 0x9c
#define POPFQ 0x9d
#define UD2 0x0f, 0x0b

static void words(uint64_t rip, uint64_t cs, uint64_t flags, uint64_t ss)
{
	const uint64_t w[5] = { rip, cs, flags, ABI_USER_RSP - 64, ss };

	memcpy(m.data, w, sizeof(w));
	m.gpr[GPR_RAX] = ABI_SYS_SET_FRAME;
	m.gpr[GPR_RDI] = ABI_USER_DATA;
}

static void test_steps(void)
{
	BEGIN(NOP, NOP, PUSHFQ, UD2);
	steps_to(1, "without TF");
	ok(!m.stepped && !m.steps, "no #DB comes");
	m.rflags |= RFLAGS_TF;
	steps_to(2, "with TF");
	ok(m.stepped && m.steps == 1, "one comes, and is counted");
	steps_to(3, "PUSHFQ");
	ok(m.stepped && m.stack[ABI_USER_RSP - 8 - ABI_USER_STACK + 1] & 1, "stores TF");
	steps_to(0x40, "an instruction that faults");
	ok(!m.stepped && m.steps == 2, "is no step");
	ok(m.rflags & RFLAGS_TF, "and keeps TF");
}

/* TF counts as it is when the instruction begins. */
static void test_popfq(void)
{
	BEGIN(POPFQ, POPFQ);
	m.stack[ABI_USER_RSP - 16 - ABI_USER_STACK] = 2;
	m.stack[ABI_USER_RSP - 16 - ABI_USER_STACK + 1] = 3;
	m.stack[ABI_USER_RSP - 8 - ABI_USER_STACK] = 2;
	m.stack[ABI_USER_RSP - 8 - ABI_USER_STACK + 1] = 2;
	m.gpr[GPR_RSP] -= 16;
	steps_to(1, "POPFQ that sets TF");
	ok(!m.stepped && m.rflags & RFLAGS_TF, "is no step");
	steps_to(2, "POPFQ that clears it");
	ok(m.stepped && !(m.rflags & RFLAGS_TF), "is the last");
}

static void test_syscall(void)
{
	BEGIN(SYSCALL, SYSCALL);
	m.rflags |= RFLAGS_TF;
	m.steps = 5;
	m.gpr[GPR_RAX] = ABI_SYS_ECHO;
	steps_to(2, "SYSCALL with TF");
	ok(!m.stepped && m.rflags & RFLAGS_TF && m.gpr[GPR_R11] & RFLAGS_TF, "is no step; R11 and RFLAGS have TF");
	m.gpr[GPR_RAX] = ABI_SYS_STEPS;
	steps_to(4, "SYS_STEPS");
	is_u64(m.gpr[GPR_RAX], 5, "tells how many there were");
	is_u64(m.steps, 0, "and begins again");
}

static void test_both(void)
{
	BEGIN(0x48, 0x8b, 0x16);
	m.rflags |= RFLAGS_TF;
	m.watch = m.gpr[GPR_RSI] = ABI_USER_DATA;
	ok(!step() && strstr(err, "one #DB for both"), "a step that hits what is watched is refused: %s", err);
}

static void test_frame(void)
{
	BEGIN(SYSCALL);
	words(ABI_USER_TEXT + 7, ABI_USER_CS, RFLAGS_TF | RFLAGS_RF | RFLAGS_DF, ABI_USER_SS);
	steps_to(7, "SYS_SET_FRAME");
	is_u64(m.rflags, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_TF | RFLAGS_RF | RFLAGS_DF, "RFLAGS as given, with IF");
	ok(m.gpr[GPR_RCX] == m.rip && m.gpr[GPR_R11] == m.rflags, "RCX and R11 as SYSRET wants them");
	ok(m.gpr[GPR_RSP] == ABI_USER_RSP - 64 && !m.gpr[GPR_RAX] && !m.refused, "RSP as given, result 0");
	BEGIN(SYSCALL);
	words(ABI_USER_TEXT + 7, ABI_ABSENT_CS, 0, ABI_USER_SS);
	steps_to(0x40, "with a CS that cannot be loaded");
	ok(m.refused && m.gpr[GPR_RAX] == 11 && m.gpr[GPR_RCX] == ABI_USER_TEXT + 7, "the IRET faults, RCX is as given");
	BEGIN(SYSCALL);
	words(1ull << 47, ABI_USER_CS, 0, ABI_USER_SS);
	ok(!step() && strstr(err, "out of user space"), "a RIP out of user space is refused: %s", err);
	BEGIN(SYSCALL);
	words(0, 0, 0, 0);
	m.gpr[GPR_RDI] = ABI_USER_UNMAPPED;
	steps_to(2, "words that are not there");
	is_u64(m.gpr[GPR_RAX], -(uint64_t)ABI_EFAULT, "-EFAULT");
}

static void test_rf(void)
{
	BEGIN(NOP);
	m.rflags |= RFLAGS_RF;
	steps_to(1, "an instruction with RF");
	ok(!(m.rflags & RFLAGS_RF), "clears it");
}

int main(void)
{
	plan(30);
	test_steps();
	test_popfq();
	test_syscall();
	test_both();
	test_frame();
	test_rf();
	return done();
}
