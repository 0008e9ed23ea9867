/* SPDX-License-Identifier: MIT */
/* t-layout-lies.c: what the bench says of a guest that lies about its layout: symbols, tables, stacks, counters, text. */
#include "tap/guest_image.h"
#include "tap/tap.h"
#include "vmm/layout.h"

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

/* Symbols and tables of the file. */
static void test_lying_file(void)
{
	static const char *const needed[] = {
		"abi_version", "percpu_areas", "boot_cmdline", "boot_pml4", "exc_nmi", "nmi_body", "exc_machine_check",
		"machine_check_body", "exc_debug", "debug_body", "exc_interrupt", "exc_timer", "event_request", "do_syscall_64", "exc_invalid_op", "exc_page_fault",
		"exc_general_protection", "exc_breakpoint", "exc_segment_not_present", "exc_stack_segment", "exc_call", "exc_kick", "exit_to_user", "_start_secondary",
		"abi_exits", "abi_context", "abi_fixup",
		"__text_start", "__text_end", "__entry_text_start", "__entry_text_end",
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
		{ "abi_fixup", sizeof(struct abi_fixup) + 1 }, { "abi_fixup", sizeof(struct abi_fixup) * (LAYOUT_FIXUPS + 1) },
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

/* A guest needs a stack for each thread, and a stack for each NMI-like event. */
static void test_lying_stacks(void)
{
	static const struct {
		unsigned index;
		uint32_t vectors;
		const char *why;
	} rows[] = {
		{ 0, 1 << 3, "abi_stacks names 1 thread stacks of CPU 0, not 2" },
		{ 2, 0, "abi_stacks names 3 thread stacks of CPU 0, not 2" },
		{ 1, 1 << 3, "abi_stacks names no stack for nmi on CPU 0" },
		{ 3, 1 << 3, "abi_stacks names no stack for mce on CPU 0" },
		{ 4, 1 << 3, "abi_stacks names no stack for db on CPU 0" },
		{ 5, 0, "abi_stacks names 3 thread stacks of CPU 0, not 2" },
		{ 6, ABI_STACK_IDLE, "abi_stacks names 1 thread stacks of CPU 0, not 2" },
		{ 7, ABI_STACK_IDLE, "abi_stacks names 1 thread stacks of CPU 1, not 2" },
		{ 11, 0, "abi_stacks names 3 thread stacks of CPU 1, not 2" },
		{ 8, 1 << 3, "abi_stacks names no stack for nmi on CPU 1" },
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct elf *e = load();

		((struct abi_stack *)in_ram("abi_stacks"))[rows[n].index].vectors = rows[n].vectors;
		refused(e, rows[n].why, rows[n].why);
	}
}

/* What may change is no cover for what must not. */
static void exempts(uint64_t addr, uint64_t size, uint64_t vector, const char *why, const char *name)
{
	struct elf *e = load();
	struct abi_exempt *x = (struct abi_exempt *)in_ram("abi_exempt") + 7;

	x->addr = addr;
	x->size = size;
	x->vector = vector;
	if (why) {
		refused(e, why, name);
		return;
	}
	ok(layout_init(&layout, e, &ram, err, sizeof(err)), "%s", name);
	elf_close(e);
}

static uint64_t user_page(uint64_t va)
{
	gpa_t gpa = 0;

	mem_walk(&ram, address("boot_pml4") - ABI_KERNEL_VIRT, va, &gpa, NULL);
	return ABI_KERNEL_VIRT + gpa;
}

static void test_lying_exempt(void)
{
	static const char *no_data = "abi_exempt[7] is not kernel data, or is text, a stack or the user's";
	static const char *no_counter = "abi_exempt[7] counts a vector or keeps U and is not 8 bytes";
	static const uint64_t user_pages[] = { ABI_USER_TEXT, ABI_USER_DATA, ABI_USER_STACK, ABI_USER_STACK - ABI_USER_STACK_STEP,
					      ABI_USER_STACK - 2 * ABI_USER_STACK_STEP, ABI_USER_STACK - 3 * ABI_USER_STACK_STEP };
	uint64_t k = address("percpu_areas"), text = address("__text_start"), end = address("__text_end");

	exempts(k, 4, 0, NULL, "a counter of no vector may be of any size");
	exempts(k, 8, 2, NULL, "one of a vector has eight bytes");
	exempts(k, 4, 2, no_counter, "a vector's counter of four");
	exempts(k, 16, 2, no_counter, "or of sixteen");
	exempts(k, 8, ABI_KEEPS_U, NULL, "a place for U has eight bytes");
	exempts(k, 16, ABI_KEEPS_U, no_counter, "no more");
	exempts(k + 4, 8, ABI_KEEPS_U, "abi_exempt[7] keeps U and is not aligned", "and is aligned");
	exempts(k, 0, 0, no_data, "no byte at all");
	exempts(~0ull, 1, 0, no_data, "outside RAM");
	exempts(ABI_KERNEL_VIRT + ABI_RAM_SIZE - 4, 8, 0, no_data, "across the end of RAM");
	exempts(text, 1, 0, no_data, "the first byte of text");
	exempts(end - 1, 1, 0, no_data, "the last byte of text");
	exempts(text - 1, 1, 0, NULL, "the byte below text is none of it");
	exempts(end, 1, 0, NULL, "nor that above it");
	exempts(k, 200, ABI_SWITCH_STORES, NULL, "what a switch stores may be of any size");
	for (unsigned n = 0; n < 14; n++) {
		const struct kernel_stack *s = &layout.stack[n];
		const bool ist = s->vectors && s->vectors != ABI_STACK_IDLE;

		exempts(s->base, 1, 0, no_data, "the lowest byte of a stack");
		exempts(s->base + s->size - 1, 1, 0, no_data, "the highest byte of a stack");
		exempts(s->base + s->size - 48, 48, ABI_WHILE_NESTED, ist ? NULL : no_data,
			ist ? "the top of an IST stack, for an event inside another" : "but not of a thread's or an idle stack");
		exempts(s->base + s->size - 48, 49, ABI_WHILE_NESTED, no_data, "one byte more");
	}
	exempts(k, 8, ABI_WHILE_NESTED, no_data, "kernel data for an event inside another");
	for (unsigned n = 0; n < 6; n++) {
		exempts(user_page(user_pages[n]), 1, 0, no_data, "the first byte of a user page");
		exempts(user_page(user_pages[n]) + PAGE_SIZE - 1, 1, 0, no_data, "the last byte of a user page");
	}
}

/* Whether an event was handled once is told by its counter. */
static void test_missing_counter(void)
{
	struct elf *e = load();

	((struct abi_exempt *)in_ram("abi_exempt"))[0].vector = 0;
	refused(e, "abi_exempt has no counter for nmi on CPU 0", "no counter for NMIs");
	e = load();
	((struct abi_exempt *)in_ram("abi_exempt"))[1].vector = 0;
	refused(e, "abi_exempt has no counter for nmi on CPU 1", "none of the other CPU");
}

/* Text full of one instruction: what is kept of it has its limit, and it is told. */
static void test_lying_text(void)
{
	uint64_t size = layout.text.end - layout.text.start;
	uint8_t *text = mem_at(&ram, layout.text.start - ABI_KERNEL_VIRT, size);
	struct elf *e = load();

	memset(text, 0xfb, size);
	refused(e, "more than 64 STI", "too many STI");
	e = load();
	memset(text, 0x90, size);
	for (unsigned n = 0; n <= LAYOUT_RETURNS; n++)
		memcpy(text + 2 * n, "\x48\xcf", 2);
	refused(e, "more than 64 return instructions", "one IRETQ too many");
	e = load();
	memset(text, 0x90, size);
	for (unsigned n = 0; n < LAYOUT_RETURNS; n++)
		memcpy(text + 2 * n, "\x48\xcf", 2);
	ok(layout_init(&layout, e, &ram, err, sizeof(err)) && layout.returns_count == LAYOUT_RETURNS,
	   "as many as there is room for are kept");
	elf_close(e);
}

int main(void)
{
	struct elf *e;

	close(mkstemp(path));
	mem_init(&ram, ABI_RAM_SIZE);
	read_image();
	plan(1 + (35 + 8) + 1 + 9 + 7 + 10 + (15 + 14 * 4 + 1 + 6 * 2) + 2 + 3);
	e = load();
	ok(layout_init(&layout, e, &ram, err, sizeof(err)), "the layout of %s", guest_path());
	elf_close(e);
	test_lying_file();
	test_two_missing();
	test_moved_symbols();
	test_lying_ram();
	test_lying_stacks();
	test_lying_exempt();
	test_missing_counter();
	test_lying_text();
	mem_free(&ram);
	free(image);
	unlink(path);
	return done();
}
