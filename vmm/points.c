/* SPDX-License-Identifier: MIT */
/* points.c: the cases of a unit grouped into test points, one per (symbol, event). */
#include "vmm/points.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

static const char *symbol_of(const struct unit_record *r, const struct bench *bench, uint32_t visit)
{
	const struct elf_symbol *s = elf_nearest(bench->elf, r->map.at[visit].rip);

	return s ? s->name : "?";
}

static struct point *find(struct points *p, const char *symbol, enum event event)
{
	for (unsigned n = 0; n < p->count; n++)
		if (p->point[n].event == event && !strcmp(p->point[n].symbol, symbol))
			return &p->point[n];
	p->point = xrealloc(p->point, (p->count + 1) * sizeof(*p->point));
	p->point[p->count] = (struct point){ .symbol = symbol, .event = event };
	return &p->point[p->count++];
}

void points_group(struct points *p, const struct unit_record *r, const struct bench *bench, unsigned events)
{
	*p = (struct points){ 0 };
	for (size_t n = 0; n < r->map.count; n++)
		for (enum event event = 0; event < EVENT_COUNT; event++)
			if (map_is_planned(&r->map.at[n], events, event))
				find(p, symbol_of(r, bench, n), event)->planned++;
	for (size_t n = 0; n < r->case_count; n++) {
		const struct case_record *c = &r->cases[n];
		struct point *point = find(p, symbol_of(r, bench, c->visit), c->event);

		point->cases++;
		if (!c->breach)
			continue;
		if (!point->broken++)
			point->first = c;
		point->unstable += c->unstable;
	}
}

void points_free(struct points *p)
{
	free(p->point);
}
