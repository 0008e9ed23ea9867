/* SPDX-License-Identifier: MIT */
/* t-lsl.c: LSL by the manual: which selectors and descriptors give a limit to whom, and which. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/decode.h"
#include "vmm/lsl.h"

#define CR3 0x1000
#define GDT 0x8000
#define LDT 0x9000
#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* Access bytes: P, DPL, S, type. */
#define P       0x80
#define DPL(n)  ((n) << 5)
#define S       0x10

static struct mem ram;
static struct lsl_machine cpu;

/* The first 2 MB are mapped, and nothing else. */
static void make_machine(void)
{
	mem_init(&ram, 0x10000);
	*(uint64_t *)mem_at(&ram, CR3, 8) = 0x2000 | 3;
	*(uint64_t *)mem_at(&ram, 0x2000, 8) = 0x3000 | 3;
	*(uint64_t *)mem_at(&ram, 0x3000, 8) = 0x83;
	cpu = (struct lsl_machine){ .mem = &ram, .cr3 = CR3, .gdt = { GDT, 0x4f, true }, .ldt = { LDT, 0x0f, true } };
}

static void describe(uint64_t table, unsigned index, uint32_t limit, unsigned access, bool pages)
{
	uint64_t d = (limit & 0xffff) | (uint64_t)access << 40 | (uint64_t)(limit >> 16) << 48 | (uint64_t)pages << 55;

	memcpy(mem_at(&ram, table + 8 * index, 8), &d, 8);
}

static void gives(uint16_t selector, uint32_t want, const char *name)
{
	uint32_t limit = ~want;
	enum lsl_result r = lsl_limit(&cpu, selector, &limit);

	ok(r == LSL_LIMIT && limit == want, "%s: limit %#x", name, want);
}

static void gives_none(uint16_t selector, const char *name)
{
	uint32_t limit = 0x1234;

	ok(lsl_limit(&cpu, selector, &limit) == LSL_NONE && limit == 0x1234, "%s: none", name);
}

static void test_limits(void)
{
	describe(GDT, 2, 0x12345, P | S | 3, false);
	gives(0x10, 0x12345, "20 bits of bytes");
	describe(GDT, 2, 0x12345, P | S | 3, true);
	gives(0x10, 0x12345fff, "20 bits of pages");
	describe(GDT, 2, 0xfffff, P | S | 3, true);
	gives(0x10, 0xffffffff, "all of them");
	describe(GDT, 2, 0, P | S | 3, false);
	gives(0x10, 0, "a limit of 0");
	describe(GDT, 2, 7, S | 3, false);
	gives(0x10, 7, "a segment that is not present");
	describe(LDT, 1, 0x55, P | S | 3, false);
	gives(0x0c, 0x55, "of the LDT");
	describe(LDT, 0, 0x44, P | S | 3, false);
	gives(0x04, 0x44, "its first entry is none like another's null");
}

static void test_selectors(void)
{
	describe(GDT, 0, 0x99, P | S | 3, false);
	describe(GDT, 9, 0x11, P | S | 3, false);
	gives_none(0, "null");
	gives_none(3, "null with an RPL");
	gives(0x48, 0x11, "the last descriptor of the table");
	cpu.gdt.limit--;
	gives_none(0x48, "one that is not whole in it");
	gives_none(0x50, "behind the table");
	cpu.gdt.limit++;
	gives_none(0x14, "behind the LDT");
	cpu.ldt.usable = false;
	gives_none(0x0c, "LDTR null");
	cpu.ldt.usable = true;
	cpu.gdt.base = 0x40000000;
	ok(lsl_limit(&cpu, 0x10, &(uint32_t){ 0 }) == LSL_FAULT, "a table that is not mapped faults");
	cpu.gdt.base = GDT;
}

/* Which system descriptors have a limit in 64-bit mode: LDT, available and busy TSS. */
static void test_types(void)
{
	for (unsigned type = 0; type < 16; type++) {
		bool has = type == 2 || type == 9 || type == 11;

		describe(GDT, 2, 0x77, P | type, false);
		if (has)
			gives(0x10, 0x77, "a system descriptor with a limit");
		else
			gives_none(0x10, "a system descriptor without");
	}
	describe(GDT, 9, 0x77, P | 9, false);
	gives_none(0x48, "a TSS whose second half is behind the table");
	for (unsigned type = 0; type < 16; type++) {
		describe(GDT, 2, 0x77, P | S | type, false);
		gives(0x10, 0x77, "each type of code and data");
	}
}

static void test_privilege(void)
{
	for (unsigned cpl = 0; cpl < 4; cpl++)
		for (unsigned rpl = 0; rpl < 4; rpl++)
			for (unsigned dpl = 0; dpl < 4; dpl++) {
				cpu.cpl = cpl;
				describe(GDT, 2, 0x33, P | DPL(dpl) | S | 3, false);
				if (cpl <= dpl && rpl <= dpl)
					gives(0x10 | rpl, 0x33, "CPL and RPL at most DPL");
				else
					gives_none(0x10 | rpl, "CPL or RPL above DPL");
			}
	cpu.cpl = 3;
	describe(GDT, 2, 0x33, P | S | 0xe, false);
	gives(0x13, 0x33, "conforming code, from anywhere");
	describe(GDT, 2, 0x33, P | S | 0xa, false);
	gives_none(0x13, "other code");
	cpu.cpl = 0;
}

static void test_merge(void)
{
	is_u64(lsl_merge(~0ull, 0x12345678, 16), 0xffffffffffff5678, "16 bits leave what is above");
	is_u64(lsl_merge(~0ull, 0x12345678, 32), 0x12345678, "32 bits clear the upper half");
	is_u64(lsl_merge(~0ull, 0x12345678, 64), 0x12345678, "so do 64");
}

static void insn_is(const uint8_t *bytes, size_t size, unsigned to, unsigned from, unsigned bits, const char *name)
{
	struct insn_lsl i;
	bool good = decode_lsl(bytes, size, &i);

	ok(good && i.length == size && i.to == to && i.from == from && i.bits == bits, "%s", name);
}

static void test_decode(void)
{
	struct insn_lsl i;

	insn_is(CODE(0x0f, 0x03, 0xc0), 0, 0, 32, "lsl %eax,%eax");
	insn_is(CODE(0x0f, 0x03, 0xca), 1, 2, 32, "lsl %edx,%ecx");
	insn_is(CODE(0x66, 0x0f, 0x03, 0xfb), 7, 3, 16, "lsl %bx,%di");
	insn_is(CODE(0x4d, 0x0f, 0x03, 0xc7), 8, 15, 64, "lsl %r15,%r8");
	ok(!decode_lsl(CODE(0x0f, 0x03, 0x00), &i), "from memory: not this one");
	ok(!decode_lsl(CODE(0x0f, 0x02, 0xc0), &i), "lar: another instruction");
	ok(!decode_lsl(CODE(0x0f, 0x03), &i), "half of it");
}

int main(void)
{
	plan(7 + 8 + 33 + 66 + 3 + 7);
	make_machine();
	test_limits();
	test_selectors();
	test_types();
	test_privilege();
	test_merge();
	test_decode();
	return done();
}
