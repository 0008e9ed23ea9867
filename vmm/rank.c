/* SPDX-License-Identifier: MIT */
/* rank.c: which cases tell most: the order of a run that may be cut short. */
#include "vmm/rank.h"

#include <stdlib.h>

#include "vmm/die.h"

#define BUCKETS 4096

struct ranked {
	struct visit kind;
	enum scheme scheme;
	enum gs_name gs;
	unsigned seen;                  /* events, as bits */
	uint32_t next;                  /* of the same hash: index + 1, 0 for none */
};

unsigned rank_of_value(enum gs_name gs)
{
	return gs == GS_SMALL ? 0 : gs == GS_NEGATIVE || gs == GS_OWN_K ? 1 : 2;
}

/* User code is all the same to a kernel, but for where it has returned to just now. */
static struct visit kind_of(const struct map *m, size_t n)
{
	struct visit kind = m->at[n];

	if (kind.cpl == 3 && (!n || m->at[n - 1].cpl == 3))
		kind.rip = 0;
	return kind;
}

/* The same kind as it was seen before, or added. */
static struct ranked *find(struct ranks *k, const struct ranked *r)
{
	uint32_t *head;

	if (!k->head)
		k->head = xcalloc(BUCKETS, sizeof(*k->head));
	head = &k->head[r->kind.rip * 0x9e3779b97f4a7c15ull >> 32 & (BUCKETS - 1)];
	for (uint32_t at = *head; at; at = k->kind[at - 1].next) {
		struct ranked *x = &k->kind[at - 1];

		if (x->scheme == r->scheme && x->gs == r->gs && map_same_kind(&x->kind, &r->kind))
			return x;
	}
	if (k->count == k->room) {
		k->room = k->room ? 2 * k->room : 1024;
		k->kind = xrealloc(k->kind, k->room * sizeof(*k->kind));
	}
	k->kind[k->count] = *r;
	k->kind[k->count++].next = *head;
	*head = k->count;
	return &k->kind[k->count - 1];
}

static enum rank rank_of_new(const struct visit *v, enum event event, enum gs_name gs)
{
	bool first = rank_of_value(gs) == 0;

	if (v->cpl == 3 || map_in_window(v))
		return first && !event_asks(event) ? RANK_WINDOW : RANK_VALUE;
	return first ? RANK_KERNEL : RANK_REST;
}

void rank_map(struct ranks *k, struct map *m, unsigned events, enum scheme scheme, enum gs_name gs)
{
	for (size_t n = 0; n < m->count; n++) {
		struct visit *v = &m->at[n];
		struct ranked *r = NULL;

		if (rank_of_value(gs) < RANK_VALUES - 1 && (v->inject || v->inject_irq))
			r = find(k, &(struct ranked){ .kind = kind_of(m, n), .scheme = scheme, .gs = gs });
		for (enum event e = 0; e < EVENT_COUNT; e++) {
			bool planned = r && map_is_planned(v, events, e);

			v->rank[e] = planned && !(r->seen >> e & 1) ? rank_of_new(v, e, gs) : RANK_REST;
			if (planned)
				r->seen |= 1u << e;
		}
	}
}

void rank_free(struct ranks *k)
{
	free(k->kind);
	free(k->head);
}
