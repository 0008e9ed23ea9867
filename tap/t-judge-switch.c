/* SPDX-License-Identifier: MIT */
/* t-judge-switch.c: what may differ where another thread has run in between, and what may not. */
#include "tap/elf_image.h"
#include "tap/judge_case.h"

#define STORES  (K + 0x48)              /* a place that a switch writes */
#define FLAGS   (DATA + 0x100)          /* the work flags */

static struct elf *elf;

static struct world switch_world(unsigned cpl)
{
	struct world w = good_world(EVENT_TIMER, cpl, SCHEME_IST);

	w.layout.elf = elf;
	w.layout.exempt[0] = (struct exempt){ STORES, 8, ABI_SWITCH_STORES, "saved", 0 };
	w.layout.exempts = 1;
	w.layout.thread_work = FLAGS;
	w.layout.stack[STACK_COUNT] = (struct kernel_stack){ STACKS - 0x8000, 0x2000, 0, 0, "thread-2", 0, 0, 1 };
	w.layout.stacks = STACK_COUNT + 1;
	return w;
}

/* One byte of RAM changed, in a case that is so far. */
static bool breaks(struct world *w, uint64_t addr, bool switched, bool asked, unsigned threads)
{
	uint8_t was[PAGE_SIZE] = { 0 }, now[PAGE_SIZE] = { 0 };
	uint64_t page = addr & -(uint64_t)PAGE_SIZE;

	now[addr - page] = 1;
	world_link(w);
	judge_begin(&w->judge);
	w->judge.stacks = 0;
	w->judge.switched = switched;
	w->judge.asked = asked;
	for (unsigned n = 0; n < threads; n++)
		judge_allow_thread_stack(&w->judge, n);
	judge_page(&w->judge, &w->before, page - ABI_KERNEL_VIRT, now, was);
	return w->judge.breach.broken && w->judge.breach.rule == RULE_TRANSPARENT;
}

static void test_stores(void)
{
	struct world w = switch_world(3);

	ok(breaks(&w, STORES, false, false, 0), "what a switch stores is live without one");
	ok(!breaks(&w, STORES, true, false, 0), "and may change with one");
	ok(breaks(&w, STORES - 1, true, false, 0) && breaks(&w, STORES + 8, true, false, 0), "but nothing beside it");
	w.layout.exempt[0].cpu = 1;
	ok(breaks(&w, STORES, true, false, 0), "nor what another CPU's switch stores");
	breaks(&w, STORES, true, true, 0);
	judge_begin(&w.judge);
	ok(!w.judge.switched && !w.judge.asked, "the next case begins without");
}

static void test_flags(void)
{
	struct world w = switch_world(0);

	ok(breaks(&w, FLAGS, false, false, 0), "in the kernel the work flags are live");
	ok(!breaks(&w, FLAGS, false, true, 0), "unless the event asks by them");
	ok(breaks(&w, FLAGS + 8, false, true, 0), "and then nothing beside them may change");
	w = switch_world(3);
	ok(!breaks(&w, FLAGS, false, false, 0), "at CPL 3 the rule exit-work looks at them");
}

static void test_stacks(void)
{
	struct world w = switch_world(3);
	uint64_t first = STACKS + 0x100, second = STACKS - 0x8000 + 0x100;

	ok(breaks(&w, first, true, false, 0) && breaks(&w, second, true, false, 0), "a thread's stack is live if nobody has said otherwise");
	ok(!breaks(&w, first, true, false, 1) && breaks(&w, second, true, false, 1), "that of one that may have run is not");
	ok(!breaks(&w, first, true, false, 2) && !breaks(&w, second, true, false, 2), "nor that of the other");
	ok(breaks(&w, STACKS + 0x3800, true, false, 2), "an IST stack is none of theirs");
}

static bool page_breaks(unsigned at, uint8_t value)
{
	static uint8_t now[PAGE_SIZE], expected[PAGE_SIZE];
	struct world w = switch_world(3);

	world_link(&w);
	judge_begin(&w.judge);
	memset(now, 0x11, sizeof(now));
	memset(expected, 0x11, sizeof(expected));
	now[at] = value;
	judge_user_page(&w.judge, ABI_USER_DATA, now, expected);
	return w.judge.breach.broken && w.judge.breach.rule == RULE_USER_STATE && strstr(w.judge.breach.detail, "user memory at 0x600");
}

static void test_user_page(void)
{
	unsigned seen = 0;

	ok(!page_breaks(0, 0x11), "user memory as the model has it");
	for (unsigned n = 0; n < PAGE_SIZE; n++)
		seen += page_breaks(n, 0x12);
	is_u64(seen, PAGE_SIZE, "every byte that differs is seen");
}

int main(void)
{
	elf = open_image();
	if (!elf)
		return 1;
	plan(5 + 4 + 4 + 2);
	test_stores();
	test_flags();
	test_stacks();
	test_user_page();
	elf_close(elf);
	return done();
}
