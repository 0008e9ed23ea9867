/* SPDX-License-Identifier: MIT */
/* t-layout.c: what the bench reads of the guest's layout: stacks, places, counters, returns, gates. */
#include "tap/guest_image.h"
#include "tap/tap.h"
#include "vmm/layout.h"

#define TABLES  (ABI_RAM_SIZE - 0x4000) /* the test's own page tables, where the guest has nothing */
#define IDT     0xffff900000000000ull   /* mapped by them */

static struct layout layout;

static bool overlap(const struct kernel_stack *a, const struct kernel_stack *b)
{
	return a->base < b->base + b->size && b->base < a->base + a->size;
}

static void test_stacks(void)
{
	static const struct {
		const char *name;
		uint32_t vectors;
	} rows[] = { { "thread", 0 }, { "nmi", 1 << 2 }, { "double-fault", 1 << 8 }, { "machine-check", 1 << 18 },
		     { "debug", 1 << 1 }, { "idle", ABI_STACK_IDLE } };
	const struct kernel_stack *s = layout.stack;
	unsigned overlaps = 0;

	is_u64(layout.stacks, 12, "six stacks of each CPU");
	for (unsigned n = 0; n < 6; n++) {
		is_str(s[n].name, rows[n].name, "stack %u is called %s", n, rows[n].name);
		is_u64(s[n].vectors, rows[n].vectors, "and takes its vectors");
		if (n && n < 5)
			ok(!(s[n].size & (s[n].size - 1)) && !(s[n].base & (s[n].size - 1)) && s[n].slot_bytes == (n == 1 ? 32 : 16),
			   "its size is a power of two, its base aligned to that, its slot as it must be");
		else
			ok(s[n].base == address(n ? "idle_stack" : "thread_stack") && !s[n].slot_bytes, "it has no slot");
		ok(layout_stack(&layout, s[n].base + s[n].size) == n && layout_stack(&layout, s[n].base + 1) == n,
		   "RSP from its base + 1 to its top is on it");
		ok(layout_stack(&layout, s[n].base) != n && layout_stack(&layout, s[n].base + s[n].size + 1) != n,
		   "one below or above is not");
		for (unsigned k = 0; k < n; k++)
			overlaps += overlap(&s[n], &s[k]);
	}
	is_u64(overlaps, 0, "no two overlap");
	ok(layout_stack(&layout, ABI_USER_RSP) == LAYOUT_STACK_USER && layout_stack(&layout, 0) == LAYOUT_STACK_USER,
	   "the user's RSP is on none");
	ok(layout_stack(&layout, (s[1].base + 8) ^ 1ull << 32) == LAYOUT_STACK_USER, "nor is one that is 4 GB off");
}

static void test_stack_of(void)
{
	static const struct {
		unsigned vector;
		const char *name;
	} rows[] = { { 2, "nmi" }, { 18, "machine-check" }, { 1, "debug" }, { 8, "double-fault" } };

	for (unsigned n = 0; n < 4; n++) {
		const struct kernel_stack *s = layout_stack_of(&layout, rows[n].vector, 0);

		is_str(s ? s->name : "none", rows[n].name, "vector %u at CPL 0 runs on its own", rows[n].vector);
		s = layout_stack_of(&layout, rows[n].vector, 3);
		is_str(s ? s->name : "none", "thread", "vector %u from CPL 3 on the thread stack", rows[n].vector);
	}
	for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
		const struct kernel_stack *irq = layout_stack_of(&layout, ABI_VECTOR_IRQ, cpl);
		const struct kernel_stack *resched = layout_stack_of(&layout, ABI_VECTOR_RESCHED, cpl);

		ok(irq == layout.stack && resched == layout.stack, "interrupts at CPL %u run on the thread stack", cpl);
	}
	ok(!layout_stack_of(&layout, 14, 0), "a page fault at CPL 0 has no stack of its own");
	ok(layout_thread_stack(&layout, 0) == layout.stack && layout_thread_stack(&layout, 1) == layout.stack + 5 &&
	   !layout_thread_stack(&layout, 2), "each thread has a stack");
	layout.thread = 1;
	ok(layout_stack_of(&layout, 2, 3) == layout.stack + 5 && layout_stack_of(&layout, ABI_VECTOR_IRQ, 0) == layout.stack + 5 &&
	   layout_stack_of(&layout, 2, 0) == layout.stack + 1, "that of the one that runs is used");
	layout.thread = 0;
}

