/* SPDX-License-Identifier: MIT */
/* scenario_pin.c: the pins of a scenario file: what one may say, and whether the rest of the file agrees. */
#include <stdio.h>
#include <string.h>

#include "vmm/scenario_keys.h"

_Static_assert(sizeof(((struct caseid *)0)->scenario) == sizeof(((struct scenario *)0)->name), "one name");

#define BLANKS    " \t"
#define WHY(...)  (snprintf(why, why_size, __VA_ARGS__), false)

static bool set_verdict(struct pin *pin, const char *word)
{
	pin->good = !strcmp(word, "good");
	if (pin->good)
		return true;
	for (pin->rule = 0; pin->rule < RULE_COUNT; pin->rule++)
		if (!strcmp(rule_name(pin->rule), word))
			return true;
	return false;
}

static bool same_case(const struct caseid *a, const struct caseid *b)
{
	return a->scheme == b->scheme && a->gs == b->gs && a->cpu == b->cpu && a->offset == b->offset && a->visit == b->visit &&
	       a->event == b->event && !strcmp(a->symbol, b->symbol);
}

/* Cuts text after its first word and returns what follows the blanks. */
static char *second_word(char *text)
{
	char *end = text + strcspn(text, BLANKS);

	if (!*end)
		return end;
	*end = '\0';
	return end + 1 + strspn(end + 1, BLANKS);
}

bool scenario_pin_add(struct scenario *s, int line, const char *value, char *why, size_t why_size)
{
	struct pin *pin = &s->pins[s->pin_count];
	char text[CASEID_SIZE + 32], *verdict;

	if (s->pin_count == SCENARIO_PINS)
		return WHY("more than %d pins", SCENARIO_PINS);
	if ((size_t)snprintf(text, sizeof(text), "%s", value) >= sizeof(text))
		return WHY("the pin is too long");
	verdict = second_word(text);
	if (!caseid_parse_tail(text, &pin->id, why, why_size))
		return false;
	if (!*verdict)
		return WHY("a pin is CASE VERDICT: the verdict is missing");
	if (!set_verdict(pin, verdict))
		return WHY("unknown verdict '%.60s' (good, or the name of a rule)", verdict);
	for (unsigned n = 0; n < s->pin_count; n++)
		if (same_case(&s->pins[n].id, &pin->id))
			return WHY("this case is pinned in line %d already", s->pins[n].line);
	memcpy(pin->id.scenario, s->name, sizeof(pin->id.scenario));
	pin->line = line;
	s->pin_count++;
	return true;
}

static bool left_out(const struct scenario *s, const struct caseid *id, char *why, size_t why_size)
{
	if (!(s->schemes >> id->scheme & 1))
		return !WHY("a pin with scheme %s, which is not among the schemes", scheme_name(id->scheme));
	if (id->has_cpu != (s->cpus > 1))
		return !WHY("a pin %s a CPU's number, and there %s", id->has_cpu ? "with" : "without", s->cpus > 1 ? "are two" : "is one");
	if (id->turns != s->turns)
		return !WHY("a pin with %u turns of the other CPU, and the scenario has %u", id->turns, s->turns);
	if (!(s->events >> id->event & 1))
		return !WHY("a pin with event %s, which is not among the events", event_name(id->event));
	if (s->gs && !(s->gs >> id->gs & 1))
		return !WHY("a pin with %s, which is not among the user GS values", gsvalue_name(id->gs));
	if (!gsvalue_legal(id->gs, scenario_scheme(s, id->scheme)))
		return !WHY("a pin with %s, which scheme %s never meets", gsvalue_name(id->gs),
			    scheme_name(scenario_scheme(s, id->scheme)));
	return false;
}

const struct pin *scenario_pin_left_out(const struct scenario *s, char *why, size_t why_size)
{
	for (unsigned n = 0; n < s->pin_count; n++)
		if (left_out(s, &s->pins[n].id, why, why_size))
			return &s->pins[n];
	return NULL;
}
