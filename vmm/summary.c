/* SPDX-License-Identifier: MIT */
/* summary.c: the whole run as one JSON object. */
#include "vmm/summary.h"

#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>

#include "vmm/caseid.h"
#include "vmm/pins.h"
#include "vmm/report_tally.h"

#define SCHEMA 1

static json_t *hex(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%016lx", (unsigned long)value);
	return json_string(text);
}

static json_t *place(const struct bench *bench, uint64_t rip)
{
	char name[160];

	elf_name(bench->elf, rip, name, sizeof(name));
	return json_string(name);
}

static json_t *host(const struct bench *bench)
{
	const struct host_facts *f = &bench->facts;
	struct utsname u;

	uname(&u);
	return json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "kernel", u.release, "fsgsbase", f->fsgsbase, "syscall_native",
			 f->syscall_native, "user_keeps_nt", f->user_keeps_nt, "gate_keeps_ac", f->gate_keeps_ac,
			 "iret_checks_rip", f->iret_checks_rip, "fsgsbase_can_be_off", f->fsgsbase_can_be_off,
			 "faults_set_rf", f->faults_set_rf,
			 "absent_ss_is_np", f->absent_ss_is_np, "watchpoints_fire", f->watchpoints_fire,
			 "lsl", f->lsl, "lsl_native", f->lsl_native,
			 "breakpoints_fire", f->breakpoints_fire,
			 "kernel_int3", f->kernel_int3, "compat", f->compat, "int_native", f->int_native);
}

static json_t *schemes(const struct plan *p)
{
	json_t *a = json_array();

	for (enum scheme s = 0; s < SCHEME_COUNT; s++)
		if (p->schemes >> s & 1)
			json_array_append_new(a, json_string(scheme_name(s)));
	return a;
}

static json_t *scenarios(const struct plan *p)
{
	json_t *a = json_array();

	for (int n = 0; n < p->scenario_count; n++)
		json_array_append_new(a, json_string(p->scenarios[n].name));
	return a;
}

static json_t *unreached(const struct coverage_sum *c, const struct bench *bench)
{
	json_t *a = json_array();

	for (unsigned n = 0; n < c->unreached_count; n++)
		json_array_append_new(a, json_pack("{s:o, s:s}", "boundary", place(bench, c->unreached[n].rip), "reason",
				      c->unreached[n].reason ? c->unreached[n].reason : "unlisted"));
	return a;
}

static json_t *rules(const struct totals *t)
{
	json_t *o = json_object();

	for (enum rule r = 0; r < RULE_COUNT; r++)
		if (t->rules[r].checked)
			json_object_set_new(o, rule_name(r), json_pack("{s:I, s:I}", "checked", (json_int_t)t->rules[r].checked,
					    "broken", (json_int_t)t->rules[r].broken));
	return o;
}

static json_t *deaths(const struct totals *t)
{
	json_t *o = json_object();

	for (enum death n = DEATH_NONE + 1; n < DEATH_COUNT; n++)
		json_object_set_new(o, death_name(n), json_integer(t->deaths[n]));
	return o;
}

static json_t *canaries(const struct totals *t)
{
	json_t *a = json_array();

	for (unsigned n = 0; n < CANARIES; n++)
		json_array_append_new(a, json_pack("{s:s, s:s, s:b}", "name", t->canaries[n].name, "rule",
				      rule_name(t->canaries[n].expected), "caught", t->canaries[n].caught));
	return a;
}

static void add_violation(json_t *a, const char *id, const struct breach *b, const struct bench *bench, bool unstable)
{
	json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:s, s:o, s:b}", "case", id, "rule", rule_name(b->rule),
			      "detail", b->detail, "stop", b->at, "rip", place(bench, b->rip), "unstable", unstable));
}

/* A golden violation is (rule, scenario, scheme, gs, event "-"). */
static json_t *violations(const struct plan *p, const struct bench *bench)
{
	char id[CASEID_SIZE], name[160];
	json_t *a = json_array();

	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit_record *r = &p->units[n];

		if (!r->asked)
			continue;
		unit_name(&r->unit, name, sizeof(name));
		snprintf(id, sizeof(id), "%s:-", name);
		if (r->golden.broken)
			add_violation(a, id, &r->golden.breach, bench, false);
		for (size_t k = 0; k < r->case_count; k++) {
			const struct case_record *c = &r->cases[k];

			if (!c->breach)
				continue;
			record_case_id(r, bench, c->visit, c->event, id, sizeof(id));
			add_violation(a, id, c->breach, bench, c->unstable);
		}
	}
	return a;
}

