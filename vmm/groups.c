/* SPDX-License-Identifier: MIT */
/* groups.c: violations in groups of one rule, symbol and event. */
#include "vmm/groups.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

static void add(struct groups *g, const struct unit_record *r, const struct bench *bench, const struct case_record *c)
{
	const struct elf_symbol *s = elf_nearest(bench->elf, r->map.at[c->visit].rip);

	for (unsigned n = 0; n < g->count; n++) {
		struct group *x = &g->group[n];

		if (x->rule == c->breach->rule && x->event == c->event && s && !strcmp(x->symbol, s->name)) {
			x->count++;
			return;
		}
	}
	g->group = xrealloc(g->group, (g->count + 1) * sizeof(*g->group));
	g->group[g->count++] = (struct group){ c->breach->rule, s ? s->name : "?", c->event, 1, r, c };
}

void groups_make(struct groups *g, const struct plan *p, const struct bench *bench)
{
	*g = (struct groups){ 0 };
	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit_record *r = &p->units[n];

		for (size_t k = 0; r->asked && k < r->case_count; k++)
			if (r->cases[k].breach)
				add(g, r, bench, &r->cases[k]);
	}
}

void groups_free(struct groups *g)
{
	free(g->group);
}
