/* SPDX-License-Identifier: MIT */
/* plan.c: which units a command runs, from its options and the scenario files. */
#include "vmm/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/die.h"
#include "vmm/pins.h"

#define SCENARIO_DIR "../scenarios"     /* from the program's folder */
#define DISTINGUISHING GS_SMALL

/* What a scenario may ask for and this version cannot do is an error: run as less, it would claim more than it shows. */
static void check_supported(const struct scenario *s)
{
	if (s->threads != s->cpus && s->threads != s->cpus * ABI_THREADS_OF_CPU)
		die(EXIT_USAGE, "%s: %u CPUs and %u threads; this version runs one thread on each CPU, or %u", s->path, s->cpus, s->threads,
		    ABI_THREADS_OF_CPU);
	if (s->cpus < 2 && (s->turns || s->boots))
		die(EXIT_USAGE, "%s: turns or the boot of another CPU, and there is one", s->path);
	if (scenario_timer_migrates(s) && (s->cpus < 2 || s->turns))
		die(EXIT_USAGE, "%s: timer=migrate is for two CPUs without turns", s->path);
	if (s->threads > s->cpus && s->turns)
		die(EXIT_USAGE, "%s: this version has no turns where a CPU has two threads", s->path);
}

static void need(bool good, const char *err)
{
	if (!good)
		die(EXIT_USAGE, "%s", err);
}

void plan_find_scenario(const char *name, struct scenario *out)
{
	char path[700], file[200], err[600];
	size_t length = strlen(name);

	if (length > 4 && !strcmp(name + length - 4, ".scn")) {
		need(scenario_read(name, out, err, sizeof(err)), err);
		out->is_file = true;
		return;
	}
	if (strchr(name, '/') || length > 60)
		die(EXIT_USAGE, "no scenario \"%s\"; gsgate list shows them", name);
	snprintf(file, sizeof(file), SCENARIO_DIR "/%s.scn", name);
	options_beside(file, path, sizeof(path));
	if (!scenario_read(path, out, err, sizeof(err)))
		die(EXIT_USAGE, "no scenario \"%s\" (%s); gsgate list shows them", name, err);
}

void plan_read_scenarios(struct plan *p, const struct options *o)
{
	char path[700], err[600];

	memset(p, 0, sizeof(*p));

	if (!o->arg_count) {
		options_beside(SCENARIO_DIR, path, sizeof(path));
		p->scenario_count = scenario_list(path, &p->scenarios, err, sizeof(err));
		need(p->scenario_count >= 0, err);
		return;
	}
	p->scenarios = xcalloc(o->arg_count, sizeof(*p->scenarios));
	p->scenario_count = o->arg_count;
	for (int n = 0; n < o->arg_count; n++) {
		plan_find_scenario(o->args[n], &p->scenarios[n]);
		for (int k = 0; k < n; k++)
			if (!strcmp(p->scenarios[k].name, p->scenarios[n].name))
				die(EXIT_USAGE, "scenario %s is named twice", p->scenarios[n].name);
	}
}

static void skip(struct plan *p, const char *what, const char *reason)
{
	p->skips = xrealloc(p->skips, (p->skip_count + 1) * sizeof(*p->skips));
	snprintf(p->skips[p->skip_count].what, sizeof(p->skips[0].what), "%s", what);
	p->skips[p->skip_count++].reason = reason;
}

static void add_unit(struct plan *p, struct unit unit, unsigned events, bool asked)
{
	if (p->unit_count == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->units = xrealloc(p->units, p->room * sizeof(*p->units));
	}
	p->units[p->unit_count++] = (struct unit_record){ .unit = unit, .events = events, .asked = asked };
	p->schemes |= asked ? 1u << unit.scheme : 0;
}

static bool lacks_fsgsbase(const struct scenario *s)
{
	return s->cmdline >> CMDLINE_NOFSGSBASE & 1;
}

/* The values that a scheme cannot meet run only if both are asked for by name: a kernel of that scheme with FSGSBASE left on. */
static bool is_wanted(const struct options *o, const struct scenario *s, enum scheme scheme, enum gs_name gs)
{
	bool by_name = o->gs >> gs & 1;

	if (o->gs && !by_name)
		return false;
	if (!o->gs && s->gs && !(s->gs >> gs & 1))
		return false;
	if (gsvalue_legal(gs, scenario_scheme(s, scheme)))
		return true;
	return by_name && o->schemes >> scheme & 1 && !lacks_fsgsbase(s);
}

void plan_check_unit(const struct unit *u)
{
	if (unit_scheme(u) == SCHEME_SWAPGS && u->gs == GS_OWN_K)
		die(EXIT_USAGE, "scheme swapgs with u-own-k: refused, no kernel of that scheme can tell them apart");
	if (lacks_fsgsbase(u->scenario) && !gsvalue_legal(u->gs, unit_scheme(u)))
		die(EXIT_USAGE, "scenario %s with %s: refused, without FSGSBASE user code cannot set it", u->scenario->name,
		    gsvalue_name(u->gs));
}

