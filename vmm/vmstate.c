/* SPDX-License-Identifier: MIT */
/* vmstate.c: the stream in which QEMU saves a machine's devices: its sections, fields and what is about to be delivered. */
#define _GNU_SOURCE
#include "vmm/vmstate.h"

#include <stdio.h>
#include <string.h>

#include "vmm/vmstate_desc.h"

/* What a byte at a known place begins (QEMU's docs/devel/migration). */
enum { MARK_END = 0x00, MARK_SECTION = 0x04, MARK_SUBSECTION = 0x05, MARK_DESCRIPTION = 0x06, MARK_FOOTER = 0x7e };

#define STREAM_MAGIC 0x5145564du        /* "QEVM" */
#define DESCRIPTION_HEAD 5              /* its mark and its length */
#define BEFORE_NAME 5                   /* a section's mark and number */

/* A subsection: its mark, its name with the length before it, its version, one number. */
static const char pending[] = "\x05\x1a" "cpu_common/exception_index" "\0\0\0\1";
#define PENDING_HEAD (sizeof(pending) - 1)
#define PENDING_SIZE (PENDING_HEAD + 4)

static uint64_t get_number(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *at++;
	return value;
}

static void put_number(uint8_t *at, unsigned size, uint64_t value)
{
	while (size--) {
		at[size] = value;
		value >>= 8;
	}
}

/* The description is the last thing there, its length before it; behind it there is nothing. */
static bool find_description(const struct vmstate *v, size_t size, size_t *at)
{
	if (size < 8 || size > VMSTATE_ROOM || get_number(v->bytes, 4) != STREAM_MAGIC)
		return false;
	for (*at = size - DESCRIPTION_HEAD; *at > 0; --*at)
		if (v->bytes[*at] == MARK_DESCRIPTION && v->bytes[*at - 1] == MARK_END &&
		    get_number(v->bytes + *at + 1, 4) == size - *at - DESCRIPTION_HEAD)
			return true;
	return false;
}

static bool find_section(struct vmstate *v, enum vmstate_section n, char *err, size_t err_size)
{
	const struct vmstate_head *h = &v->head[n];
	const uint8_t *end = v->bytes + v->size, *at = v->bytes;
	size_t start;

	while ((at = memmem(at, end - at, h->bytes, h->size)) && (at < v->bytes + BEFORE_NAME || at[-BEFORE_NAME] != MARK_SECTION))
		at++;
	if (!at) {
		snprintf(err, err_size, "QEMU's saved state has no section %s", vmstate_section_name(n));
		return false;
	}
	start = at + h->size - v->bytes;
	v->start[n] = start;
	if (v->size - start > v->length[n] &&
	    (v->bytes[start + v->length[n]] == MARK_FOOTER || v->bytes[start + v->length[n]] == MARK_SUBSECTION))
		return true;
	snprintf(err, err_size, "QEMU's saved state: section %s is not as long as described", vmstate_section_name(n));
	return false;
}

/* What was learned, with the description itself replaced by an empty one. */
static bool settle(struct vmstate *v, size_t description, char *err, size_t err_size)
{
	v->size = description + DESCRIPTION_HEAD;
	put_number(v->bytes + description + 1, 4, 0);
	for (enum vmstate_section n = 0; n < VMSTATE_SECTIONS; n++)
		if (!find_section(v, n, err, err_size))
			return false;
	return true;
}

static bool no_stream(char *err, size_t err_size)
{
	snprintf(err, err_size, "QEMU's saved state is none, or has no description");
	return false;
}

bool vmstate_learn(struct vmstate *v, size_t size, char *err, size_t err_size)
{
	size_t at;

	if (!find_description(v, size, &at))
		return no_stream(err, err_size);
	return vmstate_describe(v, (const char *)v->bytes + at + DESCRIPTION_HEAD, size - at - DESCRIPTION_HEAD, err, err_size) &&
	       settle(v, at, err, err_size);
}

bool vmstate_take(struct vmstate *v, size_t size, char *err, size_t err_size)
{
	size_t at;

	if (!find_description(v, size, &at))
		return no_stream(err, err_size);
	return settle(v, at, err, err_size);
}

static size_t element(const struct vmstate *v, enum vmstate_field field, unsigned n)
{
	const struct vmstate_place *p = &v->place[field];

	return v->start[vmstate_section_of(field)] + p->at + (size_t)n * p->stride;
}

uint64_t vmstate_get(const struct vmstate *v, enum vmstate_field field, unsigned n)
{
	const struct vmstate_place *p = &v->place[field];

	return n < p->count ? get_number(v->bytes + element(v, field, n), p->size) : 0;
}

void vmstate_set(struct vmstate *v, enum vmstate_field field, unsigned n, uint64_t value)
{
	const struct vmstate_place *p = &v->place[field];

	if (n < p->count)
		put_number(v->bytes + element(v, field, n), p->size, value);
}

/* Where it stands, or has to: right behind the section's own fields. */
static size_t pending_at(const struct vmstate *v)
{
	return v->start[VMSTATE_CPU_COMMON] + v->length[VMSTATE_CPU_COMMON];
}

static bool has_pending(const struct vmstate *v)
{
	size_t at = pending_at(v);

	return v->size - at >= PENDING_SIZE && !memcmp(v->bytes + at, pending, PENDING_HEAD);
}

int vmstate_exception(const struct vmstate *v)
{
	return has_pending(v) ? (int32_t)get_number(v->bytes + pending_at(v) + PENDING_HEAD, 4) : -1;
}

/* What lies behind `at` moves by so many bytes. */
static void move_rest(struct vmstate *v, size_t at, long by)
{
	memmove(v->bytes + at + (by > 0 ? by : 0), v->bytes + at + (by < 0 ? -by : 0), v->size - at - (by < 0 ? -by : 0));
	v->size += by;
	for (enum vmstate_section n = 0; n < VMSTATE_SECTIONS; n++)
		if (v->start[n] > at)
			v->start[n] += by;
}

bool vmstate_set_exception(struct vmstate *v, int vector)
{
	bool has = has_pending(v), wanted = vector >= 0;
	size_t at = pending_at(v);

	if (wanted && !has && VMSTATE_ROOM - v->size < PENDING_SIZE)
		return false;
	if (wanted != has)
		move_rest(v, at, wanted ? (long)PENDING_SIZE : -(long)PENDING_SIZE);
	if (!wanted)
		return true;
	memcpy(v->bytes + at, pending, PENDING_HEAD);
	put_number(v->bytes + at + PENDING_HEAD, 4, vector);
	return true;
}
