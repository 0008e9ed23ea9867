/* SPDX-License-Identifier: MIT */
/* t-map.c: the map of a golden run: which visits are injected, whose classes they have, how many windows there are. */
#include <stdlib.h>
#include <string.h>

#include "tap/tap.h"
#include "vmm/map.h"

#define ENTRY   0xffffffff80101000ull   /* entry text, one page */
#define OTHER   0xffffffff80100400ull   /* kernel text that is no entry text */
#define USER    0x400000ull
enum { THREAD, IST };

static unsigned windows_of(const struct map *m)
{
	struct map_windows w = { 0 };

	map_windows(m, &w);
	map_windows(m, &w);             /* the same ones again are no new ones */
	free(w.window);
	return w.count;
}

static const struct range entry_text = { ENTRY, ENTRY + 0x1000 };

/* At CPL 0 behind the swap. */
static struct visit kernel(uint64_t rip)
{
	return (struct visit){ .rip = rip, .a = CLASS_K, .i = CLASS_U, .stack = THREAD };
}

static struct visit window(uint64_t rip)
{
	return (struct visit){ .rip = rip, .a = CLASS_U, .i = CLASS_K, .stack = THREAD };
}

static struct visit user(uint64_t rip)
{
	return (struct visit){ .rip = rip, .cpl = 3, .a = CLASS_U, .i = CLASS_K, .stack = LAYOUT_STACK_USER,
			       .interrupts = true };
}

static struct map map_of(const struct visit *v, size_t count)
{
	struct map m = { 0 };

	for (size_t n = 0; n < count; n++)
		map_add(&m, &v[n]);
	return m;
}

/* Plans the visits and compares, in order: '0' none, '1' NMI-like events, '2' interrupts, '3' both. */
static void injects(const struct visit *v, size_t count, const char *expected, const char *name)
{
	struct map m = map_of(v, count);
	char seen[64] = "";

	map_plan(&m, NULL, &entry_text);
	for (size_t n = 0; n < count; n++)
		seen[n] = '0' + m.at[n].inject + 2 * m.at[n].inject_irq;
	is_str(seen, expected, "%s", name);
	map_free(&m);
}
#define INJECTS(expected, name, ...) \
	injects((const struct visit[]){ __VA_ARGS__ }, \
		sizeof((const struct visit[]){ __VA_ARGS__ }) / sizeof(struct visit), expected, name)

static void test_where(void)
{
	struct visit v = kernel(OTHER), masked, mce;

	INJECTS("1", "a boundary of entry text", kernel(ENTRY));
	INJECTS("1", "the last one of entry text", kernel(ENTRY + 0xfff));
	INJECTS("00", "none above or below it", kernel(ENTRY + 0x1000), kernel(ENTRY - 1));
	INJECTS("0", "other kernel text behind the swap is not", kernel(OTHER));
	INJECTS("1", "but a window is, wherever it lies", window(OTHER));
	v.raised = ABI_VECTOR_NMI;
	masked = mce = v;
	masked.nmi_masked = true;
	mce.raised = ABI_VECTOR_MC;
	INJECTS("10", "and what an NMI executes while NMIs are unmasked, wherever it lies", v, kernel(OTHER));
	INJECTS("00", "but not while they are masked, nor what a machine check executes", masked, mce);
	INJECTS("3", "user code is, and there interrupts come, too", user(USER));
	injects(NULL, 0, "", "an empty map injects nothing");
}

/* Two visits to one boundary that differ in one thing. */
static void differ(struct visit second, const char *what)
{
	const struct visit v[] = { kernel(ENTRY), second, kernel(ENTRY), second };

	injects(v, 4, second.interrupts ? "1300" : "1100", what);
}

