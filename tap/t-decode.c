/* SPDX-License-Identifier: MIT */
/* t-decode.c: what each instruction that entry code uses is, where it leads, and which starts a walk finds. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/decode.h"

#define AT 0xffffffff80100000ull
#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void flow_is(const uint8_t *bytes, size_t size, enum flow flow, uint64_t target, const char *name)
{
	struct insn insn;
	bool good = decode_insn(bytes, size, AT, &insn);

	ok(good && insn.length == size && insn.flow == flow && insn.target == target, "flow of %s", name);
}

static void test_flow(void)
{
	flow_is(CODE(0x90), FLOW_NEXT, 0, "nop");
	flow_is(CODE(0xeb, 0x10), FLOW_JUMP, AT + 0x12, "jmp, short");
	flow_is(CODE(0xe9, 0xfb, 0xff, 0xff, 0xff), FLOW_JUMP, AT, "jmp to itself");
	flow_is(CODE(0x74, 0xfe), FLOW_BRANCH, AT, "je");
	flow_is(CODE(0x0f, 0x85, 0, 1, 0, 0), FLOW_BRANCH, AT + 0x106, "jne, near");
	flow_is(CODE(0xe3, 0x02), FLOW_BRANCH, AT + 4, "jrcxz");
	flow_is(CODE(0xe2, 0xf0), FLOW_BRANCH, AT - 14, "loop");
	flow_is(CODE(0xe8, 0, 0, 0, 0), FLOW_CALL, AT + 5, "call");
	flow_is(CODE(0xff, 0xd0), FLOW_CALL_INDIRECT, 0, "call *%rax");
	flow_is(CODE(0xff, 0xe0), FLOW_END, 0, "jmp *%rax");
	flow_is(CODE(0xff, 0x20), FLOW_END, 0, "jmp *(%rax)");
	flow_is(CODE(0xff, 0x28), FLOW_END, 0, "ljmp *(%rax)");
	flow_is(CODE(0xc3), FLOW_END, 0, "ret");
	flow_is(CODE(0xc2, 8, 0), FLOW_END, 0, "ret $8");
	flow_is(CODE(0x48, 0xcb), FLOW_END, 0, "lretq");
	flow_is(CODE(0x48, 0xcf), FLOW_END, 0, "iretq");
	flow_is(CODE(0x48, 0x0f, 0x07), FLOW_END, 0, "sysretq");
	flow_is(CODE(0xf4), FLOW_END, 0, "hlt");
	flow_is(CODE(0x0f, 0x0b), FLOW_END, 0, "ud2");
	flow_is(CODE(0x0f, 0x05), FLOW_NEXT, 0, "syscall");
	flow_is(CODE(0xcc), FLOW_NEXT, 0, "int3");
}

static void memory_is(const uint8_t *bytes, size_t size, bool touches, const char *name)
{
	struct insn insn = { 0 };

	ok(decode_insn(bytes, size, AT, &insn) && insn.touches_memory == touches, "%s %s memory", name,
	   touches ? "touches" : "does not touch");
}

static void test_memory(void)
{
	memory_is(CODE(0x48, 0x89, 0x07), true, "mov %rax,(%rdi)");
	memory_is(CODE(0x65, 0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0), true, "mov %gs:8,%rax");
	memory_is(CODE(0x50), true, "push %rax");
	memory_is(CODE(0x58), true, "pop %rax");
	memory_is(CODE(0x9c), true, "pushfq");
	memory_is(CODE(0xe8, 0, 0, 0, 0), true, "call");
	memory_is(CODE(0xc3), true, "ret");
	memory_is(CODE(0x48, 0xcf), true, "iretq");
	memory_is(CODE(0xf3, 0x48, 0xa5), true, "rep movsq");
	memory_is(CODE(0xc9), true, "leave");
	memory_is(CODE(0x48, 0x8d, 0x07), false, "lea (%rdi),%rax");
	memory_is(CODE(0x0f, 0x1f, 0x00), false, "nopl (%rax)");
	memory_is(CODE(0x0f, 0x18, 0x08), false, "prefetcht0 (%rax)");
	memory_is(CODE(0x0f, 0x0d, 0x08), false, "prefetchw (%rax)");
	memory_is(CODE(0x48, 0x89, 0xc7), false, "mov %rax,%rdi");
	memory_is(CODE(0x0f, 0x01, 0xf8), false, "swapgs");
	memory_is(CODE(0x48, 0x0f, 0x07), false, "sysretq");
	memory_is(CODE(0x0f, 0x30), false, "wrmsr");
}

static struct insn insn_of(const uint8_t *bytes, size_t size)
{
	struct insn insn = { 0 };

	decode_insn(bytes, size, AT, &insn);
	return insn;
}

static void test_kinds(void)
{
	struct insn iret = insn_of(CODE(0x48, 0xcf)), sysret = insn_of(CODE(0x48, 0x0f, 0x07));
	struct insn sti = insn_of(CODE(0xfb)), cli = insn_of(CODE(0xfa));
	struct insn mov_ss = insn_of(CODE(0x8e, 0xd0)), mov_ds = insn_of(CODE(0x8e, 0xd8));
	struct insn from_ss = insn_of(CODE(0x8c, 0xd0));

	ok(iret.is_return_to_user && !iret.is_sysret, "iretq returns to user, not by sysret");
	ok(sysret.is_return_to_user && sysret.is_sysret, "sysretq returns to user by sysret");
	ok(insn_of(CODE(0x0f, 0x05)).is_syscall && !sysret.is_syscall, "syscall is one, sysret is not");
	ok(insn_of(CODE(0x0f, 0x01, 0xf8)).is_swapgs, "swapgs is one");
	ok(!insn_of(CODE(0x0f, 0x01, 0xf9)).is_swapgs, "rdtscp, one byte off, is not");
	ok(sti.is_sets_shadow && !cli.is_sets_shadow, "sti sets a shadow, cli does not");
	ok(mov_ss.is_sets_shadow && !mov_ds.is_sets_shadow, "mov to ss sets a shadow, mov to ds does not");
	ok(!from_ss.is_sets_shadow, "mov from ss does not");
}

static void test_text(void)
{
	struct insn insn;
	char text[80];

	ok(decode_text(CODE(0x48, 0x89, 0x44, 0x24, 8), AT, text, sizeof(text)), "a mov has a text");
	is_str(text, "mov %rax, 0x08(%rsp)", "in AT&T syntax");
	decode_text(CODE(0x65, 0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0), AT, text, sizeof(text));
	ok(strstr(text, "%gs:"), "a GS access shows its segment: %s", text);
	ok(!decode_text(CODE(0x06), AT, text, sizeof(text)), "push es is no 64-bit instruction");
	is_str(text, "(bad)", "and is called bad");
	ok(!decode_insn(CODE(0xe8, 0, 0), AT, &insn), "a call cut off does not decode");
	ok(!decode_insn(NULL, 0, AT, &insn), "no bytes do not decode");
}

/* The region of the sweep and of the walk. Offsets stand in the comments. */
static const uint8_t region[] = {
	0x74, 0x04,                             /*  0 je 6 */
	0xe8, 0x04, 0x00, 0x00, 0x00,           /*  2 call 11; byte 6 and the next as code: add */
	0xc3,                                   /*  7 ret */
	0x06,                                   /*  8 bad */
	0x90,                                   /*  9 nop: nobody comes here */
	0xc3,                                   /* 10 ret */
	0xff, 0xd0,                             /* 11 call *%rax */
	0xe9, 0x00, 0x10, 0x00, 0x00,           /* 13 jmp far outside */
	0x90,                                   /* 18 nop: only by a root */
	0xe8, 0x05,                             /* 19 a call that runs over the end */
};

