/* SPDX-License-Identifier: MIT */
/* judge_memory.c: memory after an event: every byte as it was, but counters that the guest declares, what it declares
 * to change while an NMI is owed, and dead kernel stack. */
#include <string.h>

#include "vmm/judge.h"

/* An interrupt in the kernel stays on the stack of the thread that runs there. */
const struct kernel_stack *judge_stack_of(const struct judge *j, const struct injected *in)
{
	unsigned used = layout_stack(j->layout, in->before->gpr[GPR_RSP]), from = cpu_cpl(in->before);

	if (!from && event_is_interrupt(in->event) && used != LAYOUT_STACK_USER && !(j->layout->stack[used].vectors & ~ABI_STACK_IDLE))
		return &j->layout->stack[used];
	return layout_stack_of(j->layout, event_vector(in->event), from);
}

void judge_allow_thread_stack(struct judge *j, unsigned thread)
{
	const struct kernel_stack *s = layout_thread_stack(j->layout, thread);

	if (s)
		j->stacks |= 1u << (s - j->layout->stack);
}

void judge_allow_stacks(struct judge *j, const struct injected *in)
{
	const struct kernel_stack *own = judge_stack_of(j, in);
	const struct kernel_stack *ist = event_is_interrupt(in->event) ? own : layout_stack_of(j->layout, event_vector(in->event), 0);
	unsigned used = cpu_cpl(in->before) ? LAYOUT_STACK_USER : layout_stack(j->layout, in->before->gpr[GPR_RSP]);

	j->stacks = 0;
	for (unsigned n = 0; n < j->layout->stacks; n++) {
		const struct kernel_stack *s = &j->layout->stack[n];

		if (s == own || s == ist || ((in->inside || event_is_interrupt(in->event)) && n == used))
			j->stacks |= 1u << n;
	}
	if (event_asks(in->event))
		judge_allow_thread_stack(j, j->layout->thread);
}

/* Dead: below RSP on the stack in use; on an idle stack that the event may use all of it; the slot is live always. The SYSCALL exit
 * leaves the thread stack with RSP already the user's, so that "in use" is what RSP says and nothing else. */
static bool is_dead_stack(const struct judge *j, const struct cpu_state *before, uint64_t addr)
{
	const struct layout *l = j->layout;
	uint64_t rsp = before->gpr[GPR_RSP];
	unsigned used = cpu_cpl(before) ? LAYOUT_STACK_USER : layout_stack(l, rsp);

	for (unsigned n = 0; n < l->stacks; n++) {
		const struct kernel_stack *s = &l->stack[n];

		if (addr >= s->base + s->slot_bytes && addr < s->base + s->size)
			return j->stacks >> n & 1 && (n != used || addr < rsp);
	}
	return false;
}

static bool holds(const struct judge *j, const struct exempt *x)
{
	return x->vector != ABI_KEEPS_U && (j->nested || x->vector != ABI_WHILE_NESTED) && (j->switched || x->vector != ABI_SWITCH_STORES);
}

/* Counters; what other rules speak of: `return` of how often each exit was decided, `context` of context tracking; where another thread has
 * run what its switches have stored; and at CPL 3, or where the event has asked for work, the work
 * flags, of which the rule exit-work speaks there. */
static bool is_exempt(const struct judge *j, const struct cpu_state *before, uint64_t addr)
{
	const struct layout *l = j->layout;

	if ((cpu_cpl(before) || j->asked) && addr - l->thread_work < sizeof(uint64_t))
		return true;
	for (unsigned n = 0; n < l->aparts; n++)
		if (range_has(&l->apart[n], addr))
			return true;
	for (unsigned n = 0; n < l->exempts; n++)
		if (l->exempt[n].cpu == l->cpu && addr - l->exempt[n].addr < l->exempt[n].size && holds(j, &l->exempt[n]))
			return true;
	return false;
}

/* Where the thread keeps U while the kernel runs nobody reads while user code runs. What is written there must be this U, all of it. */
static bool keeps_u(const struct judge *j, const struct cpu_state *before, uint64_t addr, const uint8_t *now)
{
	const struct layout *l = j->layout;
	uint64_t value;

	memcpy(&value, now, sizeof(value));
	if (!cpu_cpl(before) || value != before->a)
		return false;
	for (unsigned n = 0; n < l->exempts; n++)
		if (l->exempt[n].vector == ABI_KEEPS_U && l->exempt[n].addr == addr)
			return true;
	return false;
}

static void judge_bytes(struct judge *j, const struct cpu_state *before, uint64_t addr, const uint8_t *now,
			const uint8_t *was)
{
	char name[128];

	if (keeps_u(j, before, addr, now))
		return;
	for (unsigned n = 0; n < 8; n++) {
		if (now[n] == was[n] || is_exempt(j, before, addr + n) || is_dead_stack(j, before, addr + n))
			continue;
		elf_name(j->layout->elf, addr + n, name, sizeof(name));
		judge_check(j, RULE_TRANSPARENT, false, "memory at %s is %#x, must be %#x", name, now[n], was[n]);
		return;
	}
}

void judge_page(struct judge *j, const struct cpu_state *before, gpa_t gpa, const uint8_t *now, const uint8_t *was)
{
	j->count[RULE_TRANSPARENT].checked++;
	if (!memcmp(now, was, PAGE_SIZE))
		return;
	for (unsigned n = 0; n < PAGE_SIZE; n += 8)
		if (memcmp(now + n, was + n, 8))
			judge_bytes(j, before, ABI_KERNEL_VIRT + gpa + n, now + n, was + n);
}
