/* SPDX-License-Identifier: MIT */
/* t-stops.c: stops come and go and leave the text as it was; only what the bench set is a stop. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/stops.h"

#define HLT     0xf4
#define RAM     0x10000ull
#define KERNEL  0xffffffff80101000ull
#define USER    0x400000ull
#define KERNEL_GPA 0x1000ull
#define USER_GPA   0x5000ull

static const uint8_t kernel_text[] = {
	0x0f, 0x01, 0xf8,                       /*  0 swapgs */
	0x48, 0x89, 0xe0,                       /*  3 mov %rsp,%rax */
	0xf4,                                   /*  6 hlt, the guest's own */
	0xb8, 0xf4, 0xf4, 0xf4, 0xf4,           /*  7 mov $0xf4f4f4f4,%eax */
	0x06,                                   /* 12 no instruction */
	0x48, 0xcf,                             /* 13 iretq */
};
static const uint8_t user_text[] = { 0x90, 0x0f, 0x05 };        /* nop; syscall */
static const unsigned kernel_starts[] = { 0, 3, 6, 7, 13 };

static struct mem ram;
static struct stops stops;

static uint8_t *kernel_ram(void)
{
	return mem_at(&ram, KERNEL_GPA, sizeof(kernel_text));
}

static uint8_t *user_ram(void)
{
	return mem_at(&ram, USER_GPA, sizeof(user_text));
}

/* The text is plain, and everything around it untouched. */
static bool is_plain(void)
{
	const uint8_t *p = mem_at(&ram, 0, RAM);
	uint64_t filled = 0;

	for (uint64_t n = 0; n < RAM; n++)
		filled += p[n] == 0xaa;
	return filled == RAM - sizeof(kernel_text) - sizeof(user_text) &&
	       !memcmp(kernel_ram(), kernel_text, sizeof(kernel_text)) &&
	       !memcmp(user_ram(), user_text, sizeof(user_text));
}

/* How the kernel text differs from the plain one: offsets of HLT that is not its own. */
static bool differs_only_at(const unsigned *offsets, unsigned count)
{
	uint8_t expected[sizeof(kernel_text)];

	memcpy(expected, kernel_text, sizeof(expected));
	for (unsigned n = 0; n < count; n++)
		expected[offsets[n]] = HLT;
	return !memcmp(kernel_ram(), expected, sizeof(expected));
}

static unsigned set_count(void)
{
	unsigned count = 0;

	for (unsigned n = 0; n < sizeof(kernel_text); n++)
		count += stops_is_set(&stops, KERNEL + n);
	for (unsigned n = 0; n < sizeof(user_text); n++)
		count += stops_is_set(&stops, USER + n);
	return count;
}

static void set_up(void)
{
	mem_init(&ram, RAM);
	memset(mem_at(&ram, 0, RAM), 0xaa, RAM);
	memcpy(kernel_ram(), kernel_text, sizeof(kernel_text));
	memcpy(user_ram(), user_text, sizeof(user_text));
	stops_add(&stops, &ram, KERNEL, KERNEL_GPA, sizeof(kernel_text));
	stops_add(&stops, &ram, USER, USER_GPA, sizeof(user_text));
}

static void test_single(void)
{
	static const unsigned at_3[] = { 3 };

	ok(is_plain() && set_count() == 0, "adding text changes nothing and stops nowhere");
	stops_set(&stops, KERNEL + 3);
	ok(differs_only_at(at_3, 1), "a stop is one HLT byte");
	ok(stops_is_set(&stops, KERNEL + 3) && set_count() == 1, "and it alone is set");
	ok(!memcmp(user_ram(), user_text, sizeof(user_text)), "other text is as it was");
	stops_set(&stops, KERNEL + 3);
	ok(differs_only_at(at_3, 1) && set_count() == 1, "set twice is set");
	stops_lift(&stops, KERNEL + 3);
	ok(is_plain() && set_count() == 0, "lifted once, the byte is back");
	stops_lift(&stops, KERNEL + 3);
	ok(is_plain() && set_count() == 0, "lifted twice does no harm");
	stops_set(&stops, USER + 1);
	ok(user_ram()[1] == HLT && stops_is_set(&stops, USER + 1) && set_count() == 1, "user text stops, too");
	stops_set(&stops, KERNEL);
	stops_lift(&stops, USER + 1);
	ok(kernel_ram()[0] == HLT && set_count() == 1, "to lift one leaves the other");
	stops_clear(&stops);
	ok(is_plain() && set_count() == 0, "clear lifts what is left");
}

static void test_own_hlt(void)
{
	ok(kernel_ram()[6] == HLT && !stops_is_set(&stops, KERNEL + 6), "the text's own HLT is no stop");
	stops_set(&stops, KERNEL + 6);
	ok(is_plain() && stops_is_set(&stops, KERNEL + 6), "unless it is set, which changes no byte");
	stops_lift(&stops, KERNEL + 6);
	ok(is_plain() && !stops_is_set(&stops, KERNEL + 6), "lifted, it is the text's own again");
	stops_set(&stops, KERNEL + 6);
	stops_clear(&stops);
	ok(is_plain() && !stops_is_set(&stops, KERNEL + 6), "and cleared, too");
	ok(!stops_is_set(&stops, KERNEL + 8), "an HLT byte within an instruction is no stop");
}

