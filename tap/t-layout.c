/* SPDX-License-Identifier: MIT */
/* t-layout.c: what the bench reads of the guest's layout: stacks, places, counters, fixups. */
#include "tap/guest_image.h"
#include "tap/tap.h"
#include "vmm/layout.h"

#define CPU_STACKS 7                    /* of each CPU */
#define COUNTED    9                    /* vectors that have a counter, and reschedules */

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
		uint64_t slot_bytes;
	} rows[CPU_STACKS] = { { "thread", 0, 16 }, { "nmi", 1 << 2, 32 }, { "double-fault", 1 << 8, 16 }, { "machine-check", 1 << 18, 16 },
			       { "debug", 1 << 1, 16 }, { "idle", ABI_STACK_IDLE, 0 }, { "thread", 0, 16 } };
	const struct kernel_stack *s = layout.stack;
	unsigned overlaps = 0;

	is_u64(layout.stacks, 2 * CPU_STACKS, "seven stacks of each CPU");
	for (unsigned n = 0; n < 2 * CPU_STACKS; n++) {
		const unsigned cpu = n / CPU_STACKS, kind = n % CPU_STACKS;

		layout_select(&layout, cpu);
		is_str(s[n].name, rows[kind].name, "stack %u is called %s", n, rows[kind].name);
		is_u64(s[n].vectors, rows[kind].vectors, "and takes its vectors");
		ok(s[n].cpu == cpu && s[n].first_cpu == cpu, "on CPU %u", cpu);
		is_u64(s[n].slot_bytes, rows[kind].slot_bytes, "its slot is as it must be");
		ok(!(s[n].size & (s[n].size - 1)) && !(s[n].base & (s[n].size - 1)), "its size is a power of two, its base aligned to that");
		ok(layout_stack(&layout, s[n].base + s[n].size) == n && layout_stack(&layout, s[n].base + 1) == n,
		   "RSP from its base + 1 to its top is on it");
		ok(layout_stack(&layout, s[n].base) != n && layout_stack(&layout, s[n].base + s[n].size + 1) != n,
		   "one below or above is not");
		for (unsigned k = 0; k < n; k++)
			overlaps += overlap(&s[n], &s[k]);
	}
	layout_select(&layout, 0);
	ok(s[0].base == address("thread_stack") && s[6].base == s[0].base + s[0].size && s[CPU_STACKS].base == s[6].base + s[6].size,
	   "thread stacks are those of the guest, in the order of the threads");
	ok(s[5].base == address("idle_stack") && layout_idle_stack(&layout, 1) == s + CPU_STACKS + 5, "so are idle stacks");
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
	ok(layout_thread_stack(&layout, 0) == layout.stack && layout_thread_stack(&layout, 1) == layout.stack + 6 &&
	   layout_thread_stack(&layout, 2) == layout.stack + CPU_STACKS && layout_thread_stack(&layout, 3) == layout.stack + CPU_STACKS + 6 &&
	   !layout_thread_stack(&layout, LAYOUT_NO_THREAD), "each thread has a stack");
	layout.thread = 1;
	ok(layout_stack_of(&layout, 2, 3) == layout.stack + 6 && layout_stack_of(&layout, ABI_VECTOR_IRQ, 0) == layout.stack + 6 &&
	   layout_stack_of(&layout, 2, 0) == layout.stack + 1, "that of the one that runs is used");
	layout.thread = 0;
}