static void add_units(struct plan *p, const struct options *o, const struct scenario *s, enum scheme scheme)
{
	unsigned events = o->events ? o->events & s->events : s->events;
	bool any = false, has_distinguishing = false;

	for (enum gs_name gs = 0; gs < GS_COUNT; gs++) {
		if (!is_wanted(o, s, scheme, gs))
			continue;
		plan_check_unit(&(struct unit){ s, scheme, gs });
		add_unit(p, (struct unit){ s, scheme, gs }, events, true);
		any = true;
		has_distinguishing |= gs == DISTINGUISHING;
	}
	if (any && !has_distinguishing)
		add_unit(p, (struct unit){ s, scheme, DISTINGUISHING }, events, false);
}

static bool can_run(struct plan *p, const struct bench *bench, const struct scenario *s, enum scheme scheme)
{
	enum scheme runs = scenario_scheme(s, scheme);

	if (!session_lacks(&bench->facts, runs))
		return true;
	if (!(p->lacks_scheme >> runs & 1))
		skip(p, scheme_name(runs), session_lacks(&bench->facts, runs));
	p->lacks_scheme |= 1u << runs;
	return false;
}

/* What runs, but not with all that it says. */
static void skip_parts(struct plan *p, const struct scenario *s, const struct host_facts *f)
{
	if (s->flags & RFLAGS_NT && !f->user_keeps_nt)
		skip(p, s->name, "without RFLAGS.NT: this host loses it at CPL 3");
	if (lacks_fsgsbase(s) && !f->fsgsbase_can_be_off)
		skip(p, s->name, "without #UD of RD/WRGSBASE: this host executes them whatever CR4 says");
}

static bool can_run_at_all(struct plan *p, const struct scenario *s, const struct bench *bench)
{
	const struct host_facts *f = &bench->facts;
	const struct {
		bool has;
		const char *lacks;
	} needs[NEED_COUNT] = {
		[NEED_WATCHPOINTS] = { f->watchpoints_fire, "no data watchpoint fires on this host" },
		[NEED_BREAKPOINTS] = { f->breakpoints_fire, "no instruction breakpoint of the guest's fires at CPL 3 on this host" },
		[NEED_KERNEL_INT3] = { f->kernel_int3, "INT3 at CPL 0 does not come to its gate on this host" },
		[NEED_COMPAT] = { f->compat, "INT 0x80 of 32-bit code does not come to its gate on this host" },
	};

	if (s->cpus > 1 && !bench->host.engine->add_cpu) {
		skip(p, s->name, "this engine runs one CPU");
		p->lacks_cpus = true;
		return false;
	}
	for (enum need n = 0; n < NEED_COUNT; n++) {
		if (!(s->needs >> n & 1) || needs[n].has)
			continue;
		skip(p, s->name, needs[n].lacks);
		return false;
	}
	return true;
}

static void add_scenario(struct plan *p, const struct options *o, const struct scenario *s, const struct bench *bench)
{
	if (!can_run_at_all(p, s, bench))
		return;
	for (enum scheme scheme = 0; scheme < SCHEME_COUNT; scheme++)
		if (s->schemes >> scheme & 1 && (!o->schemes || o->schemes >> scheme & 1) && can_run(p, bench, s, scheme))
			add_units(p, o, s, scheme);
}

void plan_make(struct plan *p, const struct options *o, const struct bench *bench)
{
	plan_read_scenarios(p, o);
	for (int n = 0; n < p->scenario_count; n++)
		check_supported(&p->scenarios[n]);
	p->narrowed = o->schemes || o->gs || o->events;
	p->complete = !o->arg_count && !p->narrowed;
	for (int n = 0; n < p->scenario_count; n++)
		add_scenario(p, o, &p->scenarios[n], bench);
	pins_plan(p, bench);
	if (!p->unit_count && p->skip_count)
		die(EXIT_HOST, "nothing to run: %s: %s", p->skips[0].what, p->skips[0].reason);
	if (!p->unit_count)
		die(EXIT_USAGE, "nothing to run: no scenario has that scheme with that user GS");
	for (int n = 0; n < p->scenario_count; n++)
		skip_parts(p, &p->scenarios[n], &bench->facts);
}

struct unit_record *plan_distinguishing(struct plan *p, const struct unit_record *r)
{
	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit *u = &p->units[n].unit;

		if (u->scenario == r->unit.scenario && u->scheme == r->unit.scheme && u->gs == DISTINGUISHING)
			return &p->units[n];
	}
	return NULL;
}

void plan_free(struct plan *p)
{
	for (size_t n = 0; n < p->unit_count; n++)
		record_free(&p->units[n]);
	free(p->units);
	free(p->skips);
	free(p->pins);
	free(p->scenarios);
}
