/* SPDX-License-Identifier: MIT */
/* ahead.c: keeping the machine as the golden run will have it at a later boundary. */
#include "vmm/ahead.h"

#include <string.h>

#include "vmm/die.h"

void ahead_keep(struct ahead **a, struct session *s, unsigned key)
{
	struct machine *m = &s->machine;

	if (!*a)
		*a = xcalloc(1, sizeof(**a));
	stops_clear(&s->stops);
	machine_collect_dirty(m);
	(*a)->key = key;
	(*a)->ends = false;
	memset(&(*a)->state, 0, sizeof((*a)->state));
	machine_get(m, MACHINE_ALL, &(*a)->state);
	memcpy((*a)->dirty, m->dirty, sizeof(m->dirty));
	memcpy((*a)->ram, mem_at(&m->mem, 0, ABI_RAM_SIZE), ABI_RAM_SIZE);
}
