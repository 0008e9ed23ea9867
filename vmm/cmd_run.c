/* SPDX-License-Identifier: MIT */
/* cmd_run.c: gsgate run: every boundary x event x user GS, judged. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/artifacts.h"
#include "vmm/bench.h"
#include "vmm/clock.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/floor.h"
#include "vmm/journal.h"
#include "vmm/outfile.h"
#include "vmm/passes.h"
#include "vmm/report_map.h"
#include "vmm/report_tap.h"
#include "vmm/summary.h"

#define MAP_SHARE 0.5                   /* of the time limit: a part of the maps and time for cases is worth more than all maps */
#define FLOOR_SECONDS 0.1               /* before and after injecting: the machine may have got a neighbour ... */
#define FLOOR_CASES 10000               /* ... and less of it with fewer cases: their own speed is no more exact */

struct job {
	const struct options *options;
	struct bench bench;
	struct plan plan;
	struct totals totals;
	struct outfile summary, journal, map;
	struct unreached_list *unreached;
};

static void check_names(const struct options *o)
{
	const struct { const char *option, *path; } files[] = {
		{ "--summary", o->summary }, { "--journal", o->journal }, { "--map", o->map },
	};

	for (unsigned n = 0; n < sizeof(files) / sizeof(files[0]); n++)
		for (unsigned k = 0; k < n; k++)
			if (files[n].path && files[k].path && !strcmp(files[n].path, files[k].path))
				die(EXIT_USAGE, "%s and %s name the same file, %s", files[k].option, files[n].option, files[n].path);
}

static void open_outputs(struct job *j)
{
	check_names(j->options);
	if (j->options->artifacts)
		artifacts_folder(j->options->artifacts);
	if (j->options->summary)
		outfile_open(&j->summary, j->options->summary);
	if (j->options->journal)
		outfile_open(&j->journal, j->options->journal);
	if (j->options->map)
		outfile_open(&j->map, j->options->map);
}

static void write_outputs(struct job *j)
{
	if (j->options->summary) {
		summary_write(j->summary.file, &j->totals, &j->plan, &j->bench);
		outfile_commit(&j->summary);
	}
	if (j->options->journal) {
		journal_write(j->journal.file, &j->plan, &j->bench);
		outfile_commit(&j->journal);
	}
	if (j->options->map)
		outfile_commit(&j->map);
}

/* One scheme's canaries; what an earlier scheme has missed stays missed. */
static void add_canaries(struct job *j, const struct unit *unit)
{
	struct canary_result found[CANARIES];
	char err[RECORD_ERROR];

	if (!canary_run(&j->bench, unit, found, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	for (unsigned n = 0; n < CANARIES; n++)
		if (!j->totals.canaries[n].name || !found[n].caught)
			j->totals.canaries[n] = found[n];
}

/* In a guest of each scheme: the first unit that has it. */
static void run_canaries(struct job *j)
{
	struct totals *t = &j->totals;
	unsigned done = 0;

	for (size_t n = 0; n < j->plan.unit_count; n++) {
		const struct unit *u = &j->plan.units[n].unit;

		if (!(done >> unit_scheme(u) & 1))
			add_canaries(j, u);
		done |= 1u << unit_scheme(u);
	}
	for (unsigned n = 0; n < CANARIES; n++)
		t->canaries_caught += t->canaries[n].caught;
	tap_canaries(t);
	fflush(stdout);                 /* whoever reads along need not wait for the first unit */
}

static void unit_finished(const struct unit_record *r, void *context)
{
	struct job *j = context;

	tap_unit(r, &j->bench);
	fflush(stdout);
}

static bool any_skip(const struct job *j)
{
	bool any = j->plan.skip_count;

	for (enum rule rule = 0; rule < RULE_COUNT; rule++)
		any |= totals_skip_reason(&j->totals, rule) != NULL;
	return any;
}

static int exit_status(const struct job *j)
{
	const struct totals *t = &j->totals;

	if (passes_signal)
		return 128 + passes_signal;
	if (t->canaries_caught < CANARIES || t->golden || t->violations > t->unstable || t->pins_broken || t->deaths_unseen)
		return EXIT_BROKEN;
	if (t->coverage.unlisted || t->coverage.stale[0])
		return EXIT_BROKEN;
	for (size_t n = 0; n < j->plan.unit_count; n++)
		if (j->plan.units[n].error[0])
			return EXIT_HOST;
	if (!t->injections && !t->unfinished)
		return EXIT_HOST;
	if (t->unstable || t->unfinished || (j->options->strict && any_skip(j)))
		return EXIT_INCOMPLETE;
	return EXIT_GOOD;
}

/* Not when the run has been cut short: it must end. */
static double measure_floor(struct job *j, double deadline)
{
	double share = fmin(passes_cases(&j->plan), FLOOR_CASES) / FLOOR_CASES;

	return passes_signal || clock_past(deadline) ? 0 : floor_exits_per_second(&j->bench, j->options->jobs, share * FLOOR_SECONDS);
}

static void inject(struct job *j, double deadline)
{
	double before = measure_floor(j, deadline), began = clock_now();

	passes_inject(&j->plan, &j->bench, j->options->jobs, deadline, unit_finished, j);
	j->totals.inject_seconds = clock_now() - began;
	j->totals.floor = (before + measure_floor(j, deadline)) / 2;
}

/* The account of boundaries is complete only if nothing was left out, by choice or by force. */
static void report(struct job *j, double start)
{
	struct totals *t = &j->totals;

	totals_sum(t, &j->plan, &j->bench);
	coverage_sum(&t->coverage, &j->plan, &j->bench, j->unreached,
		     j->plan.complete && !t->unfinished && !t->golden && !passes_signal && !j->plan.lacks_scheme &&
		     !j->plan.lacks_cpus);
	t->seconds = clock_now() - start;
	if (passes_signal) {
		printf("Bail out! interrupted\n");
	} else {
		tap_pins(&j->plan, &j->bench);
		tap_declared(&j->plan);
		tap_coverage(&t->coverage, &j->bench);
	}
	tap_end(t, &j->plan, &j->bench);
}

int cmd_run(const struct options *o)
{
	struct job *j = xcalloc(1, sizeof(*j));
	double start = clock_now(), limit, deadline;
	int status;

	j->options = o;
	options_allow(o, OPTIONS_ARGS);
	passes_catch_signals();                         /* from here on a signal ends the run in good order */
	open_outputs(j);                                /* a name that cannot be written is told before the work */
	j->unreached = coverage_read_list();
	bench_open(&j->bench, o);
	limit = o->time > 0 ? o->time : j->bench.default_time;
	deadline = limit > 0 ? start + limit : 0;
	j->bench.seed = o->seed;
	plan_make(&j->plan, o, &j->bench);
	j->totals.jobs = o->jobs;
	passes_map(&j->plan, &j->bench, o->jobs, limit > 0 ? start + MAP_SHARE * limit : 0);    /* the plan needs every map */
	if (o->map)
		report_map(j->map.file, &j->plan, &j->bench);   /* before cases may find fault with golden runs */
	tap_begin(&j->plan);
	run_canaries(j);
	inject(j, deadline);
	report(j, start);
	write_outputs(j);
	if (o->artifacts && !passes_signal)
		artifacts_of_run(o->artifacts, &j->plan, &j->bench);
	status = exit_status(j);
	coverage_free(&j->totals.coverage);
	free(j->unreached);
	plan_free(&j->plan);
	bench_close(&j->bench);
	free(j);
	return status;
}
