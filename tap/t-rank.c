/* SPDX-License-Identifier: MIT */
/* t-rank.c: which cases of a map come first if time is short. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/rank.h"

#define ENTRY   0xffffffff80101000ull
#define USER    0x400000ull
#define NMI     (1u << EVENT_NMI)
#define ALL     ((1u << EVENT_COUNT) - 1)

/* At CPL 0 behind the swap. */
static struct visit kernel(uint64_t rip)
{
	return (struct visit){ .rip = rip, .a = CLASS_K, .i = CLASS_U, .inject = true };
}

static struct visit window(uint64_t rip)
{
	return (struct visit){ .rip = rip, .a = CLASS_U, .i = CLASS_K, .inject = true };
}

static struct visit user(uint64_t rip)
{
	return (struct visit){ .rip = rip, .cpl = 3, .a = CLASS_U, .i = CLASS_K, .interrupts = true, .inject = true, .inject_irq = true };
}

/* Ranks the visits as the next unit and compares the rank of one event at each, in order. */
static void ranks(struct ranks *k, const struct visit *v, size_t count, enum event event, enum gs_name gs, const char *expected,
		  const char *name)
{
	struct map m = { 0 };
	char seen[64] = "";

	for (size_t n = 0; n < count; n++)
		map_add(&m, &v[n]);
	rank_map(k, &m, 1u << event, SCHEME_IST, gs);
	for (size_t n = 0; n < count; n++)
		seen[n] = '0' + m.at[n].rank[event];
	is_str(seen, expected, "%s", name);
	map_free(&m);
}
#define RANKS(k, event, gs, expected, name, ...) \
	ranks(k, (const struct visit[]){ __VA_ARGS__ }, sizeof((const struct visit[]){ __VA_ARGS__ }) / sizeof(struct visit), \
	      event, gs, expected, name)

/* One unit in a run of its own. */
#define ALONE(event, gs, expected, name, ...) do { \
		struct ranks k = { 0 }; \
		RANKS(&k, event, gs, expected, name, __VA_ARGS__); \
		rank_free(&k); \
	} while (0)

static void test_places(void)
{
	struct visit none = kernel(ENTRY), other = window(ENTRY);

	none.inject = false;
	other.a = CLASS_OTHER;
	ALONE(EVENT_NMI, GS_SMALL, "002", "windows and user code come before the rest of the kernel", window(ENTRY), user(USER),
	      kernel(ENTRY + 1));
	ALONE(EVENT_NMI, GS_SMALL, "0", "an A that is neither K nor U is in a window", other);
	ALONE(EVENT_IRQ, GS_SMALL, "30", "an interrupt only where one is planned", window(ENTRY), user(USER));
	ALONE(EVENT_NMI, GS_SMALL, "32", "what is not planned comes last, and hides nothing", none, kernel(ENTRY));
}

static void test_values(void)
{
	ALONE(EVENT_NMI, GS_NEGATIVE, "113", "under a negative value windows and user code come second, the rest last", window(ENTRY),
	      user(USER), kernel(ENTRY + 1));
	ALONE(EVENT_NMI, GS_OWN_K, "113", "and so under the kernel's own", window(ENTRY), user(USER), kernel(ENTRY + 1));
	ALONE(EVENT_NMI, GS_ZERO, "333", "under any other all is the rest", window(ENTRY), user(USER), kernel(ENTRY + 1));
	ALONE(EVENT_NMI_RESCHED, GS_SMALL, "112", "what asks for a reschedule comes second where others come first", window(ENTRY),
	      user(USER), kernel(ENTRY + 1));
	is_u64(rank_of_value(GS_SMALL), 0, "units of the distinguishing value are mapped first");
	is_u64(rank_of_value(GS_NEGATIVE), 1, "then those of a negative one");
	is_u64(rank_of_value(GS_OWN_K), 1, "and of the kernel's own");
	is_u64(rank_of_value(GS_ZERO), RANK_VALUES - 1, "the others at the end");
}

