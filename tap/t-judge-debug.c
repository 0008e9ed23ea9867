/* SPDX-License-Identifier: MIT */
/* t-judge-debug.c: where debug registers may point while they are armed. */
#include "tap/judge_case.h"

#define G(n)          (2ull << 2 * (n))
#define L(n)          (1ull << 2 * (n))
#define TYPE(n, bits) ((uint64_t)(bits) << (16 + 4 * (n)))
#define WRITE_8       9                 /* R/W = 01, LEN = 10 */
#define WRITE_1       1
#define EXECUTE       0

static void breakpoints(struct world *w)
{
	judge_breakpoints(&w->judge, &w->now);
}

static struct world armed(unsigned n, unsigned type, uint64_t at)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	w.now.dr7 = G(n) | TYPE(n, type);
	w.now.dr[n] = at;
	return w;
}

static void may(unsigned n, unsigned type, uint64_t at, const char *name)
{
	struct world w = armed(n, type, at);

	is_good(&w, breakpoints, name);
}

static void may_not(unsigned n, unsigned type, uint64_t at, const char *name)
{
	struct world w = armed(n, type, at);
	char says[16];

	snprintf(says, sizeof(says), "DR%u is armed", n);
	is_breach(&w, breakpoints, RULE_DEBUG, says, name);
}

static void test_data(void)
{
	struct cpu_state s = good_state();
	const struct layout l = good_layout();

	may(0, WRITE_8, K + 0x8000, "kernel data that entry code does not touch");
	may_not(1, WRITE_8, K, "the per-CPU area");
	may_not(1, WRITE_8, OTHER_K + ABI_PERCPU_SIZE - 8, "the last word of the other one");
	may(1, WRITE_8, OTHER_K + ABI_PERCPU_SIZE, "the word behind it");
	may_not(2, WRITE_8, s.gdt_base, "the GDT");
	may_not(2, WRITE_1, s.gdt_base + s.gdt_limit, "its last byte");
	may(2, WRITE_1, s.gdt_base + s.gdt_limit + 1, "the byte behind it");
	may(2, WRITE_1, s.idt_base - 1, "the byte before the IDT");
	may_not(3, WRITE_8, s.idt_base + s.idt_limit, "the last byte of the IDT, which the CPU's alignment reaches");
	may_not(3, WRITE_8, s.tss_base + 8, "the TSS");
	for (unsigned n = 0; n < l.stacks; n++) {
		may_not(0, WRITE_8, l.stack[n].base, "the lowest word of a stack");
		may_not(0, WRITE_8, l.stack[n].base + l.stack[n].size - 8, "its highest");
	}
}

static void test_execution(void)
{
	may(2, EXECUTE, ABI_USER_TEXT, "a breakpoint in user code");
	may_not(2, EXECUTE, KERNEL_TEXT, "one in the kernel's");
	may_not(2, EXECUTE, ABI_TASK_SIZE_MAX, "one behind user space");
}

static void test_armed(void)
{
	struct world w = armed(1, WRITE_8, K);

	w.now.dr7 = ABI_DR7_DISARMED | TYPE(1, WRITE_8);
	is_good(&w, breakpoints, "what is not armed may point anywhere");
	w.now.dr7 |= L(1);
	is_breach(&w, breakpoints, RULE_DEBUG, "DR1 is armed at 0xffffffff80200000, a per-CPU area", "L1 arms as G1 does");
}

int main(void)
{
	plan(10 + 2 * STACK_COUNT + 3 + 2);
	test_data();
	test_execution();
	test_armed();
	return done();
}
