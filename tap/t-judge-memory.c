/* SPDX-License-Identifier: MIT */
/* t-judge-memory.c: which byte of RAM an event may change: declared counters and dead kernel stack, and no other. */
#include "tap/elf_image.h"
#include "tap/judge_case.h"

/* Next to K, as counters lie: eight aligned bytes, three that lie askew, and one. */
#define COUNTER   (K + 0x40)
#define ASKEW     (K + 0x7e)
#define SINGLE    (K + PAGE_SIZE - 1)

#define ALL_STACKS ((1u << STACK_COUNT) - 1)

static struct elf *elf;

static struct world memory_world(unsigned cpl)
{
	struct world w = good_world(EVENT_NMI, cpl, SCHEME_IST);

	w.judge.stacks = ALL_STACKS;
	w.layout.elf = elf;
	w.layout.exempt[0] = (struct exempt){ COUNTER, 8, 0, "eight bytes", 0 };
	w.layout.exempt[1] = (struct exempt){ ASKEW, 3, 0, "three bytes across two words", 0 };
	w.layout.exempt[2] = (struct exempt){ SINGLE, 1, 0, "the last byte of a page", 0 };
	w.layout.exempts = 3;
	return w;
}

static struct world rsp_world(uint64_t rsp)
{
	struct world w = memory_world(0);

	w.before.gpr[GPR_RSP] = rsp;
	return w;
}

/* Judges the page of addr with `size` bytes changed there; whether that is a breach of `transparent`. */
static bool breaks(struct world *w, uint64_t addr, unsigned size)
{
	uint8_t was[PAGE_SIZE], now[PAGE_SIZE];
	uint64_t page = addr & -(uint64_t)PAGE_SIZE;

	for (unsigned n = 0; n < PAGE_SIZE; n++)
		was[n] = now[n] = n * 7 + 1;
	for (unsigned n = 0; n < size; n++)
		now[addr - page + n] ^= 0x80;
	world_link(w);
	judge_begin(&w->judge);
	judge_at(&w->judge, "back", &w->before);
	judge_page(&w->judge, &w->before, page - ABI_KERNEL_VIRT, now, was);
	return w->judge.breach.broken && w->judge.breach.rule == RULE_TRANSPARENT;
}

static void is_live(struct world *w, uint64_t addr, const char *what)
{
	ok(breaks(w, addr, 1), "%s is live", what);
}

static void may_change(struct world *w, uint64_t addr, const char *what)
{
	ok(!breaks(w, addr, 1), "%s may change", what);
}

static void test_page(void)
{
	struct world w = memory_world(0);
	uint64_t checked = w.judge.count[RULE_TRANSPARENT].checked;
	unsigned seen = 0;

	ok(!breaks(&w, K + 0x100000, 0), "a page that is as it was breaks nothing");
	is_u64(w.judge.count[RULE_TRANSPARENT].checked, checked + 1, "and is counted");
	for (unsigned n = 0; n < PAGE_SIZE; n++)
		seen += breaks(&w, K + 0x100000 + n, 1);
	is_u64(seen, PAGE_SIZE, "every single byte of a page is seen");
	ok(breaks(&w, DATA + 9, 1), "a byte of kernel data");
	is_str(w.judge.breach.detail, "memory at data_word+0x1 is 0xc0, must be 0x40", "is told by its symbol");
	ok(breaks(&w, DATA + 0x100000, 1) && strstr(w.judge.breach.detail, "memory at 0xffffffff80300000 is "),
	   "where no symbol is, by its address");
	w.judge.muted = 1u << RULE_TRANSPARENT;
	ok(!breaks(&w, DATA + 9, 1), "if the golden run broke the rule, it is not said again");
}

static void test_exempt(void)
{
	struct world w = memory_world(0);

	is_live(&w, COUNTER - 1, "the byte below a counter");
	may_change(&w, COUNTER, "a counter's first byte");
	may_change(&w, COUNTER + 7, "a counter's last byte");
	is_live(&w, COUNTER + 8, "the byte above a counter");
	ok(!breaks(&w, COUNTER, 8), "the whole counter may change");
	ok(breaks(&w, COUNTER, 9), "the counter and one byte more may not");
	ok(breaks(&w, COUNTER - 1, 9), "nor the counter and one byte less");
	is_live(&w, ASKEW - 1, "the byte below three askew");
	ok(!breaks(&w, ASKEW, 3), "the three, in two words, may change");
	is_live(&w, ASKEW + 3, "the byte above them");
	ok(breaks(&w, ASKEW, 4), "a live byte is seen after an exempt one of its word");
	ok(breaks(&w, ASKEW - 1, 2), "and before one");
	may_change(&w, SINGLE, "the last byte of a page, declared");
	is_live(&w, SINGLE - 1, "the byte before it");
	is_live(&w, SINGLE + 1, "the first byte of the next page");
	is_live(&w, COUNTER + (1ull << 20), "what is 1 MB above a counter");
	w.layout.exempts = 0;
	is_live(&w, COUNTER, "a counter that is not declared");
}

