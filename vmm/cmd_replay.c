/* SPDX-License-Identifier: MIT */
/* cmd_replay.c: gsgate replay: one case again, with the machine's state at every stop, the instructions around it and,
 * if asked, its neighbours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/artifacts.h"
#include "vmm/bench.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/gdb_serve.h"
#include "vmm/plan.h"
#include "vmm/replay.h"
#include "vmm/replay_gdb.h"
#include "vmm/unit_run.h"

static void no_visit(const struct replay *r, unsigned visits)
{
	const struct walk_result *golden = &r->unit->golden;

	if (golden->broken && !golden->completed)
		die(EXIT_BROKEN, "%s: the golden run dies before that boundary: %s: %s", r->text,
		    rule_name(golden->breach.rule), golden->breach.detail);
	if (!visits)
		die(EXIT_USAGE, "%s: the golden run never comes to that boundary, or no instruction begins there", r->text);
	die(EXIT_USAGE, "%s: the golden run comes to that boundary %u time%s, not %u", r->text, visits,
	    visits == 1 ? "" : "s", r->id.visit);
}

/* Where the boundary is, or one line that says what comes instead. */
static void find_boundary(struct replay *r)
{
	const struct elf_symbol *symbol = elf_symbol(r->bench->elf, r->id.symbol);
	const struct map *m = &r->unit->map;
	const char *reason;
	uint64_t rip;
	unsigned visits = 0;

	if (!symbol)
		die(EXIT_USAGE, "%s: no symbol \"%s\"", elf_path(r->bench->elf), r->id.symbol);
	rip = symbol->addr + r->id.offset;
	for (r->target = rip < symbol->addr ? m->count : 0; r->target < m->count; r->target++)
		if (m->at[r->target].cpu == r->id.cpu && m->at[r->target].rip == rip && ++visits == r->id.visit)
			break;
	if (r->target == m->count)
		no_visit(r, visits);
	reason = map_cannot(&m->at[r->target], r->id.event);
	if (reason)
		die(EXIT_USAGE, "%s: nothing is injected there: %s", r->text, reason);
}

static void check_can_run(const struct replay *r)
{
	const char *lack;

	plan_check_unit(&r->unit->unit);
	if (r->unit->unit.scenario->cpus > 1 && !r->bench->host.engine->add_cpu)
		die(EXIT_HOST, "%s: two CPUs; this engine runs one", r->text);
	lack = session_lacks(&r->bench->facts, unit_scheme(&r->unit->unit));
	if (lack)
		die(EXIT_HOST, "scheme %s: %s", scheme_name(r->id.scheme), lack);
}

static void replay(struct replay *r, struct unit_record *unit, const struct options *o)
{
	struct session *s = xcalloc(1, sizeof(*s));
	char err[RECORD_ERROR];

	unit_map(unit, r->bench, 0);
	if (unit->error[0])
		die(EXIT_HOST, "%s", unit->error);
	find_boundary(r);
	if (!replay_case(r, s, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	replay_print(stdout, r, s);
	if (r->reach)
		around_print(&r->around, r->bench->elf, r->target);
	if (o->dump)
		artifacts_write(o->dump, r, s);
	session_close(s);
	free(s);
}

static void hold(const struct replay *r, const struct options *o)
{
	struct held h = {
		.text = r->text, .socket = o->gdb, .hold = o->stop, .bench = r->bench, .unit = &r->unit->unit, .target = r->target,
		.event = r->id.event, .muted = r->unit->golden.broken,
	};

	replay_gdb(&h);
}

/* An id is only worth something with the image that it was made with. */
static void check_image(const struct options *o, const struct bench *bench)
{
	uint64_t hash = elf_text_hash(bench->elf);

	if (o->image_named && o->image != hash)
		die(EXIT_USAGE, "%s: its text has the hash %016lx, the case is from an image with %016lx",
		    elf_path(bench->elf), (unsigned long)hash, (unsigned long)o->image);
}

int cmd_replay(const struct options *o)
{
	struct replay all = { 0 }, *r = &all;
	struct unit_record unit = { 0 };
	struct bench bench = { .seed = o->seed };
	struct scenario scenario;
	char err[400];
	bool broken;

	if (o->arg_count < 1 || o->arg_count > 2)
		die(EXIT_USAGE, "replay takes one case id, after its scenario file if that is not one of ours");
	r->text = o->args[o->arg_count - 1];
	if (!caseid_parse(r->text, &r->id, err, sizeof(err)))
		die(EXIT_USAGE, "%s", err);
	plan_find_scenario(o->arg_count == 2 ? o->args[0] : r->id.scenario, &scenario);
	if (strcmp(scenario.name, r->id.scenario))
		die(EXIT_USAGE, "%s: the case is of scenario %s", scenario.path, r->id.scenario);
	if (o->dump)
		artifacts_folder(o->dump);      /* one that cannot be written is told before the work */
	if (o->gdb)
		gdb_serve_listen(o->gdb);
	bench_open(&bench, o);
	r->bench = &bench;
	r->reach = o->around;
	unit.unit = (struct unit){ &scenario, r->id.scheme, r->id.gs };
	r->unit = &unit;
	check_image(o, &bench);
	if (r->id.has_cpu != (scenario.cpus > 1))
		die(EXIT_USAGE, "%s: scenario %s has %u CPU%s", r->text, scenario.name, scenario.cpus, scenario.cpus > 1 ? "s: cpu0. or cpu1. must stand before the symbol" : "");
	check_can_run(r);
	replay(r, &unit, o);
	if (o->gdb)
		hold(r, o);
	broken = r->result.breach.broken || unit.golden.broken || r->around.broken;
	replay_free(r);
	record_free(&unit);
	bench_close(&bench);
	return broken ? EXIT_BROKEN : EXIT_GOOD;
}
