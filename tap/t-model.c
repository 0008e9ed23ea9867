/* SPDX-License-Identifier: MIT */
/* t-model.c: the model of the user program starts as guest/abi.h says and executes as the manual says.
 * With an argument (build/guest.elf) it runs the guest's own programs to their ends. */
#include <stdio.h>
#include <string.h>

#include "tap/model_text.h"
#include "vmm/elf.h"
#include "vmm/gsvalue.h"
#include "vmm/mem.h"

#define STACK_TOP (ABI_USER_RSP - ABI_USER_STACK)

static void test_first_state(void)
{
	BEGIN(0x90);
	is_u64(m.gpr[GPR_RAX], ABI_USER_GPR, "RAX starts with its own number");
	is_u64(m.gpr[GPR_R15], ABI_USER_GPR + 15 * ABI_USER_GPR_STEP, "so does R15");
	is_u64(m.gpr[GPR_RSP], ABI_USER_RSP, "RSP is the user stack");
	is_u64(m.gpr[GPR_RDI], 0x1000, "RDI is the user GS asked for");
	is_u64(m.gpr[GPR_RCX], 1, "RCX tells that FSGSBASE is offered");
	is_u64(m.gpr[GPR_RSI], 0x240602, "RSI is flags=");
	is_u64(m.rflags, 0x202, "RFLAGS has IF and the fixed bit");
	is_u64(m.gs_base, 0, "U starts as 0");
}

static void test_mov(void)
{
	BEGIN(0xb8, 0xff, 0xff, 0xff, 0xff,             /* mov $0xffffffff,%eax */
	      0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, /* mov $-1,%rax */
	      0x48, 0xbf, 8, 7, 6, 5, 4, 3, 2, 1,       /* movabs $0x0102030405060708,%rdi */
	      0x89, 0xff,                               /* mov %edi,%edi */
	      0x48, 0x8d, 0x7f, 0xff,                   /* lea -1(%rdi),%rdi */
	      0x48, 0xf7, 0xd7,                         /* not %rdi */
	      0x48, 0x8d, 0x05, 1, 0, 0, 0);            /* lea 1(%rip),%rax */
	step();
	is_u64(m.gpr[GPR_RAX], 0xffffffff, "a 32-bit immediate clears the upper half");
	step();
	is_u64(m.gpr[GPR_RAX], ~0ull, "in a 64-bit MOV it is sign-extended");
	step();
	is_u64(m.gpr[GPR_RDI], 0x0102030405060708, "a 64-bit immediate");
	step();
	is_u64(m.gpr[GPR_RDI], 0x05060708, "a 32-bit register move clears the upper half");
	step();
	is_u64(m.gpr[GPR_RDI], 0x05060707, "LEA adds a negative displacement");
	step();
	is_u64(m.gpr[GPR_RDI], ~0x05060707ull, "NOT inverts all 64 bits");
	steps_to(38, "LEA relative to RIP");
	is_u64(m.gpr[GPR_RAX], ABI_USER_TEXT + 39, "counts from the next instruction");
	is_u64(m.rflags, 0x202, "none of them touched RFLAGS");
}

static void test_stack(void)
{
	BEGIN(0x54,                                     /* push %rsp */
	      0x6a, 0xff,                               /* push $-1 */
	      0x58,                                     /* pop %rax */
	      0x5c,                                     /* pop %rsp */
	      0x41, 0x57,                               /* push %r15 */
	      0x5c);                                    /* pop %rsp */
	step();
	is_u64(m.gpr[GPR_RSP], ABI_USER_RSP - 8, "PUSH moves RSP by 8");
	is_u64(m.stack[STACK_TOP - 8] | m.stack[STACK_TOP - 7] << 8, ABI_USER_RSP & 0xffff, "PUSH RSP stores the old one");
	step();
	step();
	is_u64(m.gpr[GPR_RAX], ~0ull, "an immediate is pushed sign-extended, and popped");
	step();
	is_u64(m.gpr[GPR_RSP], ABI_USER_RSP, "POP RSP loads");
	step();
	step();
	is_u64(m.gpr[GPR_RSP], ABI_USER_GPR + 15 * ABI_USER_GPR_STEP, "and is not incremented after");
}

static void popf(uint64_t before, uint64_t popped, uint64_t want, const char *name)
{
	BEGIN(0x50, 0x9d);                              /* push %rax; popfq */
	m.gpr[GPR_RAX] = popped;
	m.rflags = before;
	step();
	step();
	is_u64(m.rflags, want, "POPFQ at CPL 3 %s", name);
}

