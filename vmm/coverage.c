/* SPDX-License-Identifier: MIT */
/* coverage.c: what became of every boundary, against the list of those that no scenario reaches. */
#include "vmm/coverage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"
#include "vmm/map.h"

#define MAX_ENTRIES 64

static const char *const reasons[] = {
	"double-fault",                 /* the handler of #DF never comes back */
	"exception-not-raised",         /* no user program raises it; the bench's own stops end at its first instruction */
	"corrupt-slot",                 /* the guest reports an overwritten K slot and halts */
	"interrupt-shadow",             /* visited only right after STI, MOV SS or POP SS */
	"guest-bug",                    /* reached only if the guest's own checks fail */
};

/* One line of the list: a whole symbol, or the part of it from `from` on. */
struct entry {
	char symbol[128];
	uint64_t from;
	const char *reason;
	bool used;
	int line;
};

struct unreached_list {
	struct entry entry[MAX_ENTRIES];
	unsigned count;
};

static const char *known_reason(const char *word)
{
	for (size_t n = 0; n < sizeof(reasons) / sizeof(reasons[0]); n++)
		if (!strcmp(reasons[n], word))
			return reasons[n];
	return NULL;
}

static void read_line(struct unreached_list *l, const char *path, int line, const char *text)
{
	struct entry *e = &l->entry[l->count];
	char reason[64], *plus;

	if (text[0] == '#' || text[strspn(text, " \t\n")] == '\0')
		return;
	if (l->count == MAX_ENTRIES)
		die(EXIT_USAGE, "%s:%d: more than %d entries", path, line, MAX_ENTRIES);
	if (sscanf(text, "%127s %63s", e->symbol, reason) != 2)
		die(EXIT_USAGE, "%s:%d: a line is SYMBOL[+0xOFF] REASON", path, line);
	e->reason = known_reason(reason);
	if (!e->reason)
		die(EXIT_USAGE, "%s:%d: unknown reason \"%s\"", path, line, reason);
	plus = strchr(e->symbol, '+');
	e->from = plus ? strtoull(plus + 1, NULL, 16) : 0;
	if (plus)
		*plus = '\0';
	e->line = line;
	l->count++;
}

struct unreached_list *coverage_read_list(void)
{
	struct unreached_list *l = xcalloc(1, sizeof(*l));
	char path[700], text[300];
	int line = 0;
	FILE *f;

	options_beside(UNREACHED_FILE, path, sizeof(path));
	f = fopen(path, "r");
	if (!f)
		die(EXIT_USAGE, "%s: %s", path, strerror(errno));
	while (fgets(text, sizeof(text), f))
		read_line(l, path, ++line, text);
	fclose(f);
	return l;
}

static const char *reason_of(struct unreached_list *l, const struct bench *bench, uint64_t rip)
{
	const struct elf_symbol *s = elf_nearest(bench->elf, rip);

	for (unsigned n = 0; s && n < l->count; n++)
		if (!strcmp(l->entry[n].symbol, s->name) && rip - s->addr >= l->entry[n].from) {
			l->entry[n].used = true;
			return l->entry[n].reason;
		}
	return NULL;
}

static uint8_t *merge(const struct plan *p, uint64_t *start, uint64_t *size)
{
	uint8_t *all = NULL;

	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit_record *r = &p->units[n];

		if (!r->asked || !r->cover)
			continue;
		if (!all)
			all = xcalloc(r->text_size, 1);
		*start = r->text_start;
		*size = r->text_size;
		for (uint64_t k = 0; k < r->text_size; k++)
			all[k] |= r->cover[k];
	}
	return all;
}

static void add_unreached(struct coverage_sum *c, struct unreached_list *l, const struct bench *bench, uint64_t rip, bool complete)
{
	const char *reason = reason_of(l, bench, rip);

	if (!reason && !complete)
		reason = "not-asked";
	c->unlisted += !reason;
	c->unreached = xrealloc(c->unreached, (c->unreached_count + 1) * sizeof(*c->unreached));
	c->unreached[c->unreached_count++] = (struct unreached){ rip, reason };
}

static void find_stale(struct coverage_sum *c, const struct unreached_list *l)
{
	for (unsigned n = 0; n < l->count && !c->stale[0]; n++)
		if (!l->entry[n].used)
			snprintf(c->stale, sizeof(c->stale), "unreached:%d: %s is reached now, or gone",
				 l->entry[n].line, l->entry[n].symbol);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Distinct user boundaries over all units. */
static unsigned count_user(const struct plan *p)
{
	size_t room = 0, count = 0;
	uint64_t *all;
	unsigned distinct = 0;

	for (size_t n = 0; n < p->unit_count; n++)
		room += p->units[n].map.count;
	all = xcalloc(room, sizeof(*all));
	for (size_t n = 0; n < p->unit_count; n++)
		for (size_t k = 0; p->units[n].asked && k < p->units[n].map.count; k++)
			if (p->units[n].map.at[k].inject && p->units[n].map.at[k].cpl == 3)
				all[count++] = p->units[n].map.at[k].rip;
	qsort(all, count, sizeof(*all), by_number);
	for (size_t n = 0; n < count; n++)
		distinct += !n || all[n] != all[n - 1];
	free(all);
	return distinct;
}

/* Distinct ones over all units. */
static unsigned count_windows(const struct plan *p)
{
	struct map_windows w = { 0 };

	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].asked)
			map_windows(&p->units[n].map, &w);
	free(w.window);
	return w.count;
}

void coverage_sum(struct coverage_sum *c, const struct plan *p, const struct bench *bench, struct unreached_list *list,
		  bool complete)
{
	uint64_t start = 0, size = 0;
	uint8_t *all = merge(p, &start, &size);

	memset(c, 0, sizeof(*c));
	for (uint64_t n = 0; n < size; n++) {
		if (!(all[n] & (COVER_REACHABLE | COVER_WINDOW)))
			continue;
		c->boundaries++;
		if (all[n] & COVER_INJECTED)
			c->injected++;
		else if (all[n] & COVER_HANDLER)
			c->deferred++;
		else
			add_unreached(c, list, bench, start + n, complete);
	}
	if (complete)
		find_stale(c, list);
	c->windows = count_windows(p);
	c->user_boundaries = count_user(p);
	free(all);
}

void coverage_free(struct coverage_sum *c)
{
	free(c->unreached);
}
