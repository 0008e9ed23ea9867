/* SPDX-License-Identifier: MIT */
/* unit_map.c: the first pass over a unit: its golden run and its map. */
#include <string.h>

#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/msr.h"
#include "vmm/unit_run.h"

struct mapping {
	struct unit_record *r;
	double deadline;
	bool cut;
};

static bool add_visit(struct session *s, const struct place *p, void *context)
{
	struct mapping *m = context;

	(void)s;
	m->cut = clock_past(m->deadline);
	map_add(&m->r->map, p->visit);
	return !m->cut;
}

/* Every boundary of entry text that the gates and LSTAR lead to. */
static void cover_reachable(struct session *s, struct unit_record *r)
{
	const struct layout *l = &s->layout;
	uint64_t roots[LAYOUT_GATES + 1], size = l->entry_text.end - l->entry_text.start, left;
	const uint8_t *bytes = stops_text(&s->stops, l->entry_text.start, &left);
	struct insn_starts starts;
	unsigned count = 0;

	r->text_start = l->text.start;
	r->text_size = l->text.end - l->text.start;
	r->cover = xcalloc(r->text_size, 1);
	for (unsigned n = 0; n < LAYOUT_GATES; n++)
		if (l->gate[n])
			roots[count++] = l->gate[n];
	roots[count++] = machine_get_msr(&s->machine, MSR_LSTAR);
	if (!bytes || left < size)
		return;
	decode_walk(bytes, l->entry_text.start, size, roots, count, &starts);
	for (size_t n = 0; n < starts.count; n++)
		record_mark(r, starts.addr[n], COVER_REACHABLE);
	insn_starts_free(&starts);
}

/* Half a golden run says nothing. */
static void forget_map(struct unit_record *r)
{
	map_free(&r->map);
	r->map = (struct map){ 0 };
	r->golden = (struct walk_result){ 0 };
}

void unit_map(struct unit_record *r, const struct bench *bench, double deadline)
{
	struct mapping m = { .r = r, .deadline = deadline };
	struct session s;

	if (!session_open(&s, bench, &r->unit, r->error, sizeof(r->error)))
		return;
	for (unsigned cpu = 0; cpu < s.cpus; cpu++) {
		r->bases.k[cpu] = s.layout.k_own + ABI_PERCPU_SIZE * ((uint64_t)cpu - s.layout.cpu);
		r->bases.u[cpu] = s.cpu[cpu].u;
	}
	cover_reachable(&s, r);
	walk_golden(&s, add_visit, &m, &r->golden);
	if (m.cut)
		forget_map(r);
	else
		memcpy(r->checks, s.judge.count, sizeof(r->checks));
	r->mapped = !m.cut;
	session_close(&s);
}
