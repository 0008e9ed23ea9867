/* SPDX-License-Identifier: MIT */
/* t-layout-text.c: what the bench finds in the guest's text, returns and ends of shadows, and in its IDT. */
#include "tap/guest_image.h"
#include "tap/tap.h"
#include "vmm/layout.h"

#define TABLES  (ABI_RAM_SIZE - 0x4000) /* the test's own page tables, where the guest has nothing */
#define IDT     0xffff900000000000ull   /* mapped by them */

static struct layout layout;

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
	gate(ABI_LAST_VECTOR, 0x123456789abcdef0, true);
	gate(6, 0xfedcba9876543210, false);
	memset(layout.gate, 0xff, sizeof(layout.gate));
	layout_read_gates(&layout, &ram, TABLES, IDT + 0x200000 + ((TABLES + 0x3000) & 0x1fffff));
	is_u64(layout.gate[2], 0xfedcba9876543210, "a gate's target has 64 bits");
	is_u64(layout.gate[18], ABI_KERNEL_VIRT + 0x101234, "another gate");
	is_u64(layout.gate[ABI_LAST_VECTOR], 0x123456789abcdef0, "the last gate");
	is_u64(layout.gate[6], 0, "a gate that is not present is none");
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		others += n != 2 && n != 18 && n != ABI_LAST_VECTOR && layout.gate[n];
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
	plan(1 + 5 + 8 + 6);
	e = load();
	if (!ok(layout_init(&layout, e, &ram, err, sizeof(err)), "the layout of %s", guest_path()))
		printf("# %s\n", err);
	test_returns();
	elf_close(e);
	test_enabled();
	test_gates();
	mem_free(&ram);
	free(image);
	unlink(path);
	return done();
}
