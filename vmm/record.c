/* SPDX-License-Identifier: MIT */
/* record.c: what a run knows of each unit: case ids and clean-up. */
#include "vmm/record.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmm/caseid.h"

void record_case_id(const struct unit_record *r, const struct bench *bench, uint32_t visit, enum event event,
		    char *out, size_t out_size)
{
	const struct visit *v = &r->map.at[visit];
	const struct elf_symbol *symbol = elf_nearest(bench->elf, v->rip);
	struct caseid id = {
		.scheme = r->unit.scheme, .gs = r->unit.gs, .visit = v->number, .event = event,
		.offset = v->rip - (symbol ? symbol->addr : 0),
	};

	snprintf(id.scenario, sizeof(id.scenario), "%s", r->unit.scenario->name);
	snprintf(id.symbol, sizeof(id.symbol), "%s", symbol ? symbol->name : "");
	caseid_format(&id, out, out_size);
}

void record_free(struct unit_record *r)
{
	for (size_t n = 0; n < r->case_count; n++)
		free(r->cases[n].breach);
	free(r->cases);
	map_free(&r->map);
	free(r->cover);
}
