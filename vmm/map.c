/* SPDX-License-Identifier: MIT */
/* map.c: the measured map of a unit, and which visits are injected. */
#include "vmm/map.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

bool map_in_window(const struct visit *v)
{
	return v->cpl == 0 && v->a != CLASS_K;
}

static bool same_kind(const struct visit *a, const struct visit *b)
{
	return a->rip == b->rip && a->cpl == b->cpl && a->a == b->a && a->i == b->i && a->stack == b->stack &&
	       a->interrupts == b->interrupts && a->direction == b->direction;
}

/* Visits of one boundary lie far apart in the map: a hash of the address finds the earlier ones. */
struct seen {
	uint32_t *head, *next;          /* index + 1, 0 for none */
	size_t buckets;
};

static bool is_first(struct seen *s, const struct unit_record *r, size_t n)
{
	const struct visit *v = &r->map[n].visit;
	uint32_t *head = &s->head[v->rip * 0x9e3779b97f4a7c15ull >> 32 & (s->buckets - 1)];

	for (uint32_t at = *head; at; at = s->next[at - 1])
		if (same_kind(&r->map[at - 1].visit, v))
			return false;
	s->next[n] = *head;
	*head = n + 1;
	return true;
}

static void take_classes(struct unit_record *r, const struct unit_record *distinguishing)
{
	for (size_t n = 0; n < r->map_count && n < distinguishing->map_count; n++) {
		struct visit *v = &r->map[n].visit;
		const struct visit *d = &distinguishing->map[n].visit;

		if (v->rip != d->rip)
			return;
		v->a = d->a;
		v->i = d->i;
	}
}

void map_plan(struct unit_record *r, const struct unit_record *distinguishing, const struct range *entry_text)
{
	struct seen seen = { .buckets = 4096 };

	if (distinguishing)
		take_classes(r, distinguishing);
	seen.head = xcalloc(seen.buckets, sizeof(*seen.head));
	seen.next = xcalloc(r->map_count, sizeof(*seen.next));
	for (size_t n = 0; n < r->map_count; n++) {
		const struct visit *v = &r->map[n].visit;
		bool wanted = v->cpl == 3 || range_has(entry_text, v->rip) || map_in_window(v);

		r->map[n].inject = wanted && is_first(&seen, r, n);
	}
	free(seen.head);
	free(seen.next);
}

unsigned map_windows(const struct unit_record *r)
{
	struct range *found = NULL;
	unsigned count = 0;

	for (size_t n = 0; n < r->map_count; n++) {
		struct range w = { r->map[n].visit.rip, 0 };
		unsigned k = 0;

		if (!map_in_window(&r->map[n].visit))
			continue;
		while (n + 1 < r->map_count && map_in_window(&r->map[n + 1].visit))
			n++;
		w.end = r->map[n].visit.rip;
		while (k < count && memcmp(&found[k], &w, sizeof(w)))
			k++;
		if (k < count)
			continue;
		found = xrealloc(found, (count + 1) * sizeof(*found));
		found[count++] = w;
	}
	free(found);
	return count;
}
