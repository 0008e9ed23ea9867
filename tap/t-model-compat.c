/* SPDX-License-Identifier: MIT */
/* t-model-compat.c: 32-bit code in the model of the user program: how it begins and ends, what its instructions do, and its system
 * calls, of which 64-bit code can make the same ones. */
#include <string.h>

#include "tap/model_text.h"

#define UPPER 0xfedcba9800000000

static void in_32_bits(void)
{
	m.cs = ABI_USER32_CS;
	m.gpr[GPR_RCX] = m.gpr[GPR_R11] = UPPER;
}

static void sigreturn_to_32(uint64_t rip, uint64_t rsp)
{
	const uint64_t word[5] = { rip, ABI_USER32_CS, 0x202, rsp, ABI_USER_SS };

	BEGIN(0x0f, 0x05, 0x90, 0x90, 0x90);            /* syscall */
	m.gpr[GPR_RAX] = ABI_SYS_SIGRETURN;
	m.gpr[GPR_RDI] = ABI_USER_DATA;
	memcpy(m.data, word, sizeof(word));
}

static void test_begins(void)
{
	sigreturn_to_32(ABI_USER_TEXT + 4, ABI_USER_RSP);
	is_u64(m.cs, ABI_USER_CS, "a program begins as 64-bit code");
	steps_to(4, "SIGRETURN to 32-bit code");
	ok(m.cs == ABI_USER32_CS && !m.refused, "which is one that IRET can load");
	sigreturn_to_32(1ull << 32, ABI_USER_RSP);
	ok(!step() && strstr(err, "32 bits"), "RIP has 32 bits there");
	sigreturn_to_32(ABI_USER_TEXT + 4, 1ull << 32);
	ok(!step() && strstr(err, "32 bits"), "and so has RSP");
}

static void test_instructions(void)
{
	BEGIN(0xbf, 0x10, 0x32, 0x54, 0x76);            /* mov $0x76543210,%edi */
	in_32_bits();
	m.gpr[GPR_RDI] = UPPER;
	steps_to(5, "a register is written");
	is_u64(m.gpr[GPR_RDI], 0x76543210, "the whole of it");
	BEGIN(0x40, 0x90);                              /* inc %eax; in 64-bit code a prefix of the NOP */
	in_32_bits();
	ok(!step() && strstr(err, "in another way"), "what 64-bit code would read in another way is not known");
	BEGIN(0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8);      /* dec %eax and mov; in 64-bit code mov of eight bytes */
	in_32_bits();
	ok(!step() && strstr(err, "in another way"), "however long that is there");
	BEGIN(0x06, 0x90);                              /* push %es; not valid in 64-bit code */
	in_32_bits();
	ok(!step() && strstr(err, "in another way"), "nor what it could not read");
	BEGIN(0x57, 0x5a);                              /* push %edi; pop %edx */
	in_32_bits();
	m.gpr[GPR_RDI] = UPPER + 5;
	steps_to(1, "a push");
	is_u64(m.gpr[GPR_RSP], ABI_USER_RSP - 4, "of four bytes");
	steps_to(2, "and a pop");
	ok(m.gpr[GPR_RSP] == ABI_USER_RSP && m.gpr[GPR_RDX] == 5, "of as many");
	BEGIN(0x8b, 0x07);                              /* mov (%edi),%eax: DS is null */
	in_32_bits();
	ok(!step(), "nor an access to memory");
	BEGIN(0x0f, 0x05);                              /* syscall */
	in_32_bits();
	ok(!step() && strstr(err, "SYSCALL of 32-bit code"), "nor SYSCALL");
}

/* INT 0x80 with garbage in every upper half. */
static void call(uint64_t number, uint64_t arg)
{
	BEGIN(0xcd, 0x80, 0x90);                        /* int $0x80 */
	in_32_bits();
	m.gpr[GPR_RAX] = UPPER + number;
	m.gpr[GPR_RDI] = UPPER + arg;
	m.gpr[GPR_RSI] = UPPER + 7;
}

static void test_call(uint16_t cs, const char *name)
{
	call(ABI_SYS_ECHO, 5);
	m.cs = cs;
	steps_to(2, name);
	is_u64(m.gpr[GPR_RAX], 5, "the number and the argument have 32 bits");
	ok(m.gpr[GPR_RDI] == 5 && m.gpr[GPR_RSI] == 7, "and so have RDI and RSI afterwards");
	ok(m.gpr[GPR_RCX] == UPPER && m.gpr[GPR_R11] == UPPER && m.gpr[GPR_RBX] == ABI_USER_TEXT + 0x40, "all others are kept");
	is_u64(m.cs, cs, "and the code is what it was");
	ok(m.rflags == (RFLAGS_FIXED | RFLAGS_IF), "with its flags");
}

static void is_einval(uint64_t what, uint16_t cs, const char *name)
{
	call(ABI_SYS_PRCTL, what);
	m.cs = cs;
	m.gpr[GPR_RSI] = ABI_USER_DATA;
	m.gs_base = 0x1000;
	ok(step() && m.gpr[GPR_RAX] == -(uint64_t)ABI_EINVAL && m.gs_base == 0x1000 && !m.gs_is_percpu, "%s is EINVAL, and nothing has changed", name);
}

