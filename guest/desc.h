/* SPDX-License-Identifier: MIT */
/* desc.h: descriptor tables, and the schemes: each has a column of the gate table. */
#ifndef GUEST_DESC_H
#define GUEST_DESC_H

enum scheme {
	SCHEME_SWAPGS,
	SCHEME_IST,
	SCHEME_LSL,
	SCHEME_PURE,
	SCHEME_COUNT,
};

void desc_init(enum scheme scheme);

#endif