static void test_carpet(void)
{
	static const unsigned without_7[] = { 0, 3, 6, 13 };

	stops_carpet(&stops);
	ok(differs_only_at(kernel_starts, 5), "the carpet is HLT on every instruction start and on no other byte");
	ok(user_ram()[0] == HLT && user_ram()[1] == HLT && user_ram()[2] == user_text[2], "in user text, too");
	for (unsigned n = 0; n < 5; n++)
		ok(stops_is_set(&stops, KERNEL + kernel_starts[n]), "a stop is set at offset %u", kernel_starts[n]);
	is_u64(set_count(), 5 + 2, "and nowhere else");
	stops_lift(&stops, KERNEL + 7);
	ok(differs_only_at(without_7, 4) && !stops_is_set(&stops, KERNEL + 7), "one can be lifted out of the carpet");
	stops_set(&stops, KERNEL + 7);
	ok(differs_only_at(kernel_starts, 5) && set_count() == 7, "and set again");
	stops_carpet(&stops);
	ok(differs_only_at(kernel_starts, 5) && set_count() == 7, "a second carpet is the same");
	stops_clear(&stops);
	ok(is_plain() && set_count() == 0, "clear takes it all away");
	stops_set(&stops, KERNEL + 3);
	stops_carpet(&stops);
	stops_clear(&stops);
	ok(is_plain() && set_count() == 0, "with the single stops under it");
}

static void test_outside(void)
{
	static const uint64_t outside[] = {
		0, KERNEL - 1, KERNEL + sizeof(kernel_text), USER - 1, USER + sizeof(user_text), ~0ull,
		KERNEL ^ 1ull << 63, KERNEL ^ 1ull << 32, USER | 1ull << 32, KERNEL_GPA, USER_GPA,
	};
	uint64_t left;

	for (unsigned n = 0; n < sizeof(outside) / sizeof(outside[0]); n++) {
		bool set;

		stops_set(&stops, outside[n]);
		set = stops_is_set(&stops, outside[n]);
		stops_lift(&stops, outside[n]);
		ok(!set && is_plain() && !stops_text(&stops, outside[n], &left),
		   "%#lx is outside: no stop, no text, no change", (unsigned long)outside[n]);
	}
}

static void test_text(void)
{
	uint64_t left = 0;
	const uint8_t *p = stops_text(&stops, KERNEL, &left);

	ok(p && left == sizeof(kernel_text) && !memcmp(p, kernel_text, left), "the text is the image's");
	stops_carpet(&stops);
	p = stops_text(&stops, KERNEL + 7, &left);
	ok(p && left == sizeof(kernel_text) - 7 && !memcmp(p, kernel_text + 7, left),
	   "under the carpet and from the middle, too");
	p = stops_text(&stops, USER + 2, &left);
	ok(p && left == 1 && *p == 0x05, "its last byte is one byte");
	stops_clear(&stops);
}

static void test_keep(void)
{
	static const unsigned kept[] = { 3, 13 };

	stops_set(&stops, KERNEL);
	stops_bring_back(&stops);
	ok(is_plain() && set_count() == 0, "before any are kept none are brought back");
	stops_set(&stops, KERNEL + 3);
	stops_set(&stops, KERNEL + 13);
	stops_set(&stops, USER + 1);
	stops_keep(&stops);
	ok(differs_only_at(kept, 2) && set_count() == 3, "to keep stops changes none");
	stops_carpet(&stops);
	stops_bring_back(&stops);
	ok(differs_only_at(kept, 2) && user_ram()[0] == user_text[0] && user_ram()[1] == HLT && set_count() == 3,
	   "from the carpet exactly the kept ones come back");
	ok(stops_is_set(&stops, KERNEL + 3) && stops_is_set(&stops, KERNEL + 13) && stops_is_set(&stops, USER + 1),
	   "and are set");
	stops_clear(&stops);
	stops_set(&stops, KERNEL + 6);
	stops_bring_back(&stops);
	ok(differs_only_at(kept, 2) && set_count() == 3, "after a clear and another stop, too, as often as wanted");
	kernel_ram()[4] ^= 1;
	stops_bring_back(&stops);
	ok(differs_only_at(kept, 2), "and the image's bytes with them");
	stops_lift(&stops, KERNEL + 3);
	stops_lift(&stops, USER + 1);
	stops_keep(&stops);
	stops_carpet(&stops);
	stops_bring_back(&stops);
	ok(differs_only_at(kept + 1, 1) && set_count() == 1, "only what was kept last comes back");
	stops_carpet(&stops);
	stops_keep(&stops);
	stops_clear(&stops);
	stops_bring_back(&stops);
	ok(differs_only_at(kernel_starts, 5) && set_count() == 7, "the carpet can be kept");
	stops_clear(&stops);
	stops_keep(&stops);
	stops_bring_back(&stops);
	ok(is_plain() && set_count() == 0, "and so can none");
}

int main(void)
{
	plan(10 + 5 + 13 + 11 + 3 + 9 + 2);
	set_up();
	test_single();
	test_own_hlt();
	test_carpet();
	test_outside();
	test_text();
	test_keep();
	stops_free(&stops);
	ok(is_plain(), "freed, the text stays plain");
	ok(!stops_is_set(&stops, KERNEL), "and nothing is known of it");
	mem_free(&ram);
	return done();
}
