/* SPDX-License-Identifier: MIT */
/* t-stops-changed.c: text that the guest has written to is told by its first byte, and stops do not pass for that. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/stops.h"

#define HLT     0xf4
#define NOP     0x90
#define RAM     0x10000ull
#define KERNEL  0xffffffff80101000ull
#define USER    0x400000ull
#define KERNEL_GPA 0x1000ull
#define USER_GPA   0x5000ull
#define SIZE    (3 * 64 + 7)            /* several of the pieces that are compared, the last one odd */
#define USER_SIZE 3
#define OWN     70                      /* where the kernel text has an HLT of its own */

static struct mem ram;
static struct stops stops;
static uint8_t *kernel, *user;

static void set_up(void)
{
	mem_init(&ram, RAM);
	kernel = mem_at(&ram, KERNEL_GPA, SIZE);
	user = mem_at(&ram, USER_GPA, USER_SIZE);
	memset(kernel, NOP, SIZE);
	memset(user, NOP, USER_SIZE);
	kernel[OWN] = HLT;
	stops_add(&stops, &ram, KERNEL, KERNEL_GPA, SIZE);
	stops_add(&stops, &ram, USER, USER_GPA, USER_SIZE);
}

static bool is_changed_at(gva_t want)
{
	gva_t at = 0;

	return stops_text_changed(&stops, &at) && at == want;
}

static bool is_unchanged(void)
{
	gva_t at = 0x1234;

	return !stops_text_changed(&stops, &at) && at == 0x1234;
}

/* Damages each bit of the text by itself: how many are told by their byte's address. */
static unsigned seen_bits(uint8_t *text, gva_t va, size_t size)
{
	unsigned seen = 0;

	for (size_t n = 0; n < 8 * size; n++) {
		text[n / 8] ^= 1 << n % 8;
		seen += is_changed_at(va + n / 8);
		text[n / 8] ^= 1 << n % 8;
	}
	return seen;
}

static void test_bits(void)
{
	unsigned first = 0;

	ok(is_unchanged(), "text as it was is not changed");
	is_u64(seen_bits(kernel, KERNEL, SIZE), 8 * SIZE, "every bit of kernel text is seen");
	is_u64(seen_bits(user, USER, USER_SIZE), 8 * USER_SIZE, "and of user text");
	for (unsigned n = 0; n < SIZE - 1; n++) {
		kernel[n] ^= 1;
		kernel[n + 1] ^= 1;
		user[0] ^= 1;
		first += is_changed_at(KERNEL + n);
		kernel[n] ^= 1;
		kernel[n + 1] ^= 1;
		user[0] ^= 1;
	}
	is_u64(first, SIZE - 1, "of several the first is told");
	kernel[-1] ^= 1;
	kernel[SIZE] ^= 1;
	ok(is_unchanged(), "what lies around the text is no text");
	kernel[-1] ^= 1;
	kernel[SIZE] ^= 1;
}

static void test_single(void)
{
	kernel[3] = HLT;
	ok(is_changed_at(KERNEL + 3), "an HLT that is no stop is a change");
	stops_set(&stops, KERNEL + 3);
	ok(is_unchanged(), "that of a stop is none");
	kernel[3] ^= 1;
	ok(is_changed_at(KERNEL + 3), "another byte in the stop's place is one");
	kernel[4] ^= 1;
	stops_lift(&stops, KERNEL + 3);
	ok(is_changed_at(KERNEL + 4), "and lifting the stop puts right that byte alone");
	stops_clear(&stops);
	ok(is_unchanged(), "clear puts all right");
	kernel[OWN] = NOP;
	ok(is_changed_at(KERNEL + OWN), "the text's own HLT overwritten is a change");
	stops_set(&stops, KERNEL + OWN);
	ok(is_unchanged(), "a stop in its place is none");
	stops_clear(&stops);
}

static void test_carpet(void)
{
	unsigned seen = 0;

	stops_carpet(&stops);
	ok(is_unchanged(), "the carpet is no change");
	for (unsigned n = 0; n < SIZE; n++) {
		kernel[n] = 0xcc;
		seen += is_changed_at(KERNEL + n);
		kernel[n] = HLT;
	}
	is_u64(seen, SIZE, "another byte in the place of any of its stops is one");
	stops_lift(&stops, KERNEL + 100);
	ok(is_unchanged(), "with one stop lifted out of it, neither");
	kernel[100] = HLT;
	ok(is_changed_at(KERNEL + 100), "but its HLT there is");
	stops_clear(&stops);
	ok(is_unchanged(), "clear puts it right");
}

int main(void)
{
	plan(5 + 7 + 5);
	set_up();
	test_bits();
	test_single();
	test_carpet();
	stops_free(&stops);
	mem_free(&ram);
	return done();
}
