/* SPDX-License-Identifier: MIT */
/* t-model-inc.c: in the model of the user program, INC counts registers and memory and leaves the flags as the manual says. */
#include <string.h>

#include "tap/model_text.h"

#define CF 0x001ull
#define PF 0x004ull
#define AF 0x010ull
#define ZF 0x040ull
#define SF 0x080ull
#define OF 0x800ull
#define ALL (CF | PF | AF | ZF | SF | OF)

/* All arithmetic flags are set before, or none: what INC leaves must not depend on it, but for CF. */
static void inc64(uint64_t before, uint64_t after, uint64_t flags, const char *name)
{
	for (unsigned set = 0; set < 2; set++) {
		BEGIN(0x48, 0xff, 0xc0);                /* inc %rax */
		m.gpr[GPR_RAX] = before;
		m.rflags = 0x202 | (set ? ALL : 0);
		steps_to(3, name);
		is_u64(m.gpr[GPR_RAX], after, "counts");
		is_u64(m.rflags, 0x202 | flags | (set ? CF : 0), "flags with the others %s before", set ? "set" : "clear");
	}
}

static void inc32(uint64_t before, uint64_t after, uint64_t flags, const char *name)
{
	BEGIN(0xff, 0xc0);                              /* inc %eax */
	m.gpr[GPR_RAX] = before;
	steps_to(2, name);
	is_u64(m.gpr[GPR_RAX], after, "counts, and the upper half is 0");
	is_u64(m.rflags, 0x202 | flags, "flags");
}

static void test_flags(void)
{
	inc64(0, 1, 0, "0: one bit is odd parity");
	inc64(2, 3, PF, "2: two bits are even");
	inc64(0x102, 0x103, PF, "parity is of the lowest byte");
	inc64(0xf, 0x10, AF, "a carry out of the lowest digit");
	inc64(0xff, 0x100, AF | PF, "no bit in the lowest byte is even, too");
	inc64(~0ull, 0, ZF | AF | PF, "all ones: zero, and CF is left");
	inc64(0x7fffffffffffffff, 1ull << 63, OF | SF | AF | PF, "the highest positive number: overflow");
	inc64(1ull << 63, (1ull << 63) + 1, SF, "a negative number: sign");
	inc64(0x7fffffff, 0x80000000, AF | PF, "bit 31 is no sign of 64 bits");
	inc32(0x55555555ffffffff, 0, ZF | AF | PF, "32 bits: all ones");
	inc32(0x7fffffff, 0x80000000, OF | SF | AF | PF, "32 bits: the highest positive number");
}

static uint64_t word(unsigned offset)
{
	uint64_t value;

	memcpy(&value, m.data + offset, sizeof(value));
	return value;
}

/* 64 and 32 bits of memory, by GS. */
static void test_memory(void)
{
	BEGIN(0x65, 0x48, 0xff, 0x04, 0x25, 8, 0, 0, 0,         /* incq %gs:8 */
	      0x65, 0xff, 0x04, 0x25, 8, 0, 0, 0,               /* incl %gs:8 */
	      0xf0, 0x65, 0x48, 0xff, 0x04, 0x25, 8, 0, 0, 0);  /* lock incq %gs:8 */
	m.gs_base = ABI_USER_DATA + 0x100;
	memset(m.data + 0x108, 0xff, 4);
	steps_to(9, "INC of memory at U");
	is_u64(word(0x108), 1ull << 32, "counts across all eight bytes");
	memset(m.data + 0x108, 0xff, 4);
	steps_to(17, "INC of four bytes");
	is_u64(word(0x108), 1ull << 32, "leaves the next four");
	ok(m.rflags == (0x202 | ZF | AF | PF), "and its flags are theirs");
	steps_to(27, "with LOCK");
	is_u64(word(0x108), (1ull << 32) + 1, "it is the same");
}

/* One access to what is watched, and one fault. */
static void test_touching(void)
{
	BEGIN(0x48, 0xff, 0x06);                                /* incq (%rsi) */
	m.watch = m.gpr[GPR_RSI] = ABI_USER_DATA;
	steps_to(3, "INC of what is watched");
	ok(m.watch_hit && m.hits == 1, "hits it once");
	BEGIN(0x48, 0xff, 0x06);
	m.gpr[GPR_RSI] = ABI_USER_UNMAPPED;
	steps_to(0x40, "INC of what is not there");
	ok(m.gpr[GPR_RAX] == 14 && m.gpr[GPR_RDX] == 6 && m.gpr[GPR_RDI] == ABI_USER_UNMAPPED, "faults as a write");
	BEGIN(0x48, 0xff, 0x06);
	m.gpr[GPR_RSI] = ABI_USER_TEXT;
	steps_to(0x40, "INC of text");
	ok(m.gpr[GPR_RAX] == 14 && m.gpr[GPR_RDX] == 7, "faults, too");
	is_u64(m.rflags, 0x202, "and has left no flags");
	BEGIN(0xfe, 0xc0);                                      /* inc %al */
	ok(!step() && strstr(err, "8 bits"), "INC of a byte is refused: %s", err);
}

int main(void)
{
	plan(9 * 6 + 2 * 3 + 7 + 8);
	test_flags();
	test_memory();
	test_touching();
	return done();
}