static void test_refused(void)
{
	is_einval(ABI_PRCTL_SET_GS_PERCPU, ABI_USER32_CS, "SET_GS_PERCPU");
	is_einval(ABI_PRCTL_GET_GS_PERCPU, ABI_USER32_CS, "GET_GS_PERCPU");
	is_einval(ABI_PRCTL_SET_GS, ABI_USER32_CS, "SET_GS");
	is_einval(ABI_PRCTL_SET_GS_PERCPU, ABI_USER_CS, "SET_GS_PERCPU by INT 0x80 of 64-bit code");
	call(ABI_SYS_STEPS + 100, 0);
	ok(step() && m.gpr[GPR_RAX] == -(uint64_t)ABI_ENOSYS, "a number that is none is ENOSYS");
	BEGIN(0xcd, 0x81);                              /* int $0x81 */
	ok(!step() && strstr(err, "INT of another vector"), "another vector is not known");
	BEGIN(0x48, 0xcd, 0x80);                        /* int $0x80 with a prefix */
	ok(!step() && strstr(err, "with a prefix"), "nor an INT of three bytes");
	call(ABI_SYS_ECHO, 0);
	m.rflags |= RFLAGS_RF;
	ok(step() && !(m.rflags & RFLAGS_RF), "RF is gone behind it");
}

static void test_ends(void)
{
	BEGIN(0x0f, 0x0b);                              /* ud2 */
	in_32_bits();
	ok(model_enters_kernel(&m), "32-bit code can fault");
	steps_to(0x40, "and what it goes on at");
	is_u64(m.cs, ABI_USER_CS, "is 64-bit code");
	call(ABI_SYS_READ, ABI_USER_UNMAPPED);
	ok(model_enters_kernel(&m) && step() && m.cs == ABI_USER32_CS, "a system call that fails is no fault of it");
}

/* A signal's handler is 64-bit code, and RESTORE brings back what it has interrupted. */
static void test_signal(void)
{
	uint64_t cs;

	call(ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL);
	m.handler = ABI_USER_TEXT + 2;
	steps_to(2, "a signal is delivered to 32-bit code");
	memcpy(&cs, m.stack + m.gpr[GPR_RDI] - m.stack_page + 8, sizeof(cs));
	ok(cs == ABI_USER32_CS && m.cs == ABI_USER_CS, "its handler is 64-bit code, and is told what it has interrupted");
	call(ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL);
	m.handler = ABI_USER_TEXT + 2;
	m.gpr[GPR_RSP] = ABI_USER_UNMAPPED;
	ok(step() && m.rip == ABI_USER_TEXT + 0x40 && m.cs == ABI_USER_CS, "one that cannot be stored goes on in 64-bit code");
}

/* CS is a thread's own. */
static void test_threads(void)
{
	static const uint8_t text[] = { 0xcd, 0x80 };
	const struct model_boot boot = { .entry = ABI_USER_TEXT, .entry_2 = ABI_USER_TEXT, .fsgsbase = true, .text = text, .text_size = sizeof(text) };

	model_init(&m, &boot);
	m.cs = ABI_USER32_CS;
	model_reschedule(&m);
	ok(m.current == 1 && m.cs == ABI_USER_CS, "another thread is 64-bit code");
	model_reschedule(&m);
	ok(m.current == 0 && m.cs == ABI_USER32_CS, "and the first one 32-bit code still");
	call(ABI_SYS_FORK, ABI_USER_RSP_2);
	ok(step() && m.gpr[GPR_RAX] == 1, "32-bit code makes a thread");
	model_reschedule(&m);
	is_u64(m.cs, ABI_USER32_CS, "which is 32-bit code");
	call(ABI_SYS_EXEC, ABI_USER_TEXT + 2);
	ok(step() && m.cs == ABI_USER_CS, "what an exec begins is 64-bit code");
}

/* RBX is written in 32-bit code, and read by 64-bit code. */
static void test_rbx(void)
{
	BEGIN(0x0f, 0x0b);                              /* ud2 */
	in_32_bits();
	m.gpr[GPR_RBX] += 1ull << 32;
	ok(!step() && strstr(err, "RBX"), "a fault does not go on at more than 32 bits");
	call(ABI_SYS_FORK, ABI_USER_RSP_2);
	m.gpr[GPR_RBX] += 1ull << 32;
	ok(!step() && strstr(err, "FORK"), "nor does a thread begin there");
}

int main(void)
{
	plan(5 + 11 + 2 * 6 + 8 + 4 + 3 + 5 + 2);
	test_begins();
	test_instructions();
	test_call(ABI_USER32_CS, "a system call of 32-bit code");
	test_call(ABI_USER_CS, "and of 64-bit code");
	test_refused();
	test_ends();
	test_signal();
	test_threads();
	test_rbx();
	return done();
}