/* At CPL 0 on one of the stacks: its slot and what is at and above RSP is live. */
static void test_stack_in_use(unsigned stack)
{
	struct world w = memory_world(0);
	const struct kernel_stack *s = &w.layout.stack[stack];
	uint64_t top = s->base + s->size, low = s->base + s->slot_bytes, rsp = s->base + s->size / 2 + 8;

	printf("# the %s stack in use\n", s->name);
	w = rsp_world(rsp);
	is_live(&w, rsp, "the byte at RSP");
	may_change(&w, rsp - 1, "the byte below RSP");
	ok(breaks(&w, rsp - 1, 2), "a change across RSP is seen");
	is_live(&w, top - 1, "the highest byte");
	may_change(&w, low, "the lowest byte above the slot");
	is_live(&w, s->base + s->size + 0x10000, "what is far above every stack");
	w = rsp_world(top - 1);
	is_live(&w, top - 1, "all but empty, the highest byte");
	may_change(&w, top - 2, "all but empty, the one below it");
	w = rsp_world(top);
	may_change(&w, top - 1, "empty, the highest byte");
	w = rsp_world(low + 1);
	is_live(&w, low + 1, "full, the lowest byte in use");
	may_change(&w, low, "full, the one below it");
}

/* Idle stacks, for one in use: all but the slot. */
static void test_idle(struct world w, unsigned used, const char *when)
{
	for (unsigned n = 0; n < STACK_COUNT; n++) {
		const struct kernel_stack *s = &w.layout.stack[n];
		uint64_t low = s->base + s->slot_bytes, top = s->base + s->size;

		if (n == used)
			continue;
		ok(!breaks(&w, low, 1) && !breaks(&w, low + 0x800, 1) && !breaks(&w, top - 1, 1),
		   "%s, the idle %s stack may change from end to end", when, s->name);
	}
}

static void test_slots(struct world w, const char *when)
{
	for (unsigned n = 0; n < STACK_COUNT; n++) {
		const struct kernel_stack *s = &w.layout.stack[n];
		unsigned live = 0;

		for (unsigned byte = 0; byte < s->slot_bytes; byte++)
			live += breaks(&w, s->base + byte, 1);
		if (s->slot_bytes)
			is_u64(live, SLOT, "%s, every byte of the %s stack's slot is live", when, s->name);
	}
}

/* The gap of a page, and the ends of the row of stacks. */
static void test_around(struct world w, const char *when)
{
	ok(breaks(&w, STACKS - 1, 1), "%s, the byte below the lowest stack is live", when);
	ok(breaks(&w, STACKS + 0x2000, 1), "%s, the byte above the thread stack is live", when);
	ok(breaks(&w, STACKS + 0x2fff, 1), "%s, the byte below the nmi stack is live", when);
	ok(breaks(&w, STACKS + 0x8000, 1), "%s, the byte above the highest stack is live", when);
}

/* One stack's top is the next one's base: an RSP there is the lower one's. */
static void test_neighbours(void)
{
	struct world w = rsp_world(STACKS + 0x4000);

	may_change(&w, STACKS + 0x3fff, "RSP at a shared border: the empty lower stack's highest byte");
	is_live(&w, STACKS + 0x4000, "RSP at a shared border: the upper one's slot");
	may_change(&w, STACKS + 0x4000 + SLOT, "RSP at a shared border: the idle upper one's lowest byte");
}

static void test_all_stacks(struct world w, unsigned used, const char *when)
{
	test_idle(w, used, when);
	test_slots(w, when);
	test_around(w, when);
}

