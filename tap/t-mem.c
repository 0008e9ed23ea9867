/* SPDX-License-Identifier: MIT */
/* t-mem.c: guest RAM ends where it says, and the walk reads page tables as the manual does. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/mem.h"

#define SIZE 0x400000ull

#define P   1ull                /* present */
#define W   2ull                /* writable */
#define U   4ull                /* user */
#define PS  0x80ull             /* large page */
#define NX  0x8000000000000000ull

static struct mem ram;

static void entry(gpa_t table, unsigned index, uint64_t value)
{
	memcpy(mem_at(&ram, table + index * 8, 8), &value, 8);
}

/* CR3 0x1000. 0x400000: two 4 KB user pages, in reverse order, the second not for user code.
 * 0x600000: a 2 MB page onto 0x200000. 1 GB: a 1 GB page onto 0. Kernel half: 511, 510. */
static void build_tables(void)
{
	entry(0x1000, 0, 0x2000 | P | U);
	entry(0x2000, 0, 0x3000 | P | U);
	entry(0x2000, 1, 0 | P | PS);
	entry(0x3000, 2, 0x4000 | P | U | NX);
	entry(0x3000, 3, 0x200000 | 0x1000 | P | U | PS);       /* bit 12 is PAT here */
	entry(0x4000, 0, 0x11000 | P | U);
	entry(0x4000, 1, 0x10000 | P);
	entry(0x4000, 2, 0x12000 | U);                          /* not present */
	entry(0x4000, 3, 0x7000000 | P | U);                    /* outside RAM */
	entry(0x1000, 511, 0x5000 | P);
	entry(0x5000, 510, 0x99999000 | P);                     /* the table is outside RAM */
	entry(0x1000, 100, 0x6000 | P | PS);                    /* bit 7 means nothing in a PML4 entry */
	entry(0x6000, 0, 0x3000 | P | U);
}

static void test_bounds(void)
{
	ok(mem_at(&ram, 0, 1), "byte 0 is RAM");
	ok(mem_at(&ram, SIZE - 1, 1), "the last byte is RAM");
	ok(mem_at(&ram, 0, SIZE), "all of RAM is RAM");
	ok(mem_at(&ram, SIZE, 0), "an empty range may end at the end");
	ok(!mem_at(&ram, SIZE, 1), "one past the end is not");
	ok(!mem_at(&ram, SIZE - 1, 2), "two bytes at the last byte are not");
	ok(!mem_at(&ram, 1, SIZE), "all of RAM from byte 1 is not");
	ok(!mem_at(&ram, ~0ull, 2), "a range that wraps is not");
	ok(!mem_at(&ram, 2, ~0ull), "a size that wraps is not");
	ok(!mem_at(&ram, ~0ull, 0), "an empty range outside is not");
	is_u64(*(uint8_t *)mem_at(&ram, SIZE - 1, 1), 0, "RAM starts zeroed");
}

static void walks(gva_t gva, gpa_t want, bool want_user, const char *name)
{
	bool user = !want_user;
	gpa_t gpa = 0;

	if (mem_walk(&ram, 0x1000, gva, &gpa, &user) && user == want_user)
		is_u64(gpa, want, "%s", name);
	else
		ok(false, "%s", name);
}

static void walk_fails(gva_t gva, const char *name)
{
	gpa_t gpa;

	ok(!mem_walk(&ram, 0x1000, gva, &gpa, NULL), "%s", name);
}

static void test_walk(void)
{
	gpa_t gpa;

	walks(0x400123, 0x11123, true, "a 4 KB user page");
	walks(0x401fff, 0x10fff, false, "one level without U makes it the kernel's");
	walks(0x712345, 0x312345, true, "a 2 MB page; its PAT bit is no address bit");
	walks(0x40123456, 0x123456, false, "a 1 GB page");
	walks(0x320000400123, 0x11123, false, "bit 7 of a PML4 entry is no page size");
	walk_fails(0x402000, "not present");
	walk_fails(0x800000, "no table");
	walk_fails(0xffffffff80000000, "a table outside RAM");
	walk_fails(0x0000800000000000, "the first non-canonical address");
	walk_fails(0xfff0000000400123, "a non-canonical alias of a mapped address");
	walks(0x403010, 0x7000010, true, "a page outside RAM is still translated");
	ok(mem_walk(&ram, 0x1000 | 0x18, 0x400123, &gpa, NULL), "PCD and PWT in CR3 are ignored");
	ok(!mem_walk(&ram, SIZE, 0x400123, &gpa, NULL), "CR3 outside RAM");
}

