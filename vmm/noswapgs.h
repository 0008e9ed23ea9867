/* SPDX-License-Identifier: MIT */
/* noswapgs.h: a kernel text in which no SWAPGS can be executed unseen. Pure. */
#ifndef VMM_NOSWAPGS_H
#define VMM_NOSWAPGS_H

#include "vmm/decode.h"

/* Puts HLT in the place of every SWAPGS of a text that lies at va, all of its bytes; *out: where each was. */
void noswapgs(uint8_t *text, uint64_t va, size_t size, struct insn_starts *out);

#endif