static void test_flags(void)
{
	popf(0x202, 0x240602, 0x240602, "sets ID, AC and DF");
	popf(0x202, 0, 0x202, "cannot clear IF or the fixed bit");
	popf(0x202, 0x3202, 0x202, "cannot raise IOPL");
	popf(0x202, ~0ull, 0x202 | 0x8d5 | 0x100 | 0x400 | 0x4000 | 0x40000 | 0x200000, "sets what it can and no more");
	popf(0x240ed7 | RFLAGS_RF, 0x202, 0x202, "clears arithmetic flags, DF, AC, ID, and RF always");
	BEGIN(0xfd, 0xfc, 0x9c, 0x58);                  /* std; cld; pushfq; pop %rax */
	step();
	is_u64(m.rflags, 0x602, "STD sets DF");
	step();
	is_u64(m.rflags, 0x202, "CLD clears it");
	m.rflags = 0x202 | RFLAGS_RF;
	step();
	step();
	is_u64(m.gpr[GPR_RAX], 0x202, "PUSHFQ stores RFLAGS without RF");
	m.rflags |= RFLAGS_TF;
	ok(!step() && strstr(err, "outside"), "TF is no reason to refuse, the end of the text is: %s", err);
}

static void test_jumps(void)
{
	BEGIN(0xeb, 0x02, 0x90, 0x90,                   /* 0 jmp 4 */
	      0xe3, 0x02, 0xe2, 0xfc,                   /* 4 jrcxz 8; 6 loop 4 */
	      0xff, 0xe0);                              /* 8 jmp *%rax */
	m.gpr[GPR_RCX] = 2;
	m.gpr[GPR_RAX] = ABI_USER_TEXT + 2;
	steps_to(4, "JMP");
	steps_to(6, "JRCXZ with RCX = 2 falls through");
	steps_to(4, "LOOP with RCX = 2 goes round");
	is_u64(m.gpr[GPR_RCX], 1, "and counts down");
	steps_to(6, "JRCXZ with RCX = 1 falls through");
	steps_to(8, "LOOP with RCX = 1 ends");
	m.rip -= 4;
	steps_to(8, "JRCXZ with RCX = 0 jumps");
	m.gpr[GPR_RCX] = 0;
	m.rip -= 2;
	steps_to(4, "LOOP with RCX = 0 goes round");
	is_u64(m.gpr[GPR_RCX], ~0ull, "after a count down below 0");
	m.rip += 4;
	steps_to(2, "an indirect JMP");
	is_u64(m.rflags, 0x202, "no jump touched RFLAGS");
}

static void test_data(void)
{
	BEGIN(0x48, 0x89, 0x2e,                         /* mov %rbp,(%rsi) */
	      0x48, 0x8b, 0x46, 0x01,                   /* mov 1(%rsi),%rax */
	      0x48, 0x8b, 0x05, 0xf2, 0xff, 0xff, 0xff);/* mov -14(%rip),%rax: the text itself */
	m.gpr[GPR_RSI] = ABI_USER_DATA + 0xff8;
	m.gpr[GPR_RBP] = 0x1122334455667788;
	step();
	is_u64(m.data[0xff8], 0x88, "a store is little-endian");
	is_u64(m.data[0xfff], 0x11, "up to the last byte of the page");
	m.gpr[GPR_RSI] -= 2;
	step();
	is_u64(m.gpr[GPR_RAX], 0x2233445566778800, "an unaligned load");
	step();
	is_u64(m.gpr[GPR_RAX], 0x4801468b482e8948, "text can be read");
}

/* mov %rbp,%gs:(%rsi); mov %gs:(%rsi),%r8 with RSI = DATA - U: the way of the program `gs`. */
static void gs_reaches_data(uint64_t u, const char *name)
{
	BEGIN(0x65, 0x48, 0x89, 0x2e, 0x65, 0x4c, 0x8b, 0x06);
	m.gs_base = u;
	m.gpr[GPR_RSI] = ABI_USER_DATA - u;
	step();
	step();
	is_u64(m.gpr[GPR_R8], m.gpr[GPR_RBP], "GS-relative store and load with %s", name);
	is_u64(m.data[0], m.gpr[GPR_RBP] & 0xff, "go to the data page");
}

static void test_gs(void)
{
	gs_reaches_data(0x1000, "a small base");
	gs_reaches_data(0x7fffffffffff, "the highest user base");
	gs_reaches_data(~0ull, "a base of all ones");
	gs_reaches_data(0xffffffff80123000, "a kernel base");
	BEGIN(0xf3, 0x48, 0x0f, 0xae, 0xdf,             /* wrgsbase %rdi */
	      0xf3, 0x48, 0x0f, 0xae, 0xc8,             /* rdgsbase %rax */
	      0xf3, 0x48, 0x0f, 0xae, 0xc2,             /* rdfsbase %rdx */
	      0xf3, 0x0f, 0xae, 0xdf);                  /* wrgsbase %edi */
	m.gpr[GPR_RDI] = 0xffffffff80123000;
	m.fs_base = 0x5000;
	step();
	is_u64(m.gs_base, 0xffffffff80123000, "WRGSBASE takes a kernel address");
	step();
	is_u64(m.gpr[GPR_RAX], 0xffffffff80123000, "RDGSBASE reads it back");
	step();
	is_u64(m.gpr[GPR_RDX], 0x5000, "RDFSBASE reads FS base");
	step();
	is_u64(m.gs_base, 0x80123000, "a 32-bit WRGSBASE is zero-extended");
	m.rip = ABI_USER_TEXT;
	m.gpr[GPR_RDI] = 0x800000000000;
	ok(!step() && strstr(err, "non-canonical"), "a non-canonical base is refused: %s", err);
}

