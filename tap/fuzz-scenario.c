/* SPDX-License-Identifier: MIT */
/* fuzz-scenario.c: any bytes as a scenario file. */
#include <string.h>

#include "tap/fuzz.h"
#include "vmm/scenario.h"

#define PATH "fuzz.scn"

/* What a run takes for granted of a scenario. */
static void check(const struct scenario *s)
{
	MUST(!strcmp(s->name, "fuzz") && *s->claim && *s->program && s->cpus && s->threads && s->schemes && s->events);
	MUST(s->schemes < 1u << SCHEME_COUNT && s->events < 1u << EVENT_COUNT && s->gs < 1u << GS_COUNT && s->cmdline < 1u << CMDLINE_WORDS);
	MUST(s->deaths < 1u << DEATH_COUNT && !(s->deaths & 1u << DEATH_NONE));
	MUST(s->pin_count <= SCENARIO_PINS);
	for (unsigned n = 0; n < s->pin_count; n++) {
		const struct pin *pin = &s->pins[n];

		MUST(s->schemes >> pin->id.scheme & 1 && s->events >> pin->id.event & 1);
		MUST(*pin->id.symbol && pin->id.visit && pin->line > 0);
		MUST(pin->good || pin->rule < RULE_COUNT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scenario s;
	char err[600];
	FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!file)
		return 0;
	if (scenario_parse(file, PATH, &s, err, sizeof(err))) {
		check(&s);
	} else {
		MUST_SAY(err);
		MUST(!strncmp(err, PATH ":", strlen(PATH ":")));
	}
	fclose(file);
	return 0;
}
