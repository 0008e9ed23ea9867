/* SPDX-License-Identifier: MIT */
/* gsvalue.h: the user GS set, the schemes of the guest kernel, and which value a scheme can meet. */
#ifndef VMM_GSVALUE_H
#define VMM_GSVALUE_H

#include <stdbool.h>
#include <stdint.h>

enum scheme { SCHEME_SWAPGS, SCHEME_IST, SCHEME_LSL, SCHEME_PURE, SCHEME_COUNT };

enum gs_name {
	GS_ZERO, GS_SMALL, GS_4G, GS_TOP,               /* settable by system call */
	GS_EDGE, GS_NEGATIVE, GS_OWN_K, GS_OTHER_K,     /* by WRGSBASE only */
	GS_COUNT
};

const char *scheme_name(enum scheme scheme);
bool scheme_find(const char *name, enum scheme *out);

const char *gsvalue_name(enum gs_name gs);
bool gsvalue_find(const char *name, enum gs_name *out);

/* The value itself, given K of the CPU that runs the case and K of another CPU. */
/* The same name means another value to the user code of CPU 1, where it can: so the threads are told apart. */
uint64_t gsvalue_on(unsigned cpu, uint64_t value, enum gs_name gs);
uint64_t gsvalue_resolve(enum gs_name gs, uint64_t own_k, uint64_t other_k);

/* May user code under this scheme ever have it? `swapgs` runs without FSGSBASE. */
bool gsvalue_legal(enum gs_name gs, enum scheme scheme);

#endif
