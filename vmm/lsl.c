/* SPDX-License-Identifier: MIT */
/* lsl.c: what the instruction LSL gives (SDM vol. 2A, LSL; vol. 3, 3.4.5 and 3.5). */
#include "vmm/lsl.h"

#define SELECTOR_RPL 3u
#define SELECTOR_LDT 4u
#define TYPE_CODE    8u
#define TYPE_CONFORMING 4u
#define TYPE_LDT     2u
#define TYPE_TSS     9u
#define TYPE_TSS_BUSY 11u

static unsigned type_of(uint64_t d)
{
	return d >> 40 & 15;
}

static bool is_system(uint64_t d)
{
	return !(d >> 44 & 1);
}

/* Each kind of descriptor that has a limit in 64-bit mode: data, code, LDT and the two TSS; gates have none. */
static bool has_limit(uint64_t d)
{
	return !is_system(d) || type_of(d) == TYPE_LDT || type_of(d) == TYPE_TSS || type_of(d) == TYPE_TSS_BUSY;
}

/* Conforming code may be looked at from anywhere. P is not looked at. */
static bool may_look(uint64_t d, unsigned cpl, unsigned rpl)
{
	unsigned dpl = d >> 45 & 3;

	if (!is_system(d) && type_of(d) & TYPE_CODE && type_of(d) & TYPE_CONFORMING)
		return true;
	return cpl <= dpl && rpl <= dpl;
}

static uint32_t limit_of(uint64_t d)
{
	uint32_t raw = (d & 0xffff) | (d >> 32 & 0xf0000);

	return d >> 55 & 1 ? raw << 12 | 0xfff : raw;
}

/* A system descriptor has 16 bytes in 64-bit mode (SDM vol. 3, 3.5.2). */
enum lsl_result lsl_limit(const struct lsl_machine *m, uint16_t selector, uint32_t *limit)
{
	const struct lsl_table *t = selector & SELECTOR_LDT ? &m->ldt : &m->gdt;
	uint32_t at = selector & ~7u;
	uint64_t d;

	if (!(selector & ~SELECTOR_RPL) || !t->usable || at + 7 > t->limit)
		return LSL_NONE;
	if (!mem_read(m->mem, m->cr3, t->base + at, &d, sizeof(d)))
		return LSL_FAULT;
	if (!has_limit(d) || (is_system(d) && at + 15 > t->limit) || !may_look(d, m->cpl, selector & SELECTOR_RPL))
		return LSL_NONE;
	*limit = limit_of(d);
	return LSL_LIMIT;
}

uint64_t lsl_merge(uint64_t was, uint32_t limit, unsigned bits)
{
	return bits == 16 ? (was & ~0xffffull) | (limit & 0xffff) : limit;
}