static void base_insn_off(void)
{
	m.fsgsbase = false;
	m.gs_base = 0x3000;
	m.gpr[GPR_RDI] = 0x2000;
}

static void is_undefined(const char *name)
{
	base_insn_off();
	m.fsgsbase_can_be_off = true;
	steps_to(0x40, name);
	ok(m.gpr[GPR_RAX] == 6 && !m.gpr[GPR_RDX] && m.gs_base == 0x3000, "is #UD, and the base is kept");
}

/* Not offered: CR4 decides, or on some hosts it does not. */
static void test_gs_off(void)
{
	BEGIN(0xf3, 0x48, 0x0f, 0xae, 0xdf);            /* wrgsbase %rdi */
	is_undefined("WRGSBASE that is not offered");
	BEGIN(0xf3, 0x48, 0x0f, 0xae, 0xc8);            /* rdgsbase %rax */
	is_undefined("RDGSBASE that is not offered");
	base_insn_off();
	m.rip = ABI_USER_TEXT;
	m.fsgsbase_can_be_off = false;
	steps_to(5, "RDGSBASE on a host that executes it all the same");
	is_u64(m.gpr[GPR_RAX], 0x3000, "reads U");
	BEGIN(0xf3, 0x48, 0x0f, 0xae, 0xc2);            /* rdfsbase %rdx */
	is_undefined("RDFSBASE that is not offered");
	BEGIN(0xf3, 0x48, 0x0f, 0xae, 0xdf);
	base_insn_off();
	steps_to(5, "WRGSBASE on a host that executes it all the same");
	is_u64(m.gs_base, 0x2000, "sets U");
}

/* Ends with code 0 within a thousand steps. */
static bool runs(const struct model_boot *boot)
{
	unsigned steps;

	model_init(&m, boot);
	for (steps = 0; !m.exited && steps < 1000; steps++)
		if (!step())
			return false;
	snprintf(err, sizeof(err), "exit code %llu after %u steps", (unsigned long long)m.exit_code, steps);
	return m.exited && !m.exit_code;
}

static void test_program(const char *name, struct model_boot boot)
{
	const uint64_t own_k = 0xffffffff80123000;
	unsigned scheme, gs, bad = 0;

	for (scheme = 0; scheme < SCHEME_COUNT; scheme++) {
		for (gs = 0; gs < GS_COUNT; gs++) {
			if (!gsvalue_legal(gs, scheme))
				continue;
			boot.fsgsbase = scheme != SCHEME_SWAPGS;
			boot.gs = gsvalue_resolve(gs, own_k, own_k + ABI_PERCPU_SIZE);
			if (runs(&boot) && m.gs_base == boot.gs)
				continue;
			printf("# %s/%s: %s\n", scheme_name(scheme), gsvalue_name(gs), err);
			bad++;
		}
	}
	is_u64(bad, 0, "%s runs to its end with every legal user GS: %s", name, err);
}

static const char *const programs[] = {
	"user_syscall", "user_syscall_iret", "user_exception", "user_usercopy", "user_gs", "user_flags", "user_set_rip", "user_fallback",
};
#define N_PROGRAMS (sizeof(programs) / sizeof(*programs))

static void test_guest(const char *path)
{
	struct model_boot boot = { .flags = 0x240602 };
	struct elf *e = elf_open(path, err, sizeof(err));
	const struct elf_symbol *load, *end, *entry;
	struct mem ram;
	size_t i;

	mem_init(&ram, ABI_RAM_SIZE);
	load = e ? elf_symbol(e, "__user_text_load") : NULL;
	end = e ? elf_symbol(e, "__user_text_end") : NULL;
	if (!ok(load && end && elf_load(e, &ram, err, sizeof(err)), "%s loads and has a user text", path)) {
		printf("# %s\n", err);
		return;
	}
	boot.text_size = end->addr - ABI_USER_TEXT;
	boot.text = mem_at(&ram, load->addr - ABI_KERNEL_VIRT, boot.text_size);
	for (i = 0; i < N_PROGRAMS && boot.text; i++) {
		entry = elf_symbol(e, programs[i]);
		boot.entry = entry ? entry->addr : 0;
		test_program(programs[i], boot);
	}
	elf_close(e);
	mem_free(&ram);
}

int main(int argc, char **argv)
{
	plan((argc > 1 ? 1 + N_PROGRAMS : 0) + 8 + 9 + 5 + 9 + 11 + 4 + 13 + 10);
	test_first_state();
	test_mov();
	test_stack();
	test_flags();
	test_jumps();
	test_data();
	test_gs();
	test_gs_off();
	if (argc > 1)
		test_guest(argv[1]);
	return done();
}
