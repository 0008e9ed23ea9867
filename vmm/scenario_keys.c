/* SPDX-License-Identifier: MIT */
/* scenario_keys.c: the keys of a scenario file and what their values may be. */
#include "vmm/scenario_keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi.h"

#define MAX_THREADS 16
#define WORD_CHARS  "abcdefghijklmnopqrstuvwxyz0123456789_-"

static bool copy(char *out, size_t out_size, const char *text)
{
	return (size_t)snprintf(out, out_size, "%s", text) < out_size;
}

static bool set_claim(struct scenario *s, const char *value)
{
	return *value && copy(s->claim, sizeof(s->claim), value);
}

static bool set_program(struct scenario *s, const char *value)
{
	return *value && !value[strspn(value, WORD_CHARS)] && copy(s->program, sizeof(s->program), value);
}

static bool number(const char *value, int base, uint64_t max, uint64_t *out)
{
	char *end;

	if (!isxdigit((unsigned char)*value))   /* no sign, no space */
		return false;
	errno = 0;
	*out = strtoull(value, &end, base);
	return !*end && !errno && *out <= max;
}

static bool count(const char *value, unsigned max, unsigned *out)
{
	uint64_t n;

	if (!number(value, 10, max, &n) || !n)
		return false;
	*out = n;
	return true;
}

static bool set_cpus(struct scenario *s, const char *value)
{
	return count(value, ABI_CPUS, &s->cpus);
}

static bool set_threads(struct scenario *s, const char *value)
{
	return count(value, MAX_THREADS, &s->threads);
}

static bool set_turns(struct scenario *s, const char *value)
{
	return count(value, CASEID_TURNS, &s->turns);
}

static bool set_begins(struct scenario *s, const char *value)
{
	s->boots = !strcmp(value, "boot");
	return s->boots || !strcmp(value, "user");
}

static bool set_flags(struct scenario *s, const char *value)
{
	return !strncmp(value, "0x", 2) && number(value, 16, UINT64_MAX, &s->flags);
}

/* Calls item for every word of a comma-separated list. An empty list is `none`. */
static bool each_item(const char *value, bool (*item)(const char *word, unsigned *mask), unsigned *mask)
{
	char buf[256], *rest = buf, *word;
	size_t n;

	if (!*value || !copy(buf, sizeof(buf), value))
		return false;
	while ((word = strsep(&rest, ","))) {
		word += strspn(word, " \t");
		for (n = strlen(word); n && strchr(" \t", word[n - 1]); n--)
			word[n - 1] = '\0';
		if (!item(word, mask))
			return false;
	}
	return true;
}

/* A word given twice is a slip of the pen, too. */
static bool add_bit(unsigned bit, unsigned *mask)
{
	bool is_new = !(*mask & 1u << bit);

	*mask |= 1u << bit;
	return is_new;
}

const char *cmdline_word_name(enum cmdline_word word)
{
	static const char *const names[CMDLINE_WORDS] = {
		[CMDLINE_NOFSGSBASE] = "nofsgsbase", [CMDLINE_SWITCH_2019] = "switch=2019", [CMDLINE_TIMER_MIGRATE] = "timer=migrate",
	};

	return names[word];
}

static bool cmdline_item(const char *word, unsigned *mask)
{
	for (enum cmdline_word n = 0; n < CMDLINE_WORDS; n++)
		if (!strcmp(word, cmdline_word_name(n)))
			return add_bit(n, mask);
	return false;
}

static bool need_item(const char *word, unsigned *mask)
{
	if (!strcmp(word, "breakpoints"))
		return add_bit(NEED_BREAKPOINTS, mask);
	if (!strcmp(word, "kernel-int3"))
		return add_bit(NEED_KERNEL_INT3, mask);
	if (!strcmp(word, "compat"))
		return add_bit(NEED_COMPAT, mask);
	return !strcmp(word, "watchpoints") && add_bit(NEED_WATCHPOINTS, mask);
}