/* All that depends on the CPU, and a thread that goes to another one. */
static void test_select(void)
{
	const struct kernel_stack *nmi = layout_stack_of(&layout, 2, 0), *thread = layout_stack_of(&layout, 0, 3), *other;
	uint64_t k[] = { layout.k_own, layout.k_other }, work = layout.thread_work;

	layout_select(&layout, 1);
	ok(layout.k_own == k[1] && layout.k_other == k[0] && layout.thread_work == work + 8, "CPU 1 has its own K and work flags");
	other = layout_stack_of(&layout, 2, 0);
	ok(other && other != nmi && other->cpu == 1, "and its own NMI stack");
	ok(layout_stack(&layout, nmi->base + 8) == LAYOUT_STACK_USER, "the other one's is none of its stacks");
	other = layout_stack_of(&layout, 0, 3);
	layout_give_stack(&layout, 0);
	ok(layout_stack_of(&layout, 0, 3) == thread && other->cpu == LAYOUT_NO_CPU, "a thread that comes brings its stack");
	layout_select(&layout, 0);
	is_str(layout_stack_of(&layout, 0, 3)->name, "idle", "the CPU that it has left has its idle stack");
	layout_give_stack(&layout, 0);
	layout_select(&layout, 1);
	layout_give_stack(&layout, 1);
	ok(layout_stack_of(&layout, 0, 3) == other, "each has its own again");
	layout_select(&layout, 0);
	ok(layout_stack_of(&layout, 0, 3) == thread && layout.k_own == k[0] && layout.thread_work == work, "and CPU 0 is as it was");
}

/* All that depends on the CPU, and a thread that goes to another one. */
static void test_select(void)
{
	const struct kernel_stack *nmi = layout_stack_of(&layout, 2, 0), *thread = layout_stack_of(&layout, 0, 3), *other;
	uint64_t k[] = { layout.k_own, layout.k_other }, work = layout.thread_work;

	layout_select(&layout, 1);
	ok(layout.k_own == k[1] && layout.k_other == k[0] && layout.thread_work == work + 8, "CPU 1 has its own K and work flags");
	other = layout_stack_of(&layout, 2, 0);
	ok(other && other != nmi && other->cpu == 1, "and its own NMI stack");
	ok(layout_stack(&layout, nmi->base + 8) == LAYOUT_STACK_USER, "the other one's is none of its stacks");
	other = layout_stack_of(&layout, 0, 3);
	layout_give_stack(&layout, 0);
	ok(layout_stack_of(&layout, 0, 3) == thread && other->cpu == LAYOUT_NO_CPU, "a thread that comes brings its stack");
	layout_select(&layout, 0);
	is_str(layout_stack_of(&layout, 0, 3)->name, "idle", "the CPU that it has left has its idle stack");
	layout_give_stack(&layout, 0);
	layout_select(&layout, 1);
	layout_give_stack(&layout, 1);
	ok(layout_stack_of(&layout, 0, 3) == other, "each has its own again");
	layout_select(&layout, 0);
	ok(layout_stack_of(&layout, 0, 3) == thread && layout.k_own == k[0] && layout.thread_work == work, "and CPU 0 is as it was");
}

static void event_code_is(enum event event, const char *handler, const char *body)
{
	const struct event_code *code = &layout.event[event];

	ok(code->handler == address(handler) && code->body == (body ? address(body) : 0), "the handler %s of %s, %s",
	   handler, event_name(event), body ? body : "which has no body");
}

static void test_event_code(void)
{
	event_code_is(EVENT_NMI, "exc_nmi", "nmi_body");
	event_code_is(EVENT_MCE, "exc_machine_check", "machine_check_body");
	event_code_is(EVENT_DB, "exc_debug", "debug_body");
	event_code_is(EVENT_IRQ, "exc_interrupt", NULL);
	event_code_is(EVENT_TIMER, "exc_timer", NULL);
	event_code_is(EVENT_NMI_RESCHED, "exc_nmi", "nmi_body");
	event_code_is(EVENT_MCE_RESCHED, "exc_machine_check", "machine_check_body");
	event_code_is(EVENT_DB_RESCHED, "exc_debug", "debug_body");
}

static void test_places(void)
{
	const struct c_handler *h = layout.handler;

	is_u64(layout.k_own, address("percpu_areas"), "K is the first per-CPU area");
	is_u64(layout.k_other, layout.k_own + ABI_PERCPU_SIZE, "the other K is the second");
	is_u64(layout.cmdline, address("boot_cmdline"), "the command line");
	is_u64(layout.page_table, address("boot_pml4") - ABI_KERNEL_VIRT, "the page table, by its physical address");
	is_u64(layout.event_request, address("event_request"), "what the bench asks handlers for");
	for (unsigned n = 0; n < LAYOUT_HANDLERS; n++)
		ok(h[n].addr == address(h[n].name) && range_has(&layout.text, h[n].addr), "the handler %s", h[n].name);
	ok(h[0].vector == -1 && h[1].vector == 6 && h[2].vector == 14 && h[3].vector == 13, "each by its vector");
	ok(range_has(&layout.text, layout.entry_text.start) && layout.entry_text.start < layout.entry_text.end &&
	   layout.entry_text.end <= layout.text.end, "entry text lies in kernel text");
	ok(range_has(&layout.entry_text, address("entry_SYSCALL_64")) &&
	   !range_has(&layout.entry_text, layout.entry_text.end), "and has the SYSCALL entry");
	is_u64(layout.user_text.start, ABI_USER_TEXT, "user text is where user code runs");
}

