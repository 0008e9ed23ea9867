/* SPDX-License-Identifier: MIT */
/* t-noswapgs.c: HLT in the place of each SWAPGS of a text, and nothing else changed. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/noswapgs.h"

#define AT 0xffffffff80100000ull

/* The second 0f 01 f8 are bytes of another instruction: mov $0x90f8010f,%eax. */
static uint8_t text[] = { 0x0f, 0x01, 0xf8, 0xb8, 0x0f, 0x01, 0xf8, 0x90, 0x0f, 0x01, 0xf9, 0x90, 0x0f, 0x01, 0xf8 };
static const uint8_t want[] = { 0xf4, 0xf4, 0xf4, 0xb8, 0x0f, 0x01, 0xf8, 0x90, 0x0f, 0x01, 0xf9, 0x90, 0xf4, 0xf4, 0xf4 };

int main(void)
{
	struct insn_starts found;

	plan(5);
	noswapgs(text, AT, sizeof(text), &found);
	is_u64(found.count, 2, "two SWAPGS");
	ok(insn_starts_has(&found, AT) && insn_starts_has(&found, AT + 12), "at the begin and at the end");
	ok(!memcmp(text, want, sizeof(text)), "are HLT from end to end, and RDTSCP and what only looks like one are left");
	insn_starts_free(&found);
	noswapgs(text, AT, sizeof(text), &found);
	is_u64(found.count, 0, "then there is none any more");
	ok(!memcmp(text, want, sizeof(text)), "and nothing changes");
	insn_starts_free(&found);
	return done();
}