static bool scheme_item(const char *word, unsigned *mask)
{
	enum scheme scheme;

	return scheme_find(word, &scheme) && add_bit(scheme, mask);
}

static bool gs_item(const char *word, unsigned *mask)
{
	enum gs_name gs;

	return gsvalue_find(word, &gs) && add_bit(gs, mask);
}

static bool event_item(const char *word, unsigned *mask)
{
	enum event event;

	return event_find(word, &event) && add_bit(event, mask);
}

static bool death_item(const char *word, unsigned *mask)
{
	enum death death;

	return death_find(word, &death) && add_bit(death, mask);
}

static bool row_item(const char *word, unsigned *mask)
{
	(void)mask;
	return strlen(word) == 4 && word[0] == 'S' && isdigit((unsigned char)word[1]) && word[2] == '.' &&
	       isdigit((unsigned char)word[3]);
}

static bool bug_item(const char *word, unsigned *mask)
{
	unsigned n;

	(void)mask;
	return count(word, 999, &n);
}

static bool set_schemes(struct scenario *s, const char *value)
{
	return each_item(value, scheme_item, &s->schemes);
}

static bool set_gs(struct scenario *s, const char *value)
{
	return each_item(value, gs_item, &s->gs);
}

static bool set_events(struct scenario *s, const char *value)
{
	return each_item(value, event_item, &s->events);
}

static bool set_cmdline(struct scenario *s, const char *value)
{
	return each_item(value, cmdline_item, &s->cmdline);
}

static bool set_needs(struct scenario *s, const char *value)
{
	return each_item(value, need_item, &s->needs);
}

static bool show_item(const char *word, unsigned *mask)
{
	if (!strcmp(word, "executed"))
		return add_bit(SHOW_EXECUTED, mask);
	return !strcmp(word, "exits") && add_bit(SHOW_EXITS, mask);
}

static bool set_shows(struct scenario *s, const char *value)
{
	return each_item(value, show_item, &s->shows);
}

static bool set_deaths(struct scenario *s, const char *value)
{
	return !strcmp(value, "none") || each_item(value, death_item, &s->deaths);
}

static bool set_rows(struct scenario *s, const char *value)
{
	if (!strcmp(value, "none"))
		return true;
	return each_item(value, row_item, NULL) && copy(s->rows, sizeof(s->rows), value);
}

static bool set_bugs(struct scenario *s, const char *value)
{
	if (!strcmp(value, "none"))
		return true;
	return each_item(value, bug_item, NULL) && copy(s->bugs, sizeof(s->bugs), value);
}

const struct scenario_key scenario_keys[SCENARIO_KEYS] = {
	{ "claim",   set_claim,   false, "one sentence of at most 199 characters" },
	{ "rows",    set_rows,    false, "rows like S0.1, comma-separated, or none" },
	{ "bugs",    set_bugs,    false, "numbers of the bug catalogue, comma-separated, or none" },
	{ "program", set_program, false, "the name of a user program of the guest" },
	{ "cpus",    set_cpus,    false, "1 or 2" },
	{ "threads", set_threads, false, "1 to 16" },
	{ "schemes", set_schemes, false, "swapgs, ist, lsl, pure, each at most once" },
	{ "gs",      set_gs,      true,  "names of the user GS set like u-zero, each at most once" },
	{ "events",  set_events,  false, "nmi, mce, db, each also with .resched, irq, timer, gp and pf, each at most once" },
	{ "deaths",  set_deaths,  true,  "mcip, same-ist, no-ist, each at most once, or none" },
	{ "flags",   set_flags,   true,  "a hexadecimal number like 0x240602" },
	{ "cmdline", set_cmdline, true,  "words of the guest's command line: nofsgsbase, switch=2019, timer=migrate" },
	{ "shows",   set_shows,   true,  "what the end of a run prints of it: exits, executed" },
	{ "needs",   set_needs,   true,  "what a host may lack: watchpoints, breakpoints, kernel-int3, compat" },
	{ "begins",  set_begins,  true,  "user or boot" },
	{ "turns",   set_turns,   true,  "1 to 100" },
};
