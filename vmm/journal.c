/* SPDX-License-Identifier: MIT */
/* journal.c: one line per case: its id and the hash of every state that was judged. */
#include "vmm/journal.h"

#include "vmm/caseid.h"

static void write_unit(FILE *f, const struct unit_record *r, const struct bench *bench)
{
	char id[CASEID_SIZE];

	for (size_t n = 0; n < r->case_count; n++) {
		const struct case_record *c = &r->cases[n];

		record_case_id(r, bench, c->visit, c->event, id, sizeof(id));
		fprintf(f, "%s %016lx\n", id, (unsigned long)c->hash);
	}
}

void journal_write(FILE *f, const struct plan *p, const struct bench *bench)
{
	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].asked)
			write_unit(f, &p->units[n], bench);
}
