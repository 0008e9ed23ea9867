/* SPDX-License-Identifier: MIT */
/* t-model-kernel.c: in the model of the user program, every visit to the kernel leaves what guest/abi.h
 * promises, and what nobody promises is refused. */
#include <string.h>

#include "tap/model_text.h"

#define SYSCALL 0x0f, 0x05

/* One instruction that faults: what the kernel leaves behind, like a signal. */
static void faults(uint64_t vector, uint64_t error, uint64_t rdi, const char *name)
{
	uint64_t rsp = m.gpr[GPR_RSP], rcx = m.gpr[GPR_RCX], r11 = m.gpr[GPR_R11];

	m.rflags = 0x240602 | RFLAGS_RF;
	ok(model_enters_kernel(&m), "%s enters the kernel", name);
	is_u64(m.rip, ABI_USER_TEXT, "and asking so moves nothing");
	steps_to(0x40, "it goes on at RBX");
	is_u64(m.gpr[GPR_RAX], vector, "RAX is the vector");
	is_u64(m.gpr[GPR_RDX], error, "RDX is the error code");
	is_u64(m.gpr[GPR_RDI], rdi, "RDI is CR2 for #PF and else kept");
	is_u64(m.rflags, 0x240602, "RFLAGS is kept but for RF");
	ok(m.gpr[GPR_RSP] == rsp && m.gpr[GPR_RCX] == rcx && m.gpr[GPR_R11] == r11, "RSP, RCX and R11 are kept");
}

static void test_faults(void)
{
	BEGIN(0x0f, 0x0b);                              /* ud2 */
	faults(6, 0, 0x1000, "#UD");
	BEGIN(0xcc);                                    /* int3 */
	faults(3, 0, 0x1000, "#BP");
	BEGIN(0xfa);                                    /* cli */
	faults(13, 0, 0x1000, "#GP");
	BEGIN(0x48, 0x8b, 0x16);                        /* mov (%rsi),%rdx */
	m.gpr[GPR_RSI] = ABI_USER_UNMAPPED;
	faults(14, 4, ABI_USER_UNMAPPED, "a load from an unmapped page");
	BEGIN(0x48, 0x89, 0x2e);                        /* mov %rbp,(%rsi) */
	m.gpr[GPR_RSI] = ABI_USER_UNMAPPED;
	faults(14, 6, ABI_USER_UNMAPPED, "a store to an unmapped page");
	BEGIN(0x48, 0x89, 0x2e);
	m.gpr[GPR_RSI] = ABI_USER_TEXT;
	faults(14, 7, ABI_USER_TEXT, "a store to text");
	BEGIN(0x48, 0x8b, 0x16);
	m.gpr[GPR_RSI] = ABI_KERNEL_VIRT;
	faults(14, 5, ABI_KERNEL_VIRT, "a load from kernel memory");
	BEGIN(0x48, 0x89, 0x2e);
	m.gpr[GPR_RSI] = ABI_USER_DATA + 0xffc;
	faults(14, 6, ABI_USER_DATA + 0x1000, "a store that leaves the data page");
	is_u64(m.data[0xffc], 0, "and nothing of it was stored");
	BEGIN(0x50);                                    /* push %rax */
	m.gpr[GPR_RSP] = ABI_USER_STACK;
	faults(14, 6, ABI_USER_STACK - 8, "a push below the stack");
	BEGIN(0x9d);                                    /* popfq */
	m.gpr[GPR_RSP] = ABI_USER_STACK + 0x1000;
	faults(14, 4, ABI_USER_STACK + 0x1000, "a pop above the stack");
}

/* One system call: its result, and what SYSCALL and the return leave in the other registers. */
static void call(uint64_t number, uint64_t arg, uint64_t want, const char *name)
{
	uint64_t rsp, rdx;

	BEGIN(SYSCALL, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90);
	m.rflags = 0x240e02 | RFLAGS_RF;
	m.gpr[GPR_RAX] = number;
	m.gpr[GPR_RDI] = arg;
	rsp = m.gpr[GPR_RSP];
	rdx = m.gpr[GPR_RDX];
	ok(model_enters_kernel(&m) && step(), "%s", name);
	is_u64(m.gpr[GPR_RAX], want, "its result");
	is_u64(m.gpr[GPR_RCX], ABI_USER_TEXT + 2, "RCX is the address behind SYSCALL");
	is_u64(m.gpr[GPR_R11], 0x240e02, "R11 is RFLAGS without RF");
	is_u64(m.rflags, 0x240e02, "RFLAGS is back");
	ok(m.gpr[GPR_RSP] == rsp && m.gpr[GPR_RDX] == rdx && m.gpr[GPR_RDI] == arg, "RSP, RDX and RDI are kept");
}