/* All that depends on the CPU, and a thread that goes to another one. */
static void test_select(void)
{
	const struct kernel_stack *nmi = layout_stack_of(&layout, 2, 0), *thread = layout_stack_of(&layout, 0, 3), *other;
	uint64_t k[] = { layout.k_own, layout.k_other };

	layout_select(&layout, 1);
	layout_give_stack(&layout, 1, 2);
	ok(layout.k_own == k[1] && layout.k_other == k[0] && layout.thread == 2, "CPU 1 has its own K and thread");
	other = layout_stack_of(&layout, 2, 0);
	ok(other && other != nmi && other->cpu == 1, "and its own NMI stack");
	ok(layout_stack(&layout, nmi->base + 8) == LAYOUT_STACK_USER, "the other one's is none of its stacks");
	other = layout_stack_of(&layout, 0, 3);
	ok(other == layout.stack + CPU_STACKS && other->cpu == 1, "nor is the other one's thread stack its own");
	layout_give_stack(&layout, 1, 3);
	ok(layout_stack_of(&layout, 0, 3) == layout.stack + CPU_STACKS + 6 && layout.stack[CPU_STACKS + 6].cpu == 1 && other->cpu == 1,
	   "its second thread has another of them");
	layout_give_stack(&layout, 0, 0);
	ok(layout_stack_of(&layout, 0, 3) == thread && thread->cpu == 1 && other->cpu == LAYOUT_NO_CPU, "a thread that comes brings its stack");
	layout_select(&layout, 0);
	layout_give_stack(&layout, ABI_CPUS, LAYOUT_NO_THREAD);
	ok(layout_stack_of(&layout, 0, 3) == layout_idle_stack(&layout, 0) && layout_stack(&layout, thread->base + 8) == LAYOUT_STACK_USER,
	   "the CPU that it has left has its idle stack");
	layout_give_stack(&layout, 0, 0);
	layout_select(&layout, 1);
	layout_give_stack(&layout, 1, 2);
	ok(layout_stack_of(&layout, 0, 3) == other && other->cpu == 1, "each has its own again");
	layout_select(&layout, 0);
	layout_give_stack(&layout, 0, 0);
	ok(layout_stack_of(&layout, 0, 3) == thread && thread->cpu == 0 && layout.k_own == k[0] && layout.k_other == k[1], "and CPU 0 is as it was");
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
	is_u64(layout.secondary, address("_start_secondary"), "where CPU 1 begins");
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

static bool in_area(const struct exempt *x)
{
	const uint64_t k = x->cpu ? layout.k_other : layout.k_own;

	return x->addr >= k && x->addr + x->size <= k + ABI_PERCPU_SIZE && x->size == 8;
}

/* What an NMI inside an NMI changes lies on the NMI stack of the same CPU. */
static bool on_nmi_stack(const struct exempt *x)
{
	const struct kernel_stack *nmi = layout.stack + 1 + CPU_STACKS * x->cpu;

	return x->addr - nmi->base < nmi->size && x->cpu == nmi->cpu;
}

static void test_exempts(void)
{
	static const uint64_t vectors[] = { 1, 2, 18, ABI_VECTOR_IRQ, ABI_VECTOR_RESCHED, ABI_VECTOR_TIMER, ABI_VECTOR_CALL, ABI_VECTOR_KICK,
					    ABI_COUNTS_WORK };
	const struct abi_exempt *table = in_ram("abi_exempt");
	const uint64_t threads = address("threads"), end = threads + symbol("threads")->st_size;
	unsigned inside = 0, nested = 0, kept = 0, stored = 0, whose = 0, same = 0, cpus[COUNTED] = { 0 };

	for (unsigned n = 0; n < layout.exempts; n++) {
		const struct exempt *x = &layout.exempt[n];
		const bool of_thread = x->addr >= threads && x->addr + x->size <= end;

		inside += x->vector < ABI_WHILE_NESTED && in_area(x);
		nested += x->vector == ABI_WHILE_NESTED && on_nmi_stack(x);
		kept += x->vector == ABI_KEEPS_U && of_thread && x->size == 8;
		stored += x->vector == ABI_SWITCH_STORES && (of_thread || in_area(x));
		whose += of_thread && x->cpu == (x->addr - threads) / (symbol("threads")->st_size / ABI_CPUS);
		same += x->reason[0] && !strncmp(x->reason, table[n].reason, sizeof(table[n].reason)) &&
			x->addr == table[n].addr && x->vector == table[n].vector;
		for (unsigned v = 0; v < COUNTED; v++)
			cpus[v] |= (x->vector == vectors[v]) << x->cpu;
	}
	ok(layout.exempts > 0, "the guest declares counters");
	is_u64(nested, 4, "and two places of each NMI stack that an NMI inside an NMI may change");
	is_u64(kept, ABI_THREADS, "one place of each thread where U is kept");
	is_u64(stored, ABI_THREADS + ABI_CPUS, "and one where a switch stores, besides the user's RSP on each CPU");
	is_u64(whose, 2 * ABI_THREADS, "each thread's is the CPU's on which it begins");
	is_u64(inside, layout.exempts - nested - kept - stored, "each counter is eight bytes in the per-CPU area");
	is_u64(same, layout.exempts, "and says why, and of which vector");
	for (unsigned v = 0; v < COUNTED; v++)
		is_u64(cpus[v], 3, "there is one of each CPU for vector %lu", (unsigned long)vectors[v]);
}

static void test_fixups(void)
{
	is_u64(layout.fixups, 3, "the guest declares where it may fault on user GS");
	is_u64(layout_fixup(&layout, address("exit_to_user_iretq")), ABI_FIXUP_IRET, "at the IRET to user code");
	is_u64(layout_fixup(&layout, address("exit_to_user_iretq_pure")), ABI_FIXUP_IRET, "at that of scheme pure");
	is_u64(layout_fixup(&layout, address("load_gs_mov")), ABI_FIXUP_RESUME, "at the load of a selector");
	is_u64(layout_fixup(&layout, address("load_gs_mov") + 2), 0, "and at nothing else");
}

int main(void)
{
	struct elf *e;

	close(mkstemp(path));
	mem_init(&ram, ABI_RAM_SIZE);
	read_image();
	plan(1 + (1 + 14 * 7 + 2 + 3) + (8 + 2 + 1 + 2) + 9 + 8 + (6 + LAYOUT_HANDLERS + 4) + (7 + COUNTED) + 5);
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
	elf_close(e);
	mem_free(&ram);
	free(image);
	unlink(path);
	return done();
}