static bool starts_are(const struct insn_starts *s, const unsigned *offsets, size_t n)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (i >= n || s->addr[i] != AT + offsets[i])
			return false;
	return i == n;
}

static void test_sweep(void)
{
	static const unsigned all[] = { 0, 2, 7, 9, 10, 11, 13, 18 };
	struct insn_starts s;

	decode_sweep(region, AT, sizeof(region), &s);
	/* byte 20 of the call that is cut off is a cut-off add, no instruction either */
	ok(starts_are(&s, all, sizeof(all) / sizeof(*all)), "a sweep finds every start and skips what does not decode");
	ok(insn_starts_has(&s, AT) && insn_starts_has(&s, AT + 18), "the set has its first and its last");
	ok(!insn_starts_has(&s, AT + 1) && !insn_starts_has(&s, AT - 1) && !insn_starts_has(&s, AT + 19),
	   "and no others");
	insn_starts_free(&s);
	ok(!insn_starts_has(&s, AT), "a freed set has nothing");
	decode_sweep(region, AT, 0, &s);
	is_u64(s.count, 0, "an empty region has no starts");
	insn_starts_free(&s);
}

static void test_walk(void)
{
	/* je's target lies inside the call: both decodings may execute */
	static const unsigned from_0[] = { 0, 2, 6, 7, 11, 13 }, from_18[] = { 18 };
	const uint64_t roots[] = { AT, AT, AT - 1, AT + sizeof(region), 0 }, late = AT + 18;
	struct insn_starts s;

	decode_walk(region, AT, sizeof(region), roots, 1, &s);
	ok(insn_starts_has(&s, AT + 6), "a branch into the middle of an instruction is followed");
	ok(insn_starts_has(&s, AT + 7), "a call's return point counts");
	ok(insn_starts_has(&s, AT + 13), "an indirect call's return point counts");
	ok(!insn_starts_has(&s, AT + 9) && !insn_starts_has(&s, AT + 18), "what nobody reaches does not");
	ok(starts_are(&s, from_0, sizeof(from_0) / sizeof(*from_0)), "and there are no others");
	insn_starts_free(&s);
	decode_walk(region, AT, sizeof(region), &late, 1, &s);
	ok(starts_are(&s, from_18, 1), "a start that does not decode is not counted");
	insn_starts_free(&s);
	decode_walk(region, AT, sizeof(region), roots + 2, 3, &s);
	is_u64(s.count, 0, "roots outside the region lead nowhere");
	insn_starts_free(&s);
}

int main(void)
{
	plan(21 + 18 + 8 + 7 + 5 + 7);
	test_flow();
	test_memory();
	test_kinds();
	test_text();
	test_sweep();
	test_walk();
	return done();
}