static void test_syscalls(void)
{
	call(ABI_SYS_ECHO, 0xfedcba9876543210, 0xfedcba9876543210, "ECHO returns its argument");
	is_u64(m.rip, ABI_USER_TEXT + 2, "to behind SYSCALL");
	call(ABI_SYS_SET_GS, 0x7fffffffefff, 0, "SET_GS takes the highest user address");
	is_u64(m.gs_base, 0x7fffffffefff, "and U is it");
	call(ABI_SYS_SET_GS, ABI_TASK_SIZE_MAX, -1ull, "SET_GS refuses TASK_SIZE_MAX with EPERM");
	is_u64(m.gs_base, 0, "and U is kept");
	call(ABI_SYS_GET_GS, 5, 0, "GET_GS returns U");
	call(ABI_SYS_JUMP, ABI_USER_TEXT + 5, 0, "JUMP returns 0");
	is_u64(m.rip, ABI_USER_TEXT + 5, "elsewhere");
	call(ABI_SYS_READ, ABI_USER_TEXT, 0x909090909090050f, "READ returns 8 bytes of text");
	call(ABI_SYS_READ, ABI_USER_DATA + 0xff8, 0, "READ reaches the end of the data page");
	call(ABI_SYS_READ, ABI_USER_DATA + 0xff9, -14ull, "READ across its end is EFAULT");
	call(ABI_SYS_READ, ABI_USER_UNMAPPED, -14ull, "READ of an unmapped page is EFAULT");
	call(ABI_SYS_READ, ABI_KERNEL_VIRT, -14ull, "READ of kernel memory is EFAULT");
	call(ABI_SYS_READ, 0x800000000000, -14ull, "READ of a non-canonical address is EFAULT");
	call(ABI_SYS_YIELD, 5, 0, "YIELD returns 0");
	is_u64(m.rip, ABI_USER_TEXT + 2, "to behind SYSCALL");
	is_u64(m.gs_base, 0, "with the same U");
	call(ABI_SYS_RAISE, ABI_VECTOR_NMI | ABI_RAISE_FAULT | ABI_RAISE_AGAIN, 0, "RAISE returns 0 for an NMI");
	call(ABI_SYS_RAISE, ABI_VECTOR_MC, 0, "for a machine check");
	call(ABI_SYS_RAISE, ABI_VECTOR_DB, 0, "and for a debug exception");
	call(ABI_SYS_RAISE, ABI_VECTOR_IRQ, -22ull, "EINVAL for others");
	call(64, 5, -38ull, "a number behind the last is ENOSYS");
	call(99, 0, -38ull, "an unknown number is ENOSYS");
	call(1ull << 32, 7, -38ull, "the number is 64 bits wide");
	ok(!m.exited, "none of these ended the program");
	call(ABI_SYS_EXIT, 7, 0, "EXIT ends it");
	ok(m.exited && m.exit_code == 7, "with its code");
	ok(!step() && strstr(err, "ended"), "and there is no step after it: %s", err);
}

/* What the model does not know it must say, in one line, and never guess. */
static void refused(const char *why)
{
	struct model before = m;

	ok(!model_enters_kernel(&m), "what is not known does not enter the kernel");
	ok(!step() && strstr(err, why) && !strchr(err, '\n') && m.rip == before.rip, "refused: %s", err);
}

static void test_refusals(void)
{
	BEGIN(0x48, 0x01, 0xc0);                        /* add %rax,%rax */
	refused("add is not an instruction the model knows");
	BEGIN(0x06);
	refused("not a valid instruction");
	BEGIN(0x0f);                                    /* cut off */
	refused("not a valid instruction");
	BEGIN(0x90);
	m.rip++;
	refused("outside the user text");
	m.rip = ABI_USER_TEXT - 1;
	refused("outside the user text");
	BEGIN(0xe6, 0xf4);                              /* out %al,$0xf4 */
	refused("OUT to another port");
	BEGIN(0xee);                                    /* out %al,%dx */
	refused("OUT to another port");
	BEGIN(0x8e, 0xe8);                              /* mov %ax,%gs */
	refused("register ax");
	BEGIN(0x8a, 0x06);                              /* mov (%rsi),%al */
	refused("8 bits");
	BEGIN(0x48, 0x8b, 0x06);                        /* mov (%rsi),%rax */
	m.gpr[GPR_RSI] = 0x7ffffffffffc;
	refused("0x800000000003");
	m.gpr[GPR_RSI] = ABI_USER_TEXT + 1;
	refused("past the end of the text");
	BEGIN(0x67, 0x48, 0x8b, 0x06);                  /* mov (%esi),%rax */
	refused("32-bit addressing");
	BEGIN(0x66, 0x50);                              /* push %ax */
	refused("register ax");
	BEGIN(0x8e, 0x2e);                              /* mov (%rsi),%gs */
	refused("16 bits");
	BEGIN(SYSCALL);
	m.gpr[GPR_RAX] = ABI_SYS_JUMP;
	m.gpr[GPR_RDI] = ABI_TASK_SIZE_MAX;
	refused("SYS_JUMP");
}

int main(void)
{
	plan((10 * 8 + 1) + (20 * 6 + 9) + 30);
	test_faults();
	test_syscalls();
	test_refusals();
	return done();
}
