/* SPDX-License-Identifier: MIT */
/* declared.c: the deaths that the scenarios of a run declare, and whether a case came to each. */
#include "vmm/declared.h"

static bool is_asked(const struct plan *p, const struct scenario *s)
{
	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].asked && p->units[n].unit.scenario == s)
			return true;
	return false;
}

static bool was_seen(const struct unit_record *r, enum death death)
{
	for (size_t n = 0; n < r->case_count; n++)
		if (r->cases[n].death == death && !r->cases[n].breach)
			return true;
	return false;
}

static enum declared_fate fate(const struct plan *p, const struct scenario *s, enum death death)
{
	bool unfinished = false;

	for (size_t n = 0; n < p->unit_count; n++) {
		const struct unit_record *r = &p->units[n];

		if (!r->asked || r->unit.scenario != s)
			continue;
		if (was_seen(r, death))
			return DECLARED_SEEN;
		unfinished |= record_unfinished(r);
	}
	if (unfinished)
		return DECLARED_UNFINISHED;
	return p->narrowed || p->lacks_scheme ? DECLARED_NARROWED : DECLARED_UNSEEN;
}

bool declared_next(const struct plan *p, struct declared *d)
{
	for (; d->next < p->scenario_count * DEATH_COUNT; d->next++) {
		d->scenario = &p->scenarios[d->next / DEATH_COUNT];
		d->death = d->next % DEATH_COUNT;
		if (!(d->scenario->deaths >> d->death & 1) || !is_asked(p, d->scenario))
			continue;
		d->fate = fate(p, d->scenario, d->death);
		d->next++;
		return true;
	}
	return false;
}
