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
	uint32_t next;                  /* of the same hash: index + 1, 0 for none */
};

/* What a kernel sees of user code is not where it stands. */
static struct visit kind_of(const struct visit *v)
{
	struct visit kind = *v;

	if (v->cpl == 3)
		kind.rip = 0;
	return kind;
}

static bool is_new(struct ranks *k, const struct ranked *r)
{
	uint32_t *head;

	if (!k->head)
		k->head = xcalloc(BUCKETS, sizeof(*k->head));
	head = &k->head[r->kind.rip * 0x9e3779b97f4a7c15ull >> 32 & (BUCKETS - 1)];
	for (uint32_t at = *head; at; at = k->kind[at - 1].next) {
		const struct ranked *x = &k->kind[at - 1];

		if (x->scheme == r->scheme && x->gs == r->gs && map_same_kind(&x->kind, &r->kind))
			return false;
	}
	if (k->count == k->room) {
		k->room = k->room ? 2 * k->room : 1024;
		k->kind = xrealloc(k->kind, k->room * sizeof(*k->kind));
	}
	k->kind[k->count] = *r;
	k->kind[k->count++].next = *head;
	*head = k->count;
	return true;
}

static enum rank rank_of_new(const struct visit *v, enum gs_name gs)
{
	if (gs != GS_SMALL)
		return RANK_VALUE;
	return v->cpl == 3 || map_in_window(v) ? RANK_WINDOW : RANK_KERNEL;
}

void rank_map(struct ranks *k, struct map *m, enum scheme scheme, enum gs_name gs)
{
	bool tells = gs == GS_SMALL || gs == GS_NEGATIVE || gs == GS_OWN_K;

	for (size_t n = 0; n < m->count; n++) {
		struct visit *v = &m->at[n];
		struct ranked r = { .kind = kind_of(v), .scheme = scheme, .gs = gs };

		v->rank = RANK_REST;
		if (tells && (v->inject || v->inject_irq) && is_new(k, &r))
			v->rank = rank_of_new(v, gs);
	}
}

void rank_free(struct ranks *k)
{
	free(k->kind);
	free(k->head);
}

enum rank rank_case(const struct visit *v, enum event event)
{
	if (event_asks(event) && v->rank < RANK_VALUE)
		return RANK_VALUE;
	return v->rank;
}