static void test_kinds(void)
{
	struct visit v = kernel(ENTRY);

	INJECTS("100", "of the same kind only the first", v, v, v);
	INJECTS("1101", "and so at each boundary by itself", v, kernel(ENTRY + 1), v, kernel(ENTRY + 2));
	v.a = CLASS_U;
	differ(v, "another class of A is another kind");
	v = kernel(ENTRY);
	v.i = CLASS_OTHER;
	differ(v, "another class of I");
	v = kernel(ENTRY);
	v.stack = IST;
	differ(v, "another stack");
	v = kernel(ENTRY);
	v.interrupts = true;
	differ(v, "another IF");
	v = kernel(ENTRY);
	v.direction = true;
	differ(v, "another DF");
	v = kernel(ENTRY);
	v.cpl = 3;
	differ(v, "another CPL");
	v = kernel(ENTRY);
	v.nmi_masked = true;
	differ(v, "another NMI mask");
	v = kernel(ENTRY);
	v.raised = ABI_VECTOR_MC;
	differ(v, "the handler of an event of the golden run");
	v = kernel(ENTRY);
	v.nested = true;
	differ(v, "another event inside of that");
	INJECTS("3300", "an address that differs in bit 63 is another boundary", user(USER), user(USER | 1ull << 63),
		user(USER), user(USER | 1ull << 63));
}

/* What says nothing about the state of GS: no kind of its own. */
static void test_no_kinds(void)
{
	struct visit v = kernel(ENTRY);

	v.a_value = v.i_value = 42;
	INJECTS("10", "other values of one class are the same kind", kernel(ENTRY), v);
	v = kernel(ENTRY);
	v.number = 7;
	INJECTS("10", "nor is the visit's number a kind", kernel(ENTRY), v);
	v = kernel(ENTRY);
	v.after_access = v.dr7_armed = true;
	INJECTS("10", "nor what a watchpoint could do there", kernel(ENTRY), v);
}

static void test_shadow(void)
{
	struct visit v = kernel(ENTRY);

	v.shadow = true;
	INJECTS("0", "a visit in an interrupt shadow is not injected", v);
	INJECTS("0010", "and takes nothing from a later one out of it", v, v, kernel(ENTRY), v);
	v = user(USER);
	v.shadow = true;
	INJECTS("030", "with IF = 1 neither", v, user(USER), v);
}

/* Interrupts come wherever IF is 1, outside entry text and windows, too. */
static void test_interrupts(void)
{
	struct visit k = kernel(OTHER), e = kernel(ENTRY), w = window(OTHER), u = user(USER), next, other;

	k.interrupts = e.interrupts = w.interrupts = true;
	next = other = k;
	next.rip++;
	other.i = CLASS_OTHER;
	INJECTS("2", "kernel text with IF = 1 is interrupted and nothing else", k);
	INJECTS("02200", "once for each boundary", kernel(OTHER), k, next, k, kernel(OTHER));
	INJECTS("33", "entry text and a window with IF = 1 get all", e, w);
	u.interrupts = false;
	INJECTS("1", "user code with IF = 0 is not interrupted", u);
	INJECTS("2200", "another class of I is another kind there, too", k, other, k, other);
}

/* Boundaries that share a bucket of any hash of reasonable size. */
static void test_many(void)
{
	struct map m = { 0 };
	unsigned injected = 0, wrong = 0;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned n = 0; n < 20000; n++) {
			struct visit v = user(USER + n);

			map_add(&m, &v);
		}
	map_plan(&m, NULL, &entry_text);
	for (size_t n = 0; n < m.count; n++) {
		injected += m.at[n].inject;
		wrong += m.at[n].inject != (n < 20000) || m.at[n].rip != USER + n % 20000;
	}
	is_u64(m.count, 60000, "a map grows as it must");
	is_u64(injected, 20000, "each boundary of many is injected once");
	is_u64(wrong, 0, "at its first visit, and none is lost");
	map_free(&m);
}

/* U = K: every value is K's, and only the other run can tell. */
static void test_distinguishing(void)
{
	const struct visit told[] = { user(USER), window(OTHER), kernel(OTHER), kernel(ENTRY), window(ENTRY) };
	struct visit same[5];
	struct map m, d = map_of(told, 5);
	char seen[8] = "";

	for (unsigned n = 0; n < 5; n++) {
		same[n] = told[n];
		same[n].a = same[n].i = CLASS_K;
		same[n].a_value = same[n].i_value = 0x1234;
	}
	m = map_of(same, 5);
	map_plan(&m, &d, &entry_text);
	for (unsigned n = 0; n < 5; n++)
		seen[n] = m.at[n].inject ? '1' : '0';
	is_str(seen, "11011", "windows are known by the classes of the distinguishing map");
	ok(m.at[1].a == CLASS_U && m.at[1].i == CLASS_K && m.at[2].i == CLASS_U, "which the visits take over");
	ok(m.at[1].a_value == 0x1234 && m.at[1].i_value == 0x1234, "while their values stay their own");
	is_u64(windows_of(&m), 2, "and so the windows are counted");
	map_free(&m);
	m = map_of(same, 5);
	map_plan(&m, NULL, &entry_text);
	ok(!m.at[1].inject && m.at[1].a == CLASS_K, "without it a window passes for the kernel");
	map_free(&m);
	map_free(&d);
}