static void test_exempts(void)
{
	static const uint64_t vectors[] = { 1, 2, 18, ABI_VECTOR_IRQ, ABI_VECTOR_RESCHED, ABI_VECTOR_TIMER };
	const struct abi_exempt *table = in_ram("abi_exempt");
	const uint64_t k[] = { layout.k_own, layout.k_other };
	unsigned inside = 0, nested = 0, same = 0, counters[5] = { 0 };

	for (unsigned n = 0; n < layout.exempts; n++) {
		const struct exempt *x = &layout.exempt[n];

		inside += x->addr >= k[x->cpu] && x->addr + x->size <= k[x->cpu] + ABI_PERCPU_SIZE && x->size == 8;
		layout_select(&layout, x->cpu);
		nested += x->vector == ABI_WHILE_NESTED && layout_stack(&layout, x->addr + 1) == 1 + 6 * x->cpu;
		layout_select(&layout, 0);
		same += x->reason[0] && !strncmp(x->reason, table[n].reason, sizeof(table[n].reason)) &&
			x->addr == table[n].addr && x->vector == table[n].vector;
		for (unsigned v = 0; v < 5; v++)
			counters[v] += x->vector == vectors[v];
	}
	ok(layout.exempts > 0, "the guest declares counters");
	is_u64(nested, 4, "and two places of each NMI stack that an NMI inside an NMI may change");
	is_u64(inside, layout.exempts - nested, "each counter is eight bytes in the per-CPU area");
	is_u64(same, layout.exempts, "and says why, and of which vector");
	for (unsigned v = 0; v < 5; v++)
		ok(counters[v] > 1, "there is one of each CPU for vector %lu", (unsigned long)vectors[v]);
}

static void test_fixups(void)
{
	is_u64(layout.fixups, 3, "the guest declares where it may fault on user GS");
	is_u64(layout_fixup(&layout, address("exit_to_user_iretq")), ABI_FIXUP_IRET, "at the IRET to user code");
	is_u64(layout_fixup(&layout, address("exit_to_user_iretq_pure")), ABI_FIXUP_IRET, "at that of scheme pure");
	is_u64(layout_fixup(&layout, address("load_gs_mov")), ABI_FIXUP_RESUME, "at the load of a selector");
	is_u64(layout_fixup(&layout, address("load_gs_mov") + 2), 0, "and at nothing else");
}

/* Against the bytes: IRETQ is 48 cf, SYSRETQ 48 0f 07. */
static void test_returns(void)
{
	const uint8_t *text = mem_at(&ram, layout.text.start - ABI_KERNEL_VIRT, layout.text.end - layout.text.start);
	unsigned irets = 0, sysrets = 0, in_entry = 0;

	for (unsigned n = 0; n < layout.returns_count; n++) {
		const uint8_t *p = text + (layout.returns[n] - layout.text.start);

		irets += p[0] == 0x48 && p[1] == 0xcf;
		sysrets += p[0] == 0x48 && p[1] == 0x0f && p[2] == 0x07;
		in_entry += range_has(&layout.entry_text, layout.returns[n]);
	}
	is_u64(irets + sysrets, layout.returns_count, "every return is an IRETQ or SYSRETQ");
	is_u64(sysrets, 2, "two of them SYSRETQ: scheme pure has one of its own");
	ok(irets > 1, "and several IRETQ");
	is_u64(in_entry, layout.returns_count, "all in entry text");
	ok(layout.returns_count < LAYOUT_RETURNS, "and there is room for more, so that none was dropped");
}

/* Text made up in RAM: an STI, then what its shadow covers, and where IF is seen to be 1. */
static void enabled_is(const char *bytes, size_t size, uint64_t at, uint64_t want, const char *name)
{
	uint64_t text_size = layout.text.end - layout.text.start;
	uint8_t *text = mem_at(&ram, layout.text.start - ABI_KERNEL_VIRT, text_size);
	struct elf *e = load();
	struct layout l;

	memset(text, 0x90, text_size);
	memcpy(text + at, bytes, size);
	ok(layout_init(&l, e, &ram, err, sizeof(err)) && l.enabled_count == 1 && l.enabled[0] == want, "%s", name);
	elf_close(e);
}
#define ENABLED(bytes, want, name) enabled_is(bytes, sizeof(bytes) - 1, 0, want, name)

