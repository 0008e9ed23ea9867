/* SPDX-License-Identifier: MIT */
/* report_tally.c: what the golden runs have executed on each way, for people and for the summary. */
#include "vmm/report_tally.h"

#include <stdio.h>

static bool is_there(const struct totals *t)
{
	for (enum scheme s = 0; s < SCHEME_COUNT; s++)
		if (t->tally[s].ways)
			return true;
	return false;
}

/* How often in one way; with a fraction where the visits differ. */
static void print_count(const struct tally_way *w, enum tallied n)
{
	uint64_t count = w->count[n];

	if (!w->times || count % w->times)
		printf(" %8.1f", w->times ? (double)count / w->times : 0);
	else
		printf(" %8lu", (unsigned long)(count / w->times));
}

static void print_way(const char *scheme, const struct tally_way *w)
{
	char name[64];

	tally_name(w, name, sizeof(name));
	printf("# %-7s %-24s %6lu", scheme, name, (unsigned long)w->times);
	for (enum tallied n = 0; n < TALLIED_COUNT; n++)
		print_count(w, n);
	printf("\n");
}

void tally_print(const struct totals *t)
{
	if (!is_there(t))
		return;
	printf("# %-7s %-24s %6s", "scheme", "executed each time", "times");
	for (enum tallied n = 0; n < TALLIED_COUNT; n++)
		printf(" %8s", tallied_name(n));
	printf("\n");
	for (enum scheme s = 0; s < SCHEME_COUNT; s++)
		for (unsigned n = 0; n < t->tally[s].ways; n++)
			print_way(scheme_name(s), &t->tally[s].way[n]);
}

static json_t *way_json(enum scheme s, const struct tally_way *w)
{
	char name[64];
	json_t *o;

	tally_name(w, name, sizeof(name));
	o = json_pack("{s:s, s:s, s:I}", "scheme", scheme_name(s), "way", name, "times", (json_int_t)w->times);
	for (enum tallied n = 0; n < TALLIED_COUNT; n++)
		json_object_set_new(o, tallied_name(n), json_integer(w->count[n]));
	return o;
}

json_t *tally_json(const struct totals *t)
{
	json_t *a = json_array();

	for (enum scheme s = 0; s < SCHEME_COUNT; s++)
		for (unsigned n = 0; n < t->tally[s].ways; n++)
			json_array_append_new(a, way_json(s, &t->tally[s].way[n]));
	return a;
}
