/* SPDX-License-Identifier: MIT */
/* t-layout.c: what the bench reads of the guest's layout, and what it says of a guest that lies. */
#include "tap/guest_image.h"
#include "tap/tap.h"
#include "vmm/layout.h"

#define TABLES  (ABI_RAM_SIZE - 0x4000) /* the test's own page tables, where the guest has nothing */
#define IDT     0xffff900000000000ull   /* mapped by them */

static struct layout layout;

/* Refused with one line that names the file and the reason. */
static void refused(struct elf *e, const char *why, const char *name)
{
	struct layout l;
	bool good = !layout_init(&l, e, &ram, err, sizeof(err)) && !strncmp(err, path, strlen(path)) &&
		    strstr(err, why) && !strchr(err, '\n');

	if (!ok(good, "refused: %s", name))
		printf("# it says: %s\n", err);
	elf_close(e);
}

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
		     { "debug", 1 << 1 } };
	const struct kernel_stack *s = layout.stack;
	unsigned overlaps = 0;

	is_u64(layout.stacks, 5, "five stacks");
	for (unsigned n = 0; n < 5; n++) {
		is_str(s[n].name, rows[n].name, "stack %u is called %s", n, rows[n].name);
		is_u64(s[n].vectors, rows[n].vectors, "and takes its vectors");
		if (n)
			ok(!(s[n].size & (s[n].size - 1)) && !(s[n].base & (s[n].size - 1)) && s[n].slot_bytes == 16,
			   "its size is a power of two, its base aligned to that, its slot 16 bytes");
		else
			ok(s[n].base == address("thread_stack") && !s[n].slot_bytes, "it has no slot");
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
	ok(!layout_stack_of(&layout, 14, 0), "a page fault at CPL 0 has no stack of its own");
}

static void test_places(void)
{
	const struct c_handler *h = layout.handler;

	is_u64(layout.k_own, address("percpu_areas"), "K is the first per-CPU area");
	is_u64(layout.k_other, layout.k_own + ABI_PERCPU_SIZE, "the other K is the second");
	is_u64(layout.cmdline, address("boot_cmdline"), "the command line");
	is_u64(layout.page_table, address("boot_pml4") - ABI_KERNEL_VIRT, "the page table, by its physical address");
	ok(layout.event[EVENT_NMI].handler == address("exc_nmi") && layout.event[EVENT_NMI].body == address("nmi_body"),
	   "the handler and body of NMI");
	ok(layout.event[EVENT_DB].handler == address("exc_debug") &&
	   layout.event[EVENT_DB].body == address("debug_body"), "the handler and body of #DB");
	ok(layout.event[EVENT_MCE].handler == address("exc_machine_check") && !layout.event[EVENT_MCE].body,
	   "the handler of #MC, whose body is no stop");
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
	unsigned inside = 0, named = 0;

	for (unsigned n = 0; n < layout.exempts; n++) {
		const struct exempt *x = &layout.exempt[n];

		inside += x->addr >= layout.k_own && x->addr + x->size <= layout.k_other && x->size == 8;
		named += x->reason[0] != '\0';
	}
	ok(layout.exempts > 0, "the guest declares counters");
	is_u64(inside, layout.exempts, "each of eight bytes in the per-CPU area");
	is_u64(named, layout.exempts, "and says why");
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
	is_u64(sysrets, 1, "one of them a SYSRETQ");
	ok(irets > 1, "and several IRETQ");
	is_u64(in_entry, layout.returns_count, "all in entry text");
	ok(layout.returns_count < LAYOUT_RETURNS, "and there is room for more, so that none was dropped");
}

/* Symbols and tables of the file. */
static void test_lying_file(void)
{
	static const char *const needed[] = {
		"abi_version", "percpu_areas", "boot_cmdline", "boot_pml4", "exc_nmi", "nmi_body", "exc_machine_check",
		"exc_debug", "debug_body", "do_syscall_64", "exc_invalid_op", "exc_page_fault",
		"exc_general_protection", "__text_start", "__text_end", "__entry_text_start", "__entry_text_end",
		"__user_text_start", "__user_text_end", "abi_stacks", "abi_exempt",
	};
	static const struct {
		const char *table;
		uint64_t size;
	} sizes[] = {
		{ "abi_stacks", sizeof(struct abi_stack) - 1 }, { "abi_stacks", ~0ull },
		{ "abi_stacks", sizeof(struct abi_stack) * (LAYOUT_STACKS + 1) },
		{ "abi_exempt", 1 }, { "abi_exempt", sizeof(struct abi_exempt) * (LAYOUT_EXEMPT + 1) },
		{ "abi_exempt", sizeof(struct abi_exempt) << 32 },
	};
	char why[80];

	for (unsigned n = 0; n < sizeof(needed) / sizeof(needed[0]); n++) {
		char *name = name_in_image(symbol(needed[n]));

		snprintf(why, sizeof(why), "no symbol %s", needed[n]);
		name[0] ^= 1;
		refused(load(), why, why);
		name[0] ^= 1;
	}
	for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		Elf64_Sym *s = symbol(sizes[n].table), was = *s;

		snprintf(why, sizeof(why), "table %s: %lu bytes", sizes[n].table, (unsigned long)sizes[n].size);
		s->st_size = sizes[n].size;
		refused(load(), why, why);
		*s = was;
	}
}

