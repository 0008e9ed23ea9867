/* SPDX-License-Identifier: MIT */
/* t-model-return.c: in the model of the user program, SIGRETURN, SET_RIP and LOAD_GS leave what guest/abi.h promises, whatever
 * selectors and addresses they are asked for. */
#include <string.h>

#include "tap/model_text.h"

#define FLAGS_ASKED 0xffffffffffffffff
#define FLAGS_GIVEN (ABI_SIGRETURN_FLAGS | RFLAGS_FIXED | RFLAGS_IF)
#define FLAGS_KEPT  (FLAGS_GIVEN & ~RFLAGS_RF)  /* RF is lost with the fault */

static void call(uint64_t number, uint64_t arg)
{
	BEGIN(0x0f, 0x05, 0x90, 0x90, 0x90, 0x90);      /* syscall */
	m.gpr[GPR_RAX] = number;
	m.gpr[GPR_RDI] = arg;
	m.gs = ABI_USER_SS;
	m.gs_base = 0x1000;
}

static void sigreturn_to(uint64_t rip, uint64_t cs, uint64_t ss)
{
	uint64_t word[5] = { rip, cs, FLAGS_ASKED, ABI_USER_RSP - 64, ss };

	call(ABI_SYS_SIGRETURN, ABI_USER_DATA + 8);
	memcpy(m.data + 8, word, sizeof(word));
}

static void test_sigreturn(void)
{
	sigreturn_to(ABI_USER_TEXT + 4, ABI_USER_CS, ABI_USER_SS);
	steps_to(4, "SIGRETURN goes where it is told");
	is_u64(m.gpr[GPR_RAX], 0, "and returns 0");
	is_u64(m.gpr[GPR_RSP], ABI_USER_RSP - 64, "on that stack");
	is_u64(m.rflags, FLAGS_GIVEN, "with the flags that user code may set, and IF");
	ok(m.gpr[GPR_RCX] == ABI_USER_TEXT + 2 && m.gpr[GPR_R11] == (RFLAGS_FIXED | RFLAGS_IF), "RCX and R11 are SYSCALL's");
	ok(!m.refused, "and nothing is refused");
	sigreturn_to(ABI_USER_TEXT + 4, ABI_USER_CS & ~3, (ABI_USER_SS & ~3) | 1ull << 16);
	steps_to(4, "RPL 3 is the kernel's business, and a selector has 16 bits");
}

/* The error code is the selector that IRET could not load. */
static void refuses(uint64_t cs, uint64_t ss, uint64_t vector, uint64_t error, const char *name)
{
	sigreturn_to(ABI_USER_TEXT + 4, cs, ss);
	ok(model_enters_kernel(&m), "%s", name);
	steps_to(0x40, "it goes on at RBX");
	is_u64(m.gpr[GPR_RAX], vector, "RAX is the vector");
	is_u64(m.gpr[GPR_RDX], error, "RDX is the error code");
	ok(m.rflags == FLAGS_KEPT && m.gpr[GPR_RSP] == ABI_USER_RSP - 64, "RFLAGS and RSP are those asked for");
	ok(m.refused && m.bad_iret.rip == ABI_USER_TEXT + 4 && m.bad_iret.cs == (cs | 3) && m.bad_iret.ss == (ss | 3) &&
	   m.bad_iret.rflags == FLAGS_GIVEN && m.bad_iret.rsp == ABI_USER_RSP - 64, "the IRET that cannot be is known");
	ok(step() == false && !m.refused, "until the next step");
}

static void test_refused(void)
{
	refuses(ABI_USER_CS, ABI_KERNEL_SS, 13, ABI_KERNEL_SS, "the kernel's SS: #GP");
	refuses(ABI_USER_CS, 0, 13, 0, "a null SS: #GP");
	refuses(ABI_USER_CS, 0xfff8, 13, 0xfff8, "an SS behind the table: #GP");
	refuses(ABI_USER_CS, ABI_ABSENT_SS, 12, ABI_ABSENT_SS & ~3, "an SS that is not present: #SS");
	refuses(ABI_KERNEL_CS, ABI_USER_SS, 13, ABI_KERNEL_CS, "the kernel's CS: #GP");
	refuses(ABI_ABSENT_CS, ABI_USER_SS, 11, ABI_ABSENT_CS & ~3, "a CS that is not present: #NP");
	refuses(ABI_ABSENT_CS, ABI_ABSENT_SS, 11, ABI_ABSENT_CS & ~3, "CS is looked at before SS");
}

