/* SPDX-License-Identifier: MIT */
/* judge_case.h: a good case for the judge (layout, states, frames, user program), and damage done to one thing of it. */
#ifndef TAP_JUDGE_CASE_H
#define TAP_JUDGE_CASE_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tap/tap.h"
#include "vmm/judge.h"

#define K            (ABI_KERNEL_VIRT + 0x200000)
#define OTHER_K      (K + ABI_PERCPU_SIZE)
#define USER_GS      0x1000ull
#define POISON       0x5a5a00005a5aull  /* neither K nor U */
#define KERNEL_TEXT  (ABI_KERNEL_VIRT + 0x100000)
#define USER_MEMORY  (ABI_KERNEL_VIRT + 0x300000)
#define SLOT         16ull

/* Side by side, as the linker may put them, but for a gap of a page below the thread stack. */
#define STACKS       (ABI_KERNEL_VIRT + 0x210000)
enum { THREAD, NMI_STACK, DF_STACK, MC_STACK, DB_STACK, STACK_COUNT };

/* All that a rule looks at. Plain data: a copy that is relinked is another case. */
struct world {
	struct layout layout;
	struct judge judge;
	struct model user;
	struct cpu_state before, now;
	struct injected in;
	struct hardware_frame frame;
	struct abi_frame saved;
	int vector;                     /* of an ordinary exception; -1: SYSCALL */
	unsigned error_bytes;           /* that an ordinary exception pushes below frame */
	bool arrived;
	unsigned counter;               /* which exempt[], and its value after and before */
	uint64_t count, count_was;
	uint64_t work;                  /* the thread's work flags */
};

typedef void judgement(struct world *w);

