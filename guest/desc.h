/* SPDX-License-Identifier: MIT */
/* desc.h: descriptor tables, and the schemes that differ in nothing but their IDT. */
#ifndef GUEST_DESC_H
#define GUEST_DESC_H

enum scheme {
	SCHEME_SWAPGS,
	SCHEME_IST,
	SCHEME_COUNT,
};

void desc_init(enum scheme scheme);

#endif