/* User memory, by its place in RAM: nothing of it is dead, below the user's RSP neither. */
static void test_user_memory(unsigned cpl)
{
	struct world w = memory_world(cpl);

	if (cpl)
		w.before.gpr[GPR_RSP] = ABI_USER_STACK + 0xf00;
	printf("# at CPL %u\n", cpl);
	is_live(&w, USER_MEMORY, "the first byte of user memory");
	is_live(&w, USER_MEMORY + 0xf00, "user memory at the user's RSP");
	is_live(&w, USER_MEMORY + 0xeff, "user memory below the user's RSP");
	is_live(&w, USER_MEMORY + 0xfff, "the last byte of user memory");
	is_live(&w, TEXT, "the first byte of kernel text");
	is_live(&w, TEXT + 0xfff, "a later byte of kernel text");
	is_live(&w, ABI_KERNEL_VIRT, "the first byte of RAM");
	is_live(&w, ABI_KERNEL_VIRT + ABI_RAM_SIZE - 1, "the last byte of RAM");
}

/* After SYSCALL the kernel runs on the user's RSP, and at the end of the way out again. */
static void test_user_rsp(void)
{
	static const uint64_t values[] = { 0, ABI_USER_RSP, ABI_TASK_SIZE_MAX - 1, ~0ull };

	for (unsigned n = 0; n < COUNT_OF(values); n++) {
		struct world w = rsp_world(values[n]);

		test_all_stacks(w, STACK_COUNT, "in the kernel on the user's RSP");
	}
}

/* A user can load any number into RSP: it puts no kernel stack in use. */
static void test_user_lies(void)
{
	struct world w = memory_world(3);

	w.before.gpr[GPR_RSP] = STACKS + 0x1000;
	test_idle(w, STACK_COUNT, "a user with a kernel RSP");
	is_live(&w, USER_MEMORY, "and user memory");
}

/* A stack that the event may not use is live from end to end, idle or in use, and those that it may use are not. */
static void test_forbidden(unsigned stack, struct world w, const char *when)
{
	const struct kernel_stack *s = &w.layout.stack[stack];
	uint64_t low = s->base + s->slot_bytes, top = s->base + s->size;
	unsigned others = 0;

	w.judge.stacks = ALL_STACKS & ~(1u << stack);
	ok(breaks(&w, low, 1) && breaks(&w, low + 0x800, 1) && breaks(&w, top - 1, 1),
	   "%s, the %s stack is live from end to end if it may not be used", when, s->name);
	for (unsigned n = 0; n < STACK_COUNT; n++)
		others += n != stack && breaks(&w, w.layout.stack[n].base + SLOT, 1);
	is_u64(others, 0, "%s, and no other stack", when);
	w.judge.stacks = 1u << stack;
	ok(!breaks(&w, low, 1), "%s, if it is the only one that may be used, its lowest byte may change", when);
	for (unsigned n = 0; n < STACK_COUNT; n++)
		others += n != stack && breaks(&w, w.layout.stack[n].base + SLOT, 1);
	is_u64(others, STACK_COUNT - 1, "%s, and no other stack's", when);
}

int main(void)
{
	elf = open_image();
	if (!elf)
		return 1;
	plan(7 + 17 + 5 * 11 + 3 * (4 + 4) + 4 + (5 + 4 + 4) + 4 * (5 + 4 + 4) + 3 + 2 * 8 + 6 +
	     3 * 5 * 4);
	test_page();
	test_exempt();
	for (unsigned n = 0; n < STACK_COUNT; n++)
		test_stack_in_use(n);
	test_idle(rsp_world(STACKS + 0x1000), THREAD, "on the thread stack");
	test_slots(rsp_world(STACKS + 0x1000), "on the thread stack");
	test_idle(rsp_world(STACKS + 0x3800), NMI_STACK, "on the nmi stack");
	test_slots(rsp_world(STACKS + 0x3800), "on the nmi stack");
	test_idle(rsp_world(STACKS + 0x7000), DB_STACK, "on the debug stack");
	test_slots(rsp_world(STACKS + 0x7000), "on the debug stack");
	test_around(rsp_world(STACKS + 0x1000), "on the thread stack");
	test_all_stacks(memory_world(3), STACK_COUNT, "at CPL 3");
	test_user_rsp();
	test_neighbours();
	test_user_memory(0);
	test_user_memory(3);
	test_user_lies();
	for (unsigned n = 0; n < STACK_COUNT; n++) {
		struct world w = memory_world(0);

		test_forbidden(n, memory_world(3), "at CPL 3");
		test_forbidden(n, rsp_world(ABI_USER_RSP), "in the kernel on the user's RSP");
		test_forbidden(n, rsp_world(stack_top(&w, n)), "empty and in use");
	}
	elf_close(elf);
	return done();
}