/* One thing in the world, which bits of it are damaged (each by itself), and what must be said. */
struct damage {
	const char *name;
	size_t at, size;
	uint64_t bits;
	enum rule rule;
	const char *says;               /* how the detail begins; NULL: nothing may be said */
};
#define ALL         (~0ull)
#define BITS(field, bits, rule, says) \
	{ #field, offsetof(struct world, field), sizeof(((struct world *)0)->field), bits, rule, says }
#define WHOLE(field, rule, says) BITS(field, ALL, rule, says)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline void world_link(struct world *w)
{
	w->judge.layout = &w->layout;
	w->in.before = &w->before;
	w->in.user = &w->user;
}

static inline uint64_t stack_top(const struct world *w, unsigned stack)
{
	return w->layout.stack[stack].base + w->layout.stack[stack].size;
}

static inline struct layout good_layout(void)
{
	static const unsigned vectors[] = { 1, 2, 6, 13, 14, 18, ABI_VECTOR_IRQ, ABI_VECTOR_RESCHED };
	struct layout l = { .k_own = K, .k_other = OTHER_K, .stacks = STACK_COUNT };

	l.stack[THREAD] = (struct kernel_stack){ STACKS, 0x2000, 0, 0, "thread", 0, 0, 0 };
	l.stack[NMI_STACK] = (struct kernel_stack){ STACKS + 0x3000, 0x1000, SLOT, 1 << 2, "nmi", 0, 0, 0 };
	l.stack[DF_STACK] = (struct kernel_stack){ STACKS + 0x4000, 0x1000, SLOT, 1 << 8, "double-fault", 0, 0, 0 };
	l.stack[MC_STACK] = (struct kernel_stack){ STACKS + 0x5000, 0x1000, SLOT, 1 << 18, "machine-check", 0, 0, 0 };
	l.stack[DB_STACK] = (struct kernel_stack){ STACKS + 0x6000, 0x2000, SLOT, 1 << 1, "debug", 0, 0, 0 };
	for (unsigned n = 0; n < COUNT_OF(vectors); n++)
		l.gate[vectors[n]] = KERNEL_TEXT + 0x1000 + 0x40 * vectors[n];
	return l;
}

/* No two registers alike, so that a check of the wrong one shows. */
static inline struct cpu_state good_state(void)
{
	struct cpu_state s = {
		.fs_base = 0x7f0011112000, .cr0 = 0x80050033, .cr2 = 0x900010, .cr3 = 0x103000, .cr4 = 0x10668,
		.efer = 0xd01, .dr = { K + 0x8000, 0, 0, 0 }, .dr6 = ABI_DR6_RESET, .dr7 = ABI_DR7_ARMED,
		.idt_base = K + 0x4000, .gdt_base = K + 0x5000, .tss_base = K + 0x6000, .mcg_status = 1,
		.idt_limit = 0xfff, .gdt_limit = 0x4f, .tr = ABI_TSS, .ldt = 0x50, .star = 0x23001000000000,
		.lstar = KERNEL_TEXT + 0x2000, .fmask = ABI_SYSCALL_FMASK, .mcg_ctl = 0x7f,
	};

	for (unsigned n = 0; n < GPR_COUNT; n++)
		s.gpr[n] = ABI_USER_GPR + n * ABI_USER_GPR_STEP;
	for (unsigned n = 0; n < MCE_BANKS; n++) {
		s.mci_status[n] = 0x100 + n;
		s.mci_ctl[n] = 0x200 + n;
	}
	return s;
}

/* I, if it is not the poison. */
static inline uint64_t i_of(const struct world *w, uint64_t i)
{
	return w->judge.scheme == SCHEME_PURE ? ABI_GS_POISON : i;
}

/* A user boundary: A is U, I is K, and the model knows every register. */
static inline void at_user(struct world *w)
{
	w->before = good_state();
	w->before.rip = ABI_USER_TEXT + 0x42;
	w->before.gpr[GPR_RSP] = ABI_USER_RSP - 0x20;
	w->before.rflags = RFLAGS_FIXED | RFLAGS_IF | RFLAGS_DF | RFLAGS_AC | RFLAGS_ID;
	w->before.cs = ABI_USER_CS;
	w->before.ss = ABI_USER_SS;
	w->before.a = USER_GS;
	w->before.i = i_of(w, K);
	memcpy(w->user.gpr, w->before.gpr, sizeof(w->user.gpr));
	w->user.rip = w->before.rip;
	w->user.cs = w->before.cs;
	w->user.rflags = w->before.rflags;
	w->user.gs_base = USER_GS;
	w->user.fs_base = w->before.fs_base;
	w->user.fsgsbase = w->before.cr4 & CR4_FSGSBASE;
	w->now = w->before;
}

/* A kernel boundary on the thread stack, while the user program stands elsewhere. */
static inline void at_kernel(struct world *w)
{
	at_user(w);
	memset(w->user.gpr, 0x11, sizeof(w->user.gpr));
	w->before.rip = KERNEL_TEXT + 0x1234;
	w->before.gpr[GPR_RSP] = stack_top(w, THREAD) - 0x100;
	w->before.rflags = RFLAGS_FIXED;
	w->before.cs = ABI_KERNEL_CS;
	w->before.ss = ABI_KERNEL_SS;
	w->before.a = K;
	w->before.i = i_of(w, USER_GS);
	w->now = w->before;
}

static inline struct world good_world(enum event event, unsigned cpl, enum scheme scheme)
{
	struct world w = { .layout = good_layout(), .judge = { .scheme = scheme } };

	w.in.event = event;
	w.in.dr6 = ABI_DR6_RESET | 1;
	if (cpl)
		at_user(&w);
	else
		at_kernel(&w);
	return w;
}

/* The five words that say where the event came from. */
static inline struct hardware_frame frame_of(const struct cpu_state *s)
{
	return (struct hardware_frame){ s->rip, s->cs, s->rflags, s->gpr[GPR_RSP], s->ss };
}

static inline struct abi_frame saved_of(const struct cpu_state *s)
{
	const uint64_t *r = s->gpr;

	return (struct abi_frame){
		.rax = r[0], .rcx = r[1], .rdx = r[2], .rbx = r[3], .rsp = r[4], .rbp = r[5], .rsi = r[6], .rdi = r[7],
		.r8 = r[8], .r9 = r[9], .r10 = r[10], .r11 = r[11], .r12 = r[12], .r13 = r[13], .r14 = r[14],
		.r15 = r[15], .error = ABI_NO_ERROR, .rip = s->rip, .cs = s->cs, .rflags = s->rflags, .ss = s->ss,
	};
}

static inline void back(struct world *w)
{
	judge_back(&w->judge, &w->in, &w->now);
}

/* Judges one stop of a fresh case, with fresh counts. */
static inline void judged(struct world *w, judgement *judge)
{
	world_link(w);
	memset(w->judge.count, 0, sizeof(w->judge.count));
	judge_begin(&w->judge);
	judge_at(&w->judge, "here", &w->now);
	judge(w);
}

static inline uint64_t broken_checks(const struct world *w)
{
	uint64_t sum = 0;

	for (unsigned n = 0; n < RULE_COUNT; n++)
		sum += w->judge.count[n].broken;
	return sum;
}

static inline bool says(const struct world *w, enum rule rule, const char *text)
{
	const struct breach *b = &w->judge.breach;
	bool good = b->broken && b->rule == rule && !strncmp(b->detail, text, strlen(text));

	if (!good)
		printf("# broken %d, %s: %s\n", b->broken, rule_name(b->rule), b->detail);
	return good;
}

static inline void is_good(const struct world *good, judgement *judge, const char *name)
{
	struct world w = *good;

	judged(&w, judge);
	if (!ok(!w.judge.breach.broken && !broken_checks(&w), "%s: a good case breaks no rule", name))
		printf("# %s: %s\n", rule_name(w.judge.breach.rule), w.judge.breach.detail);
}

/* Exactly this rule, and so in one check only. */
static inline void is_breach(const struct world *good, judgement *judge, enum rule rule, const char *text,
			     const char *name)
{
	struct world w = *good;

	judged(&w, judge);
	if (!ok(says(&w, rule, text) && broken_checks(&w) == 1, "%s: breaks %s alone", name, rule_name(rule)))
		printf("# %lu checks broken\n", (unsigned long)broken_checks(&w));
}

/* This is what is reported, of several checks that break. */
static inline void is_said(const struct world *good, judgement *judge, enum rule rule, const char *text,
			   const char *name)
{
	struct world w = *good;

	judged(&w, judge);
	ok(says(&w, rule, text), "%s: breaks %s", name, rule_name(rule));
}

static inline bool bit_is_seen(const struct world *good, judgement *judge, const struct damage *d, unsigned bit,
			       bool alone)
{
	struct world w = *good;

	((uint8_t *)&w)[d->at + bit / 8] ^= 1 << bit % 8;
	judged(&w, judge);
	if (!d->says)
		return !w.judge.breach.broken && !broken_checks(&w);
	return says(&w, d->rule, d->says) && (!alone || broken_checks(&w) == 1);
}

/* Every bit of it, one at a time: bit 63 counts as much as bit 0. A bool has one bit. */
static inline void is_seen(const struct world *good, judgement *judge, const struct damage *d, bool alone,
			   const char *name)
{
	unsigned bad = 0;

	for (unsigned bit = 0; bit < 8 * d->size; bit++)
		if (d->bits >> bit & 1 && !bit_is_seen(good, judge, d, bit, alone) && !bad++)
			printf("# bit %u\n", bit);
	if (d->says)
		ok(!bad, "%s: %s breaks %s", name, d->name, rule_name(d->rule));
	else
		ok(!bad, "%s: %s may be anything", name, d->name);
}

/* The report's word on what A and I must have been. */
static inline void is_expected(const struct world *good, judgement *judge, uint64_t a, uint64_t i, const char *name)
{
	struct world w = *good;

	judged(&w, judge);
	ok(w.judge.breach.expects && w.judge.breach.expected_a == a && w.judge.breach.expected_i == i,
	   "%s: the report says what A and I must be", name);
}

static inline void all_are_seen(const struct world *good, judgement *judge, const struct damage *d, unsigned count,
				const char *name)
{
	for (unsigned n = 0; n < count; n++)
		is_seen(good, judge, &d[n], true, name);
}

/* An array of registers at `at`: each by the name that the detail gives it. */
static inline void gprs_are_seen(const struct world *good, judgement *judge, size_t at, enum rule rule,
				 unsigned but, const char *name)
{
	for (unsigned n = 0; n < GPR_COUNT; n++) {
		char text[16];
		struct damage d = { gpr_name(n), at + 8 * n, 8, ALL, rule, text };

		snprintf(text, sizeof(text), "%s is ", gpr_name(n));
		if (n != but)
			is_seen(good, judge, &d, true, name);
	}
}

#endif
