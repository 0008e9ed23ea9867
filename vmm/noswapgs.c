/* SPDX-License-Identifier: MIT */
/* noswapgs.c: HLT in the place of every SWAPGS: a kernel that claims to need none stops at the first one that it comes to. */
#include "vmm/noswapgs.h"

#include <string.h>

#define HLT 0xf4

void noswapgs(uint8_t *text, uint64_t va, size_t size, struct insn_starts *out)
{
	struct insn insn;
	size_t count = 0;

	decode_sweep(text, va, size, out);
	for (size_t n = 0; n < out->count; n++) {
		uint64_t offset = out->addr[n] - va;

		if (!decode_insn(text + offset, size - offset, out->addr[n], &insn) || !insn.is_swapgs)
			continue;
		memset(text + offset, HLT, insn.length);
		out->addr[count++] = out->addr[n];
	}
	out->count = count;
}
