/* SPDX-License-Identifier: MIT */
/* pins.c: the cases that the scenario files of a run pin: which of them were asked for, and whether they came out so. */
#include "vmm/pins.h"

#include <stdio.h>
#include <string.h>

#include "vmm/die.h"

#define CUT_SHORT "the run was cut short"

/* All of them, also of units that nobody asked for: the file is wrong whatever the options are. */
static void check_symbols(const struct scenario *s, const struct bench *bench)
{
	for (unsigned n = 0; n < s->pin_count; n++)
		if (!elf_symbol(bench->elf, s->pins[n].id.symbol))
			die(EXIT_USAGE, "%s:%d: %s has no symbol \"%s\"", s->path, s->pins[n].line,
			    elf_path(bench->elf), s->pins[n].id.symbol);
}

static bool is_asked(const struct unit_record *r, const struct caseid *id)
{
	return r->asked && r->unit.scheme == id->scheme && r->unit.gs == id->gs && r->events >> id->event & 1;
}

static void add_unit(struct plan *p, const struct unit_record *r)
{
	const struct scenario *s = r->unit.scenario;

	for (unsigned n = 0; n < s->pin_count; n++) {
		if (!is_asked(r, &s->pins[n].id))
			continue;
		p->pins = xrealloc(p->pins, (p->pin_count + 1) * sizeof(*p->pins));
		p->pins[p->pin_count++] = (struct pinned){ &s->pins[n], r };
	}
}

void pins_plan(struct plan *p, const struct bench *bench)
{
	for (int n = 0; n < p->scenario_count; n++)
		check_symbols(&p->scenarios[n], bench);
	for (size_t n = 0; n < p->unit_count; n++)
		add_unit(p, &p->units[n]);
}

static const struct case_record *find_case(const struct unit_record *r, size_t visit, enum event event)
{
	for (size_t n = 0; n < r->case_count; n++)
		if (r->cases[n].visit == visit && r->cases[n].event == event)
			return &r->cases[n];
	return NULL;
}

/* Why a visit of the map has no case. */
static const char *why_left_out(const struct unit_record *r, const struct visit *v, enum event event)
{
	const char *reason = map_why_not(v, event);

	return reason ? reason : r->golden.completed ? CUT_SHORT : "the golden run died";
}

/* The pinned case, or NULL with the reason. */
static const struct case_record *find(const struct pinned *pinned, uint64_t symbol, struct pin_result *out)
{
	const struct caseid *id = &pinned->pin->id;
	const struct unit_record *r = pinned->unit;
	const struct visit *v = NULL;
	const struct case_record *c;
	unsigned visits = 0;

	if (!r->mapped) {
		out->undecided = true;
		snprintf(out->why, sizeof(out->why), CUT_SHORT);
		return NULL;
	}
	for (size_t n = 0; n < r->map.count; n++) {
		if (r->map.at[n].rip < symbol || r->map.at[n].rip - symbol != id->offset || r->map.at[n].cpu != id->cpu)
			continue;
		visits++;
		v = r->map.at[n].number == id->visit ? &r->map.at[n] : v;
	}
	if (!visits)
		snprintf(out->why, sizeof(out->why), "the golden run comes to no such boundary");
	else if (!v)
		snprintf(out->why, sizeof(out->why), "the golden run comes to that boundary only %u times", visits);
	if (!v)
		return NULL;
	c = find_case(r, v - r->map.at, id->event);
	if (c)
		return c;
	out->undecided = !map_why_not(v, id->event) && !r->finished && r->golden.completed;
	snprintf(out->why, sizeof(out->why), "%s", why_left_out(r, v, id->event));
	return NULL;
}

void pins_judge(const struct pinned *pinned, const struct bench *bench, struct pin_result *out)
{
	const struct pin *pin = pinned->pin;
	const struct case_record *c;

	*out = (struct pin_result){ 0 };
	c = find(pinned, elf_symbol(bench->elf, pin->id.symbol)->addr, out);
	out->seen = c;
	if (!c)
		return;
	out->undecided = c->breach && c->unstable;
	out->good = !out->undecided && (c->breach ? !pin->good && c->breach->rule == pin->rule : pin->good);
	if (out->undecided)
		snprintf(out->why, sizeof(out->why), "repeated, the case comes out differently");
	else if (!out->good)
		snprintf(out->why, sizeof(out->why), "the verdict is %s", c->breach ? rule_name(c->breach->rule) : "good");
}

const char *pins_verdict(const struct pin *pin)
{
	return pin->good ? "good" : rule_name(pin->rule);
}

static void plain_name(const struct pinned *pinned, char *out, size_t out_size)
{
	const struct caseid *id = &pinned->pin->id;

	snprintf(out, out_size, "pin %s/%s/%s %s %s", id->scenario, scheme_name(id->scheme), gsvalue_name(id->gs),
		 id->symbol, event_name(id->event));
}

/* Several pins of one symbol are numbered from the second on. */
void pins_name(const struct plan *p, size_t index, char *out, size_t out_size)
{
	unsigned ordinal = 1;
	char other[300];

	plain_name(&p->pins[index], out, out_size);
	for (size_t n = 0; n < index; n++) {
		plain_name(&p->pins[n], other, sizeof(other));
		ordinal += !strcmp(other, out);
	}
	if (ordinal > 1)
		snprintf(out + strlen(out), out_size - strlen(out), " (%u)", ordinal);
}