static void test_two_missing(void)
{
	name_in_image(symbol("boot_cmdline"))[0] ^= 1;
	name_in_image(symbol("abi_exempt"))[0] ^= 1;
	refused(load(), "no symbol boot_cmdline", "of two missing symbols the first is told");
	read_image();
}

static void symbol_moved(const char *name, uint64_t to, const char *why)
{
	Elf64_Sym *s = symbol(name), was = *s;

	s->st_value = to;
	refused(load(), why, name);
	*s = was;
}

static void test_moved_symbols(void)
{
	symbol_moved("abi_stacks", ABI_KERNEL_VIRT + ABI_RAM_SIZE - 8, "table abi_stacks: ");
	symbol_moved("abi_exempt", ~0ull - 7, "table abi_exempt: ");
	symbol_moved("abi_version", ABI_KERNEL_VIRT + ABI_RAM_SIZE, "guest ABI version ");
	symbol_moved("__text_start", 8, "kernel text lies outside RAM");
	symbol_moved("__text_start", 0, "symbol __text_start has address 0");
	symbol_moved("abi_stacks", 0, "symbol abi_stacks has address 0");
	symbol_moved("abi_exempt", 0, "symbol abi_exempt has address 0");
	symbol_moved("__text_end", ABI_KERNEL_VIRT + ABI_RAM_SIZE + 1, "kernel text lies outside RAM");
	symbol_moved("__text_end", layout.text.start - 1, "kernel text lies outside RAM");
}

/* Values in loaded RAM. */
static void test_lying_ram(void)
{
	struct elf *e = load();
	char version[80];

	snprintf(version, sizeof(version), "guest ABI version %u, the bench speaks %u", ABI_VERSION + 1, ABI_VERSION);
	*(uint32_t *)in_ram("abi_version") = ABI_VERSION + 1;
	refused(e, version, "another ABI version");
	e = load();
	((struct abi_stack *)in_ram("abi_stacks"))[3].base = ABI_KERNEL_VIRT + ABI_RAM_SIZE - 8;
	refused(e, "abi_stacks[3] lies outside RAM", "a stack that runs out of RAM");
	e = load();
	((struct abi_stack *)in_ram("abi_stacks"))[1].base ^= 1ull << 63;
	refused(e, "abi_stacks[1] lies outside RAM", "a stack in the user half");
	e = load();
	((struct abi_stack *)in_ram("abi_stacks"))[0].size = ~0ull;
	refused(e, "abi_stacks[0] lies outside RAM", "a stack of endless size");
	e = load();
	((struct abi_stack *)in_ram("abi_stacks"))[2].slot_bytes = 0x2000;
	refused(e, "abi_stacks[2] lies outside RAM", "a slot larger than its stack");
	e = load();
	*(uint32_t *)in_ram("abi_version") = 0;
	((struct abi_stack *)in_ram("abi_stacks"))[0].size = ~0ull;
	refused(e, "guest ABI version 0", "of two lies the first is told");
	e = load();
	ok(layout_init(&layout, e, &ram, err, sizeof(err)), "put right, the same image is good again");
	elf_close(e);
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
	gate(31, 0x123456789abcdef0, true);
	gate(6, 0xfedcba9876543210, false);
	memset(layout.gate, 0xff, sizeof(layout.gate));
	layout_read_gates(&layout, &ram, TABLES, IDT + 0x200000 + ((TABLES + 0x3000) & 0x1fffff));
	is_u64(layout.gate[2], 0xfedcba9876543210, "a gate's target has 64 bits");
	is_u64(layout.gate[18], ABI_KERNEL_VIRT + 0x101234, "another gate");
	is_u64(layout.gate[31], 0x123456789abcdef0, "the last gate");
	is_u64(layout.gate[6], 0, "a gate that is not present is none");
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		others += n != 2 && n != 18 && n != 31 && layout.gate[n];
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
	plan(1 + 1 + 5 * 5 + 3 + 9 + 15 + 3 + 5 + 27 + 1 + 6 + 7 + 6 + 3);
	e = load();
	if (!ok(layout_init(&layout, e, &ram, err, sizeof(err)), "the layout of %s", guest_path()))
		printf("# %s\n", err);
	test_stacks();
	test_stack_of();
	test_places();
	test_exempts();
	test_returns();
	elf_close(e);
	test_lying_file();
	test_two_missing();
	test_moved_symbols();
	test_lying_ram();
	test_gates();
	mem_free(&ram);
	free(image);
	unlink(path);
	return done();
}