static void is_efault(const char *name)
{
	steps_to(2, name);
	ok(m.gpr[GPR_RAX] == -14ull && m.gpr[GPR_RSP] == ABI_USER_RSP && !m.refused, "is EFAULT, and nothing has changed");
}

static void test_efault(void)
{
	sigreturn_to(ABI_TASK_SIZE_MAX, ABI_USER_CS, ABI_USER_SS);
	is_efault("SIGRETURN out of user space");
	call(ABI_SYS_SIGRETURN, ABI_USER_UNMAPPED);
	is_efault("SIGRETURN from an unmapped page");
	call(ABI_SYS_SIGRETURN, ABI_USER_DATA + 0x1000 - 39);
	is_efault("SIGRETURN from across the end of the data page");
}

static void test_set_rip(void)
{
	call(ABI_SYS_SET_RIP, ABI_USER_TEXT + 4);
	m.rflags |= RFLAGS_AC;
	steps_to(4, "SET_RIP goes where it is told");
	ok(m.gpr[GPR_RAX] == 0 && m.gpr[GPR_RCX] == ABI_USER_TEXT + 4, "it returns 0, and RCX is RIP");
	ok(m.gpr[GPR_R11] == m.rflags && m.rflags == (RFLAGS_FIXED | RFLAGS_IF | RFLAGS_AC), "R11 is RFLAGS");
	ok(!m.refused, "and nothing is refused");
}

static void refuses_rip(uint64_t rip, const char *name)
{
	call(ABI_SYS_SET_RIP, rip);
	steps_to(0x40, name);
	ok(m.gpr[GPR_RAX] == 13 && m.gpr[GPR_RDX] == 0, "is #GP(0)");
	ok(m.gpr[GPR_RCX] == rip && m.gpr[GPR_R11] == m.rflags && m.gpr[GPR_RSP] == ABI_USER_RSP, "all else is as asked for");
	ok(m.refused && m.bad_iret.rip == rip && m.bad_iret.cs == ABI_USER_CS && m.bad_iret.ss == ABI_USER_SS &&
	   m.bad_iret.rflags == m.rflags && m.bad_iret.rsp == ABI_USER_RSP, "the IRET that cannot be is known");
}

static void is_no_answer(uint64_t rip, const char *name)
{
	call(ABI_SYS_SET_RIP, rip);
	ok(!step() && strstr(err, "SYS_SET_RIP"), "%s", name);
}

static void test_set_rip_out_of_user_space(void)
{
	refuses_rip(1ull << 47, "SET_RIP to the first address that is not canonical");
	refuses_rip(0xffff7fffffffffff, "SET_RIP to the last one");
	is_no_answer(ABI_TASK_SIZE_MAX, "SET_RIP to the page below");
	is_no_answer(0xffff800000000000, "SET_RIP to the kernel's half");
}

static void loads_gs(uint64_t asked, uint64_t result, uint16_t gs, const char *name)
{
	call(ABI_SYS_LOAD_GS, asked);
	steps_to(2, name);
	ok(m.gpr[GPR_RAX] == result && m.gs == gs && m.gs_base == 0x1000, "the result, GS, and U is kept");
}

static void test_load_gs(void)
{
	loads_gs(ABI_USER_SS & ~3, 0, ABI_USER_SS, "LOAD_GS of the user's data, with RPL 3");
	loads_gs(ABI_USER_CS, 0, ABI_USER_CS, "LOAD_GS of the user's code");
	loads_gs(ABI_USER32_CS, 0, ABI_USER32_CS, "LOAD_GS of the user's 32-bit code");
	loads_gs(0, 0, 0, "LOAD_GS of null");
	loads_gs(3, 0, 0, "LOAD_GS of null with an RPL");
	loads_gs(1ull << 16, 0, 0, "LOAD_GS takes 16 bits");
	loads_gs(ABI_KERNEL_SS, -22ull, 0, "LOAD_GS of the kernel's");
	loads_gs(ABI_ABSENT_SS, -22ull, 0, "LOAD_GS of what is not present");
	loads_gs(ABI_TSS, -22ull, 0, "LOAD_GS of what is no segment");
	loads_gs(0xfff8, -22ull, 0, "LOAD_GS behind the table");
}

int main(void)
{
	plan(7 + 7 * 7 + 3 * 2 + 4 + 2 * 4 + 2 + 10 * 2);
	test_sigreturn();
	test_refused();
	test_efault();
	test_set_rip();
	test_set_rip_out_of_user_space();
	test_load_gs();
	return done();
}
