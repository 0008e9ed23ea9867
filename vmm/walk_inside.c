/* SPDX-License-Identifier: MIT */
/* walk_inside.c: the golden run walked on from inside a visitor, by all CPUs to the end or by the other one for some turns, and brought
 * back. */
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"
#include "vmm/smp.h"
#include "vmm/walk_way.h"

void walk_rest(struct session *s, struct walk_result *out)
{
	struct walk *w = s->walk;

	memset(out, 0, sizeof(*out));
	w->visitor = NULL;
	w->out = out;
	walk_resume(s);
	while (walk_on(w) && walk_visit(w))
		;
	walk_note_breach(w);
	walk_pause(s);
}

bool walk_turns(struct session *s, unsigned turns, struct walk_result *out)
{
	struct walk *w = s->walk;
	struct walk_result *golden = w->out;
	walk_visitor visitor = w->visitor;
	unsigned cpu = s->machine.cpu;
	struct judge judge = s->judge;

	memset(out, 0, sizeof(*out));
	w->visitor = NULL;
	w->out = out;
	stops_keep(&s->stops);
	walk_resume(s);
	for (; turns && s->machine.cpu == cpu; turns--) {
		smp_share(s);
		smp_select(s, !cpu);
		w->on = &w->cpu[!cpu];
		while (s->machine.cpu != cpu && walk_visit(w) && walk_on(w))
			;
	}
	walk_note_breach(w);
	s->run.report_faults = false;
	stops_bring_back(&s->stops);
	memcpy(judge.count, s->judge.count, sizeof(judge.count));
	s->judge = judge;
	w->visitor = visitor;
	w->out = golden;
	return s->machine.cpu == cpu;
}

struct walk_kept {
	struct walk walk;
	struct smp_kept *cpus;
};

struct walk_kept *walk_keep(struct session *s)
{
	struct walk_kept *k = xcalloc(1, sizeof(*k));

	k->walk = *s->walk;
	k->cpus = smp_keep(s);
	return k;
}

void walk_bring_back(struct session *s, struct walk_kept *k)
{
	*s->walk = k->walk;
	smp_bring_back(s, k->cpus);
	free(k);
}
