/* SPDX-License-Identifier: MIT */
/* stops.c: where the guest stops: HLT bytes in its text, single ones or on every instruction start. HLT
 * exits at CPL 0 and raises #GP(0) at CPL 3, both with an exact RIP and without a trace in guest state. */
#include "vmm/stops.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

#define HLT 0xf4

static const struct text_range *range_of(const struct stops *s, gva_t at)
{
	for (unsigned n = 0; n < s->ranges; n++)
		if (at - s->range[n].va < s->range[n].size)
			return &s->range[n];
	return NULL;
}

void stops_add(struct stops *s, const struct mem *m, gva_t va, gpa_t gpa, uint64_t size)
{
	struct text_range *r = &s->range[s->ranges++];

	r->va = va;
	r->size = size;
	r->ram = mem_at(m, gpa, size);
	r->stopped = s->apart ? xcalloc(size, 1) : r->ram;
	r->plain = xcalloc(size, 1);
	r->carpet = xcalloc(size, 1);
	r->set = xcalloc(size, sizeof(*r->set));
	r->kept = xcalloc(size, sizeof(*r->kept));
	memcpy(r->plain, r->ram, size);
	memcpy(r->carpet, r->ram, size);
	memcpy(r->stopped, r->ram, size);
	decode_sweep(r->plain, va, size, &r->starts);
	for (size_t n = 0; n < r->starts.count; n++)
		r->carpet[r->starts.addr[n] - va] = HLT;
}

void stops_free(struct stops *s)
{
	for (unsigned n = 0; n < s->ranges; n++) {
		if (s->apart)
			free(s->range[n].stopped);
		free(s->range[n].plain);
		free(s->range[n].carpet);
		free(s->range[n].set);
		free(s->range[n].kept);
		insn_starts_free(&s->range[n].starts);
	}
	s->ranges = 0;
}

void stops_set(struct stops *s, gva_t at)
{
	const struct text_range *r = range_of(s, at);

	if (!r)
		return;                 /* no text of the guest's: it can never stop there */
	r->stopped[at - r->va] = HLT;
	r->set[at - r->va] = true;
}

void stops_lift(struct stops *s, gva_t at)
{
	const struct text_range *r = range_of(s, at);

	if (!r)
		return;
	r->stopped[at - r->va] = r->plain[at - r->va];
	r->set[at - r->va] = false;
}

bool stops_is_set(const struct stops *s, gva_t at)
{
	const struct text_range *r = range_of(s, at);

	return r && r->set[at - r->va];
}

void stops_clear(struct stops *s)
{
	s->carpet = false;
	for (unsigned n = 0; n < s->ranges; n++) {
		memcpy(s->range[n].stopped, s->range[n].plain, s->range[n].size);
		memset(s->range[n].set, 0, s->range[n].size * sizeof(bool));
	}
}

#define CHUNK 64                        /* most text has no stop: compared in pieces */

static bool chunk_changed(const struct text_range *r, uint64_t from, uint64_t to, gva_t *at)
{
	for (uint64_t n = from; n < to; n++) {
		if (r->ram[n] == r->plain[n] || (r->set[n] && r->ram == r->stopped && r->ram[n] == HLT))
			continue;
		*at = r->va + n;
		return true;
	}
	return false;
}

static bool range_changed(const struct text_range *r, gva_t *at)
{
	for (uint64_t n = 0; n < r->size; n += CHUNK) {
		uint64_t size = r->size - n < CHUNK ? r->size - n : CHUNK;

		if (memcmp(r->ram + n, r->plain + n, size) && chunk_changed(r, n, n + size, at))
			return true;
	}
	return false;
}

bool stops_text_changed(const struct stops *s, gva_t *at)
{
	for (unsigned n = 0; n < s->ranges; n++)
		if (range_changed(&s->range[n], at))
			return true;
	return false;
}

void stops_carpet(struct stops *s)
{
	s->carpet = true;
	for (unsigned n = 0; n < s->ranges; n++) {
		const struct text_range *r = &s->range[n];

		memcpy(r->stopped, r->carpet, r->size);
		for (size_t k = 0; k < r->starts.count; k++)
			r->set[r->starts.addr[k] - r->va] = true;
	}
}

void stops_keep(struct stops *s)
{
	for (unsigned n = 0; n < s->ranges; n++)
		memcpy(s->range[n].kept, s->range[n].set, s->range[n].size * sizeof(bool));
}

void stops_bring_back(struct stops *s)
{
	stops_clear(s);
	for (unsigned n = 0; n < s->ranges; n++)
		for (uint64_t k = 0; k < s->range[n].size; k++)
			if (s->range[n].kept[k])
				stops_set(s, s->range[n].va + k);
}

const uint8_t *stops_text(const struct stops *s, gva_t at, uint64_t *available)
{
	const struct text_range *r = range_of(s, at);

	if (!r)
		return NULL;
	*available = r->va + r->size - at;
	return r->plain + (at - r->va);
}

bool stops_is_iretq(const struct stops *s, gva_t at)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(s, at, &left);

	return bytes && left >= 2 && bytes[0] == 0x48 && bytes[1] == 0xcf;
}