static void test_parting(void)
{
	const struct visit told[] = { window(OTHER), window(OTHER + 1), window(OTHER + 2) };
	const struct visit mine[] = { kernel(OTHER), kernel(OTHER + 9), kernel(OTHER + 2), kernel(ENTRY) };
	struct map m = map_of(mine, 4), d = map_of(told, 3);

	map_plan(&m, &d, &entry_text);
	ok(m.at[0].a == CLASS_U && m.at[0].inject, "classes are taken while both are at the same boundary");
	ok(m.at[1].a == CLASS_K && !m.at[1].inject, "not where they part");
	ok(m.at[2].a == CLASS_K && !m.at[2].inject, "nor ever after, though they meet again");
	ok(m.at[3].a == CLASS_K && m.at[3].inject, "nor beyond the other's end");
	map_free(&m);
	m = map_of(told, 3);
	map_plan(&m, &m, &entry_text);
	ok(m.at[0].a == CLASS_U && m.at[2].a == CLASS_U && m.at[2].inject, "a map may be its own distinguishing one");
	map_free(&m);
	m = map_of(mine, 1);
	map_plan(&m, &d, &entry_text);
	is_u64(m.at[0].a, CLASS_U, "the other may be the longer one");
	map_free(&m);
	map_free(&d);
}

static void windows_are(const struct visit *v, size_t count, unsigned expected, const char *name)
{
	struct map m = map_of(v, count);

	is_u64(windows_of(&m), expected, "%s", name);
	map_free(&m);
}
#define WINDOWS(expected, name, ...) \
	windows_are((const struct visit[]){ __VA_ARGS__ }, \
		    sizeof((const struct visit[]){ __VA_ARGS__ }) / sizeof(struct visit), expected, name)

static void test_windows(void)
{
	struct visit w0 = window(ENTRY), w1 = window(ENTRY + 3), w2 = window(ENTRY + 6), k = kernel(ENTRY + 9);
	struct visit other = { .rip = ENTRY + 3, .a = CLASS_OTHER, .i = CLASS_OTHER };

	windows_are(NULL, 0, 0, "no visits, no window");
	WINDOWS(0, "none behind the swap, nor in user code", k, user(USER), k);
	WINDOWS(1, "a run is one window", user(USER), w0, w1, w2, k);
	WINDOWS(1, "at the end of the map, too", k, w0, w1);
	WINDOWS(2, "the way in and the way out are two", w0, w1, k, w2, user(USER));
	WINDOWS(1, "the same one again counts once", w0, w1, k, w0, w1, user(USER), w0, w1);
	WINDOWS(2, "the same first boundary, another last one", w0, w1, k, w0, w1, w2, k);
	WINDOWS(2, "another first boundary, the same last one", w0, w1, w2, k, w1, w2, k);
	WINDOWS(2, "user code parts two windows", w0, user(USER), w1);
	WINDOWS(1, "an A that is neither K nor U is in the window", w0, other, w2);
	w1.entered = true;
	WINDOWS(2, "user code that could not be stopped at parts them, too", k, w0, w1, w2, k);
	WINDOWS(1, "not where a window begins", k, w1, w2, k);
	ok(map_in_window(&w0) && map_in_window(&other), "a window is CPL 0 with another A than K");
	w0.cpl = 3;
	ok(!map_in_window(&k) && !map_in_window(&w0), "and nothing else");
}

int main(void)
{
	plan(7 + 9 + 3 + 3 + 5 + 3 + 5 + 6 + 14 + 3 + 5);
	test_where();
	test_kinds();
	test_no_kinds();
	test_shadow();
	test_interrupts();
	test_many();
	test_distinguishing();
	test_parting();
	test_windows();
	is_str(gs_class_name(CLASS_K), "K", "the class of K is called K");
	is_str(gs_class_name(CLASS_U), "U", "that of U is called U");
	is_str(gs_class_name(CLASS_OTHER), "other", "any other is called other");
	return done();
}
