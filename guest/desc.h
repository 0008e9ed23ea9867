/* SPDX-License-Identifier: MIT */
/* desc.h: descriptor tables, and the schemes that differ in nothing but their IDT. */
#ifndef GUEST_DESC_H
#define GUEST_DESC_H

#include <stdint.h>

enum scheme {
	SCHEME_SWAPGS,
	SCHEME_IST,
	SCHEME_COUNT,
};

void desc_init(enum scheme scheme);

/* The descriptor of ABI_TLS; 0: not present. */
void desc_set_tls(uint64_t word);

#endif