/* 2 MB from 0x200000 onwards: all writable but for what a line says. 1 GB: large pages. */
static void test_writable(void)
{
	entry(0x7000, 0, 0x8000 | P | W);
	entry(0x7000, 1, 0x8000 | P);
	entry(0x8000, 0, 0x9000 | P | W);
	entry(0x8000, 1, 0 | P | W | PS);
	entry(0x9000, 0, 0xa000 | P | W);
	entry(0x9000, 1, 0x200000 | P | PS);
	entry(0xa000, 0, 0x11000 | P | W);
	entry(0xa000, 1, 0x10000 | P | W);
	entry(0xa000, 2, 0x12000 | P);
	entry(0xa000, 4, (SIZE - PAGE_SIZE) | P | W);
	entry(0xa000, 5, SIZE | P | W);
	ok(mem_is_writable(&ram, 0x7000, 0x0, 0x2000), "two writable pages");
	ok(!mem_is_writable(&ram, 0x7000, 0x1fff, 2), "the second byte lies in a page that is not");
	ok(!mem_is_writable(&ram, 0x7000, 0x2fff, 1), "nor is its last byte");
	ok(!mem_is_writable(&ram, 0x7000, 0x2ff0, 0x20), "nor what begins there and runs on");
	ok(!mem_is_writable(&ram, 0x7000, 0x3000, 8), "not mapped");
	ok(!mem_is_writable(&ram, 0x7000, 0x3ff8, 16), "not mapped before a page that is");
	ok(mem_is_writable(&ram, 0x7000, 0x4ff8, 8), "the last word of RAM");
	ok(!mem_is_writable(&ram, 0x7000, 0x4ff8, 16), "and one more, outside RAM");
	ok(!mem_is_writable(&ram, 0x7000, 0x200000, 8), "a 2 MB page that is not");
	ok(mem_is_writable(&ram, 0x7000, 0x40000000, 8), "a 1 GB page that is");
	ok(!mem_is_writable(&ram, 0x7000, 0x8000000000, 8), "the highest level alone forbids it");
	ok(!mem_is_writable(&ram, 0x7000, 0x7ffffffffff8, 16), "up to a non-canonical address");
	ok(mem_is_writable(&ram, 0x7000, 0x3000, 0), "nothing can be written anywhere");
}

static void test_copy(void)
{
	char buf[8192];

	memset(mem_at(&ram, 0x10000, 0x2000), 'x', 0x2000);
	ok(mem_write(&ram, 0x1000, 0x400ffe, "abcd", 4), "a write across two pages");
	ok(!memcmp(mem_at(&ram, 0x11ffe, 2), "ab", 2), "its first half is in the first page's frame");
	ok(!memcmp(mem_at(&ram, 0x10000, 3), "cdx", 3), "its second half is in the second's, and no more");
	ok(mem_read(&ram, 0x1000, 0x400ffe, buf, 4) && !memcmp(buf, "abcd", 4), "it reads back");
	ok(mem_read(&ram, 0x1000, 0x400000, buf, 8192), "both whole pages read");
	ok(!mem_write(&ram, 0x1000, 0x401fff, "ab", 2), "a write that runs into an unmapped page fails");
	ok(!mem_read(&ram, 0x1000, 0x403000, buf, 1), "a page outside RAM cannot be read");
	ok(mem_read(&ram, 0x1000, 0x402000, buf, 0), "nothing can be read anywhere");
}

int main(void)
{
	plan(11 + 13 + 13 + 8 + 1);
	mem_init(&ram, SIZE);
	build_tables();
	test_bounds();
	test_walk();
	test_writable();
	test_copy();
	mem_free(&ram);
	ok(!mem_at(&ram, 0, 1), "after mem_free nothing is RAM");
	return done();
}
