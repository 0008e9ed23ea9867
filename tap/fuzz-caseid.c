/* SPDX-License-Identifier: MIT */
/* fuzz-caseid.c: any text as a case id, and as the part that a pin has of one. */
#include <string.h>

#include "tap/fuzz.h"
#include "vmm/caseid.h"

static bool same(const struct caseid *a, const struct caseid *b)
{
	return !strcmp(a->scenario, b->scenario) && !strcmp(a->symbol, b->symbol) && a->scheme == b->scheme &&
	       a->gs == b->gs && a->offset == b->offset && a->visit == b->visit && a->event == b->event &&
	       a->has_cpu == b->has_cpu && a->cpu == b->cpu && a->turns == b->turns;
}

/* What is understood comes back the same from its written form. */
static void round_trip(const struct caseid *id)
{
	char text[CASEID_SIZE], err[400];
	struct caseid again;

	caseid_format(id, text, sizeof(text));
	MUST(caseid_parse(text, &again, err, sizeof(err)) && same(&again, id));
	MUST(caseid_parse_tail(strchr(text, '/') + 1, &again, err, sizeof(err)));
	memcpy(again.scenario, id->scenario, sizeof(again.scenario));
	MUST(same(&again, id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1000] = "", err[400];
	struct caseid id;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	if (caseid_parse(text, &id, err, sizeof(err)))
		round_trip(&id);
	else
		MUST_SAY(err);
	if (!caseid_parse_tail(text, &id, err, sizeof(err)))
		MUST_SAY(err);
	return 0;
}