static void test_again(void)
{
	struct visit other = window(ENTRY);

	other.direction = true;
	ALONE(EVENT_NMI, GS_SMALL, "033", "the same visit again is the rest", window(ENTRY), window(ENTRY), window(ENTRY));
	ALONE(EVENT_NMI, GS_SMALL, "00", "in another state it is new", window(ENTRY), other);
	ALONE(EVENT_NMI, GS_SMALL, "00", "at another address, too", window(ENTRY), window(ENTRY + 1));
}

/* Wherever it runs, user code is the same to a kernel; where the kernel has just returned to is not. */
static void test_user(void)
{
	ALONE(EVENT_NMI, GS_SMALL, "0333", "user code counts once, wherever it is and from its first instruction on", user(USER), user(USER + 1),
	      user(USER + 2), user(USER + 3));
	ALONE(EVENT_NMI, GS_SMALL, "03200", "but it is new behind each stay in the kernel", user(USER), user(USER + 1), kernel(ENTRY), user(USER + 2),
	      window(ENTRY));
	ALONE(EVENT_NMI, GS_SMALL, "02030", "once for each such place", user(USER), kernel(ENTRY), user(USER + 1), kernel(ENTRY),
	      user(USER + 2));
	ALONE(EVENT_NMI, GS_SMALL, "02033", "and not again when it comes there again", user(USER), kernel(ENTRY), user(USER + 1), kernel(ENTRY),
	      user(USER + 1));
}

/* Several maps of one run. */
static void test_units(void)
{
	struct ranks k = { 0 };
	struct map m = { 0 };
	struct visit v = window(ENTRY);

	RANKS(&k, EVENT_NMI, GS_SMALL, "0", "a window of the first unit", window(ENTRY));
	RANKS(&k, EVENT_NMI, GS_SMALL, "30", "in the next unit only what that has not shown", window(ENTRY), window(ENTRY + 1));
	RANKS(&k, EVENT_MCE, GS_SMALL, "0", "another event there is new", window(ENTRY));
	RANKS(&k, EVENT_NMI, GS_NEGATIVE, "1", "another value, too", window(ENTRY));
	map_add(&m, &v);
	rank_map(&k, &m, NMI, SCHEME_SWAPGS, GS_SMALL);
	is_u64(m.at[0].rank[EVENT_NMI], RANK_WINDOW, "another scheme, too");
	is_u64(m.at[0].rank[EVENT_DB], RANK_REST, "an event that the unit does not have is the rest");
	rank_map(&k, &m, ALL, SCHEME_SWAPGS, GS_SMALL);
	is_u64(m.at[0].rank[EVENT_NMI], RANK_REST, "of several events the one that was there before is the rest");
	is_u64(m.at[0].rank[EVENT_MCE], RANK_WINDOW, "and the others are not");
	map_free(&m);
	rank_free(&k);
}

/* More kinds than there are buckets, and than there is room for at first. */
static void test_many(void)
{
	enum { MANY = 20000 };
	struct ranks k = { 0 };
	struct map m = { 0 };
	unsigned first = 0, again = 0;

	for (unsigned n = 0; n < 2 * MANY; n++) {
		struct visit v = window(ENTRY + n % MANY);

		map_add(&m, &v);
	}
	rank_map(&k, &m, NMI, SCHEME_IST, GS_SMALL);
	for (unsigned n = 0; n < MANY; n++) {
		first += m.at[n].rank[EVENT_NMI] == RANK_WINDOW;
		again += m.at[MANY + n].rank[EVENT_NMI] == RANK_REST;
	}
	is_u64(first, MANY, "twenty thousand windows are new once each");
	is_u64(again, MANY, "and known when they come again");
	map_free(&m);
	rank_free(&k);
	m = (struct map){ 0 };
	rank_map(&k, &m, NMI, SCHEME_IST, GS_SMALL);
	ok(!m.at, "an empty map has no ranks");
}

int main(void)
{
	plan(4 + 8 + 3 + 4 + 8 + 3);
	test_places();
	test_values();
	test_again();
	test_user();
	test_units();
	test_many();
	return done();
}