static json_t *pins(const struct plan *p, const struct bench *bench)
{
	json_t *a = json_array();
	char id[CASEID_SIZE];

	for (size_t n = 0; n < p->pin_count; n++) {
		struct pin_result r;

		pins_judge(&p->pins[n], bench, &r);
		caseid_format(&p->pins[n].pin->id, id, sizeof(id));
		json_array_append_new(a, json_pack("{s:s, s:s, s:b, s:s}", "case", id, "verdict",
				      pins_verdict(p->pins[n].pin), "good", r.good, "why", r.why));
	}
	return a;
}

/* Of each unit whose scenario asks for them. */
static json_t *exits(const struct plan *p)
{
	json_t *o = json_object();
	char name[160];

	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit_record *r = &p->units[n];
		json_t *counts;

		if (!r->asked || !r->mapped || !(r->unit.scenario->shows >> SHOW_EXITS & 1))
			continue;
		counts = json_object();
		for (unsigned k = 0; k < ABI_EXITS; k++)
			json_object_set_new(counts, r->golden.exits[k].name, json_integer(r->golden.exits[k].count));
		unit_name(&r->unit, name, sizeof(name));
		json_object_set_new(o, name, counts);
	}
	return o;
}

static json_t *skipped(const struct totals *t, const struct plan *p)
{
	json_t *a = json_array();
	char what[100];

	for (size_t n = 0; n < p->skip_count; n++)
		json_array_append_new(a, json_pack("{s:s, s:s}", "what", p->skips[n].what, "reason", p->skips[n].reason));
	for (enum rule r = 0; r < RULE_COUNT; r++) {
		const char *reason = totals_skip_reason(t, r);

		snprintf(what, sizeof(what), "rule %s", rule_name(r));
		if (reason)
			json_array_append_new(a, json_pack("{s:s, s:s}", "what", what, "reason", reason));
	}
	return a;
}

static void set_counts(json_t *o, const struct totals *t, const struct bench *bench)
{
	const struct coverage_sum *c = &t->coverage;

	json_object_set_new(o, "boundaries", json_integer(c->boundaries));
	json_object_set_new(o, "boundaries_injected", json_integer(c->injected));
	json_object_set_new(o, "boundaries_deferred", json_integer(c->deferred));
	json_object_set_new(o, "boundaries_unreached", unreached(c, bench));
	json_object_set_new(o, "user_boundaries_injected", json_integer(c->user_boundaries));
	json_object_set_new(o, "windows", json_integer(c->windows));
	json_object_set_new(o, "injections", json_integer(t->injections));
	json_object_set_new(o, "deaths", deaths(t));
	json_object_set_new(o, "db_real", json_integer(t->db_real));
	json_object_set_new(o, "db_synthetic", json_integer(t->db - t->db_real));
	json_object_set_new(o, "run_to_end", json_integer(t->sampled));
	json_object_set_new(o, "states_pruned", json_integer(0));
	json_object_set_new(o, "units_unfinished", json_integer(t->unfinished));
	json_object_set_new(o, "units_unmapped", json_integer(t->unmapped));
	json_object_set_new(o, "cases_planned", json_integer(t->planned));
	json_object_set_new(o, "fraction", json_real(totals_fraction(t)));
}

static void set_speed(json_t *o, const struct totals *t)
{
	json_object_set_new(o, "jobs", json_integer(t->jobs));
	json_object_set_new(o, "seconds", json_real(t->seconds));
	json_object_set_new(o, "injections_per_second", json_real(totals_injections_per_second(t)));
	json_object_set_new(o, "floor_exits_per_second", json_real(t->floor));
	json_object_set_new(o, "kernel_instructions_per_injection", json_real(totals_instructions_per_injection(t)));
	json_object_set_new(o, "exits", json_integer(t->exits));
	json_object_set_new(o, "ioctls", json_integer(t->ioctls));
}

void summary_write(FILE *f, const struct totals *t, const struct plan *p, const struct bench *bench)
{
	json_t *o = json_pack("{s:i, s:s, s:b}", "schema", SCHEMA, "engine", bench->host.engine->name, "engine_fallback",
			      bench->engine_fallback);

	json_object_set_new(o, "host", host(bench));
	json_object_set_new(o, "image_hash", hex(elf_text_hash(bench->elf)));
	json_object_set_new(o, "schemes", schemes(p));
	json_object_set_new(o, "scenarios", scenarios(p));
	set_counts(o, t, bench);
	json_object_set_new(o, "rules", rules(t));
	json_object_set_new(o, "canaries", canaries(t));
	json_object_set_new(o, "executed", tally_json(t));
	json_object_set_new(o, "violations", violations(p, bench));
	json_object_set_new(o, "pins", pins(p, bench));
	json_object_set_new(o, "exits_to_user", exits(p));
	json_object_set_new(o, "skipped", skipped(t, p));
	set_speed(o, t);
	json_object_set_new(o, "seed", json_integer(bench->seed));
	json_dumpf(o, f, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', f);
	json_decref(o);
}