static void test_enabled(void)
{
	uint64_t start = layout.text.start, size = layout.text.end - start;
	unsigned inside = 0;

	for (unsigned n = 0; n < layout.enabled_count; n++)
		inside += range_has(&layout.text, layout.enabled[n]);
	ok(layout.enabled_count >= 2 && inside == layout.enabled_count, "each STI of the guest has its shadow's end in text");
	ENABLED("\xfb\x48\x89\xe0", start + 4, "the shadow of an STI covers one instruction more");
	ENABLED("\xfb\xeb\x10", start + 0x13, "of a jump the target is where it ends");
	ENABLED("\xfb\xe8\xfb\x00\x00\x00", start + 0x101, "of a call, too");
	ENABLED("\xfb\x74\x10", start + 3, "of a branch the instruction behind it");
	ENABLED("\xfb\x06", 0, "behind what is no instruction nowhere");
	enabled_is("\xfb", 1, size - 1, 0, "nor at the end of the text");
	enabled_is("\xfb\x90", 2, size - 2, layout.text.end, "one before that it ends with the text");
	elf_close(load());                      /* puts the guest's own text back */
}

static void entry(uint64_t table, unsigned index, uint64_t value)
{
	memcpy(mem_at(&ram, table + 8 * index, 8), &value, 8);
}

static void gate(unsigned vector, uint64_t target, bool present)
{
	uint64_t low = (target & 0xffff) | (target & 0xffff0000) << 32 | ABI_KERNEL_CS << 16 | 0xeull << 40;

	entry(TABLES + 0x3000, 2 * vector, low | (uint64_t)present << 47);
	entry(TABLES + 0x3000, 2 * vector + 1, target >> 32);
}

static void test_gates(void)
{
	unsigned others = 0;

	memset(mem_at(&ram, TABLES, 0x4000), 0, 0x4000);
	entry(TABLES, IDT >> 39 & 511, (TABLES + 0x1000) | 1);
	entry(TABLES + 0x1000, 0, (TABLES + 0x2000) | 1);
	entry(TABLES + 0x2000, 0, 0x80 | 1);    /* 2 MB onto 0: not the IDT */
	entry(TABLES + 0x2000, 1, ((TABLES + 0x3000) & ~0x1fffffull) | 0x80 | 1);
	gate(2, 0xfedcba9876543210, true);
	gate(18, ABI_KERNEL_VIRT + 0x101234, true);
	gate(ABI_VECTOR_RESCHED, 0x123456789abcdef0, true);
	gate(6, 0xfedcba9876543210, false);
	memset(layout.gate, 0xff, sizeof(layout.gate));
	layout_read_gates(&layout, &ram, TABLES, IDT + 0x200000 + ((TABLES + 0x3000) & 0x1fffff));
	is_u64(layout.gate[2], 0xfedcba9876543210, "a gate's target has 64 bits");
	is_u64(layout.gate[18], ABI_KERNEL_VIRT + 0x101234, "another gate");
	is_u64(layout.gate[ABI_VECTOR_RESCHED], 0x123456789abcdef0, "the last gate");
	is_u64(layout.gate[6], 0, "a gate that is not present is none");
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		others += n != 2 && n != 18 && n != ABI_VECTOR_RESCHED && layout.gate[n];
	is_u64(others, 0, "and there are no others");
	memset(layout.gate, 0xff, sizeof(layout.gate));
	layout_read_gates(&layout, &ram, TABLES, IDT + 0x40000000);
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		others += layout.gate[n] != 0;
	is_u64(others, 0, "an IDT that is not mapped has no gates");
}

int main(void)
{
	struct elf *e;

	close(mkstemp(path));
	mem_init(&ram, ABI_RAM_SIZE);
	read_image();
	plan(1 + (1 + 6 * 5 + 3) + (8 + 2 + 1) + 7 + 7 + (6 + LAYOUT_HANDLERS + 4) + 8 + 5 + 8 + 6 + 4 + 1);
	e = load();
	if (!ok(layout_init(&layout, e, &ram, err, sizeof(err)), "the layout of %s", guest_path()))
		printf("# %s\n", err);
	test_stacks();
	test_stack_of();
	test_select();
	test_event_code();
	test_places();
	test_exempts();
	test_fixups();
	test_returns();
	elf_close(e);
	test_enabled();
	test_gates();
	mem_free(&ram);
	free(image);
	unlink(path);
	return done();
}
