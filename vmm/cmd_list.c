/* SPDX-License-Identifier: MIT */
/* cmd_list.c: gsgate list: the scenarios, or with --boundaries the measured map. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/bench.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/passes.h"
#include "vmm/report_map.h"

#define LINE 100                        /* characters that a line of the list may have */

static void join(char *out, size_t out_size, const char *word)
{
	size_t used = strlen(out);

	snprintf(out + used, out_size - used, "%s%s", used ? "," : "", word);
}

static const char *or_none(const char *text)
{
	return *text ? text : "none";
}

/* Words of a sentence, in lines of at most LINE characters. */
static void print_wrapped(const char *indent, const char *text)
{
	int column = 0;

	for (size_t length; *text; text += length + strspn(text + length, " ")) {
		length = strcspn(text, " ");
		if (column && column + 1 + (int)length > LINE) {
			printf("\n");
			column = 0;
		}
		column += printf("%s%.*s", column ? " " : indent, (int)length, text);
	}
	printf("\n");
}

static const char row_format[] = "%-14s %-14s %-14s %-26s %-10s %s\n";

static void print_scenario(const struct scenario *s)
{
	unsigned ask = 1u << EVENT_NMI_RESCHED | 1u << EVENT_MCE_RESCHED | 1u << EVENT_DB_RESCHED;
	bool all_ask = (s->events & ask) == ask;
	char schemes[200] = "", events[200] = "";

	for (enum scheme n = 0; n < SCHEME_COUNT; n++)
		if (s->schemes >> n & 1)
			join(schemes, sizeof(schemes), scheme_name(n));
	if (s->schemes == (1u << SCHEME_COUNT) - 1)
		snprintf(schemes, sizeof(schemes), "all");
	for (enum event n = 0; n < EVENT_COUNT; n++)
		if (s->events >> n & 1 && !(all_ask && event_asks(n)))
			join(events, sizeof(events), event_name(n));
	if (all_ask)
		join(events, sizeof(events), "*.resched");
	printf(row_format, s->name, s->program, schemes, events, or_none(s->rows), or_none(s->bugs));
	print_wrapped("    ", s->claim);
}

static void list_boundaries(const struct options *o)
{
	struct bench bench = { .seed = o->seed };
	struct plan p;

	bench_open(&bench, o);
	plan_make(&p, o, &bench);
	passes_map(&p, &bench, o->jobs, 0);
	report_map(stdout, &p, &bench);
	plan_free(&p);
	bench_close(&bench);
}

int cmd_list(const struct options *o)
{
	struct plan p;

	options_allow(o, OPTIONS_ARGS | OPTIONS_BOUNDARIES);
	if (o->boundaries) {
		list_boundaries(o);
		return EXIT_GOOD;
	}
	plan_read_scenarios(&p, o);
	printf(row_format, "scenario", "program", "schemes", "events", "rows", "bugs");
	for (int n = 0; n < p.scenario_count; n++)
		print_scenario(&p.scenarios[n]);
	free(p.scenarios);
	return EXIT_GOOD;
}
