/* SPDX-License-Identifier: MIT */
/* t-tally.c: each instruction that is tallied is counted on the way that executed it, and each way once. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/tally.h"

static struct tally t;
static const uint64_t user_stack = 0x7000, thread_stack = 0x9000, ist_stack = 0xb000;

/* One boundary, about to execute this. */
static void at(unsigned cpl, uint64_t rsp, int vector, const char *bytes)
{
	struct insn insn;
	bool known = decode_insn((const uint8_t *)bytes, 15, 0x1000, &insn);
	const struct tally_visit v = { .cpl = cpl, .rsp = rsp, .vector = vector, .insn = known ? &insn : NULL };

	tally_visit(&t, &v);
}

#define NOP     "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
#define SWAPGS  "\x0f\x01\xf8" NOP
#define RDMSR   "\x0f\x32" NOP
#define WRMSR   "\x0f\x30" NOP
#define RDGS    "\xf3\x48\x0f\xae\xcb" NOP
#define WRFS    "\xf3\x48\x0f\xae\xd2" NOP
#define MOV_GS  "\x8e\xef" NOP                  /* mov %edi, %gs */
#define MOV_CX  "\x8c\xe9" NOP                  /* mov %gs, %ecx */
#define IRETQ   "\x48\xcf" NOP
#define SYSRETQ "\x48\x0f\x07" NOP

static void user(void)
{
	at(3, user_stack, TALLY_NONE, NOP);
}

static void kernel(const char *bytes)
{
	at(0, thread_stack, TALLY_NONE, bytes);
}

static void is_way(unsigned n, const char *name, uint64_t times)
{
	char seen[64] = "";

	if (n < t.ways)
		tally_name(&t.way[n], seen, sizeof(seen));
	is_str(seen, name, "way %u is %s", n, name);
	is_u64(n < t.ways ? t.way[n].times : 0, times, "%lu times", (unsigned long)times);
}

static uint64_t count(unsigned way, enum tallied n)
{
	return way < t.ways ? t.way[way].count[n] : ~0ull;
}

static void test_syscall(void)
{
	memset(&t, 0, sizeof(t));
	for (unsigned n = 0; n < 3; n++) {
		user();
		kernel(SWAPGS);
		kernel("\xfb" NOP);                     /* sti */
		kernel("\xfa" NOP);                     /* cli */
		kernel(MOV_GS);
		kernel(MOV_CX);
		kernel(SWAPGS);
		kernel(n ? SYSRETQ : IRETQ);
	}
	user();
	is_way(0, "SYSCALL to IRET", 1);
	is_way(1, "SYSCALL to SYSRET", 2);
	is_u64(count(0, TALLIED_SWAPGS), 2, "SWAPGS of one");
	is_u64(count(1, TALLIED_SWAPGS), 4, "and of two");
	ok(count(1, TALLIED_STI) == 2 && count(1, TALLIED_CLI) == 2, "STI and CLI");
	is_u64(count(1, TALLIED_MOV_GS), 2, "a selector is loaded by a write of GS, and not by a read");
}

static void test_nested(void)
{
	memset(&t, 0, sizeof(t));
	user();
	at(0, thread_stack, 14, SWAPGS);                /* a page fault ... */
	kernel(WRMSR);
	at(0, ist_stack, 2, RDGS);                      /* ... interrupted by an NMI ... */
	at(0, ist_stack, TALLY_NONE, WRFS);
	at(0, ist_stack, TALLY_NONE, IRETQ);
	kernel(RDMSR);
	at(0, ist_stack, 2, NOP);                       /* ... and by one whose return does not unmask */
	at(0, ist_stack, TALLY_NONE, "\xc3" NOP);
	kernel(SWAPGS);
	kernel(IRETQ);
	user();
	is_way(0, "NMI in the kernel", 2);
	is_way(1, "#PF to IRET", 1);
	ok(count(0, TALLIED_RDGSBASE) == 1 && count(0, TALLIED_WRFSBASE) == 1 && !count(0, TALLIED_RDMSR), "the NMI has its own");
	ok(count(1, TALLIED_SWAPGS) == 2 && count(1, TALLIED_WRMSR) == 1 && count(1, TALLIED_RDMSR) == 1 &&
	   !count(1, TALLIED_RDGSBASE), "the page fault has what came before, between and behind");
}

/* The IRET of a system call faults; what comes of it goes to user code, and both are over. */
static void test_bad_iret(void)
{
	memset(&t, 0, sizeof(t));
	user();
	kernel(SWAPGS);
	kernel(SWAPGS);
	kernel(IRETQ);
	at(0, thread_stack - 64, 13, SWAPGS);
	kernel(SWAPGS);
	kernel(IRETQ);
	user();
	is_way(0, "#GP to IRET", 1);
	is_way(1, "SYSCALL to IRET", 1);
}

static void test_switch(void)
{
	const struct tally_visit begins = { .rsp = thread_stack, .vector = TALLY_NONE, .switching = true, .switch_begins = true };
	struct tally_visit v = begins;
	struct insn insn;

	memset(&t, 0, sizeof(t));
	decode_insn((const uint8_t *)SWAPGS, 15, 0x1000, &insn);
	user();
	kernel(SWAPGS);
	v.insn = &insn;
	tally_visit(&t, &v);
	v.switch_begins = false;
	tally_visit(&t, &v);
	v.switching = false;
	v.left_out = true;
	tally_visit(&t, &v);
	kernel(SYSRETQ);
	user();
	is_way(0, "context switch", 1);
	is_way(1, "SYSCALL and a switch", 1);
	is_u64(count(0, TALLIED_SWAPGS), 2, "what a switch executes is the switch's");
	is_u64(count(1, TALLIED_SWAPGS), 1, "and not the way's; nor is what is left out");
}

static void test_sum(void)
{
	struct tally sum = { 0 };

	tally_add(&sum, &t);
	tally_add(&sum, &t);
	t = sum;
	is_way(0, "context switch", 2);
	is_u64(count(0, TALLIED_SWAPGS), 4, "sums");
	for (unsigned n = 0; n < 3 * TALLY_LEVELS; n++)
		at(0, ist_stack, 2, NOP);
	user();
	ok(t.levels == 0 && t.ways <= TALLY_WAYS, "more stays inside of each other than there is room for");
}

int main(void)
{
	plan(8 + 6 + 4 + 6 + 4);
	test_syscall();
	test_nested();
	test_bad_iret();
	test_switch();
	test_sum();
	return done();
}
