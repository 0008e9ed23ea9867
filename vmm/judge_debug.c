/* SPDX-License-Identifier: MIT */
/* judge_debug.c: where armed debug registers may point: never to what entry code touches, or the CPU on the way into it, and never to kernel
 * text. */
#include "vmm/judge.h"

#define TSS_SIZE 104                    /* without the I/O map */

static bool overlaps(uint64_t at, uint64_t size, uint64_t start, uint64_t length)
{
	return at < start + length && start < at + size;
}

/* By the processor's registers and the image's symbols, not by the guest's own list. */
static const char *forbidden(const struct judge *j, const struct cpu_state *now, uint64_t at, uint64_t size)
{
	const struct layout *l = j->layout;

	if (overlaps(at, size, now->gdt_base, now->gdt_limit + 1ull))
		return "the GDT";
	if (overlaps(at, size, now->idt_base, now->idt_limit + 1ull))
		return "the IDT";
	if (overlaps(at, size, now->tss_base, TSS_SIZE))
		return "the TSS";
	if (overlaps(at, size, l->k_own, ABI_CPUS * (uint64_t)ABI_PERCPU_SIZE))
		return "a per-CPU area";
	for (unsigned n = 0; n < l->stacks; n++)
		if (overlaps(at, size, l->stack[n].base, l->stack[n].size))
			return "a kernel stack";
	return NULL;
}

/* DR7: L and G of register n at bits 2n, type and length at bit 16 + 4n (SDM vol. 3, 17.2.4). */
void judge_breakpoints(struct judge *j, const struct cpu_state *now)
{
	static const uint64_t lengths[] = { 1, 2, 8, 4 };

	for (unsigned n = 0; n < 4; n++) {
		unsigned type = now->dr7 >> (16 + 4 * n) & 3, length = now->dr7 >> (18 + 4 * n) & 3;
		const char *what = NULL;

		if (!(now->dr7 >> 2 * n & 3))
			continue;
		if (type)
			what = forbidden(j, now, now->dr[n] & ~(lengths[length] - 1), lengths[length]);
		else if (now->dr[n] >= ABI_TASK_SIZE_MAX)
			what = "kernel text";
		judge_check(j, RULE_DEBUG, !what, "DR%u is armed at %#lx, %s", n, (unsigned long)now->dr[n], what ? what : "");
	}
}
