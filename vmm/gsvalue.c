/* SPDX-License-Identifier: MIT */
/* gsvalue.c: the tables of user GS values and of schemes. */
#include "vmm/gsvalue.h"

#include <string.h>

#include "guest/abi.h"

static const char *const schemes[SCHEME_COUNT] = {
	[SCHEME_SWAPGS] = "swapgs",
	[SCHEME_IST]    = "ist",
	[SCHEME_LSL]    = "lsl",
	[SCHEME_PURE]   = "pure",
};

static const struct {
	const char *name;
	uint64_t value;                 /* not of u-own-k and u-other-k: they depend on the CPU */
} values[GS_COUNT] = {
	[GS_ZERO]     = { "u-zero", 0 },
	[GS_SMALL]    = { "u-small", 0x1000 },
	[GS_4G]       = { "u-4g", 0x200000000 },
	[GS_TOP]      = { "u-top", ABI_TASK_SIZE_MAX - 1 },
	[GS_EDGE]     = { "u-edge", 0x7fffffffffff },
	[GS_NEGATIVE] = { "u-negative", 0xffffffffffffffff },
	[GS_OWN_K]    = { "u-own-k", 0 },
	[GS_OTHER_K]  = { "u-other-k", 0 },
};

const char *scheme_name(enum scheme scheme)
{
	return schemes[scheme];
}

bool scheme_find(const char *name, enum scheme *out)
{
	unsigned i;

	for (i = 0; i < SCHEME_COUNT; i++) {
		if (!strcmp(schemes[i], name)) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *gsvalue_name(enum gs_name gs)
{
	return values[gs].name;
}

bool gsvalue_find(const char *name, enum gs_name *out)
{
	unsigned i;

	for (i = 0; i < GS_COUNT; i++) {
		if (!strcmp(values[i].name, name)) {
			*out = i;
			return true;
		}
	}
	return false;
}

uint64_t gsvalue_resolve(enum gs_name gs, uint64_t own_k, uint64_t other_k)
{
	if (gs == GS_OWN_K)
		return own_k;
	if (gs == GS_OTHER_K)
		return other_k;
	return values[gs].value;
}

uint64_t gsvalue_on(unsigned cpu, uint64_t value, enum gs_name gs)
{
	if (gs == GS_SMALL || gs == GS_4G)
		return value + cpu * 0x1000;
	return gs == GS_TOP ? value - cpu * 0x1000 : value;
}

/* Without FSGSBASE only the system call sets a base, and it refuses the others. */
bool gsvalue_legal(enum gs_name gs, enum scheme scheme)
{
	return scheme != SCHEME_SWAPGS || gs <= GS_TOP;
}
