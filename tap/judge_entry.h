/* SPDX-License-Identifier: MIT */
/* judge_entry.h: a good case on its way in, at the gate and in the C handler, and what can be damaged there. */
#ifndef TAP_JUDGE_ENTRY_H
#define TAP_JUDGE_ENTRY_H

#include "tap/judge_case.h"

static inline void gate(struct world *w)
{
	judge_gate(&w->judge, &w->in, &w->now, &w->frame);
}

static inline void handler(struct world *w)
{
	judge_handler(&w->judge, &w->in, &w->now, &w->saved);
}

static inline void body(struct world *w)
{
	judge_body(&w->judge, &w->in, &w->now);
}

/* The stack that an event at CPL 0 runs on. */
static inline unsigned own_stack(enum event event)
{
	static const unsigned of[] = { [EVENT_NMI] = NMI_STACK, [EVENT_MCE] = MC_STACK, [EVENT_DB] = DB_STACK,
				       [EVENT_IRQ] = THREAD, [EVENT_TIMER] = THREAD };

	return of[event_base(event)];
}

/* Where delivery begins to push: an IST stack's top whatever the CPL; an interrupt goes on below RSP, or at the top of
 * the thread stack if user code is left. */
static inline uint64_t delivery_top(const struct world *w)
{
	if (event_is_interrupt(w->in.event) && !cpu_cpl(&w->before))
		return w->before.gpr[GPR_RSP] & ~15ull;
	return stack_top(w, own_stack(w->in.event));
}

static inline struct world gate_world(enum event event, unsigned cpl)
{
	struct world w = good_world(event, cpl, SCHEME_IST);

	w.now.rip = w.layout.gate[event_vector(event)];
	w.now.cs = ABI_KERNEL_CS;
	w.now.gpr[GPR_RSP] = delivery_top(&w) - sizeof(w.frame);
	w.now.nmi_masked = event_base(event) == EVENT_NMI;
	w.frame = frame_of(&w.before);
	return w;
}

/* In the C handler, with the frame just below `end`. */
static inline void enter_c(struct world *w, uint64_t end)
{
	w->now.cs = ABI_KERNEL_CS;
	w->now.rflags = RFLAGS_FIXED;
	w->now.a = K;
	w->now.i = i_of(w, USER_GS);
	w->now.gpr[GPR_RDI] = end - FRAME_SIZE;
	w->now.gpr[GPR_RSP] = w->now.gpr[GPR_RDI] - 16;
	w->saved = saved_of(&w->before);
}

static inline struct world handler_world(enum event event, unsigned cpl, enum scheme scheme)
{
	struct world w = good_world(event, cpl, scheme);

	enter_c(&w, cpl ? stack_top(&w, THREAD) : delivery_top(&w));
	return w;
}

static const struct damage at_handler[] = {
	WHOLE(now.a, RULE_HANDLER_GS, "A is "),
	WHOLE(now.i, RULE_HANDLER_GS, "I is "),
	BITS(now.cs, 3, RULE_HANDLER_GS, "CPL is "),
	BITS(now.gpr[GPR_RSP], 0xf, RULE_HANDLER_STACK, "RSP modulo 16 is "),
	WHOLE(saved.rax, RULE_FRAME, "saved RAX is "), WHOLE(saved.rcx, RULE_FRAME, "saved RCX is "),
	WHOLE(saved.rdx, RULE_FRAME, "saved RDX is "), WHOLE(saved.rbx, RULE_FRAME, "saved RBX is "),
	WHOLE(saved.rsp, RULE_FRAME, "saved RSP is "), WHOLE(saved.rbp, RULE_FRAME, "saved RBP is "),
	WHOLE(saved.rsi, RULE_FRAME, "saved RSI is "), WHOLE(saved.rdi, RULE_FRAME, "saved RDI is "),
	WHOLE(saved.r8, RULE_FRAME, "saved R8 is "), WHOLE(saved.r9, RULE_FRAME, "saved R9 is "),
	WHOLE(saved.r10, RULE_FRAME, "saved R10 is "), WHOLE(saved.r11, RULE_FRAME, "saved R11 is "),
	WHOLE(saved.r12, RULE_FRAME, "saved R12 is "), WHOLE(saved.r13, RULE_FRAME, "saved R13 is "),
	WHOLE(saved.r14, RULE_FRAME, "saved R14 is "), WHOLE(saved.r15, RULE_FRAME, "saved R15 is "),
	WHOLE(saved.rip, RULE_FRAME, "saved RIP is "), WHOLE(saved.cs, RULE_FRAME, "saved CS is "),
	WHOLE(saved.rflags, RULE_FRAME, "saved RFLAGS is "), WHOLE(saved.ss, RULE_FRAME, "saved SS is "),
	WHOLE(saved.error, RULE_FRAME, "saved error code is "),
	BITS(now.rflags, RFLAGS_DF | RFLAGS_IF | RFLAGS_TF | RFLAGS_NT, RULE_FLAGS, "RFLAGS is "),
	BITS(now.rflags, RFLAGS_AC | RFLAGS_ID | 0xd5, RULE_FLAGS, NULL),
};

/* The frame eight bytes lower than the entry puts it: if user code was left, it must end at the top; else it may lie
 * anywhere above RSP. One point. */
static inline void frame_end_is_seen(const struct world *good, judgement *judge, const char *name)
{
	struct damage lower = BITS(now.gpr[GPR_RDI], 8, RULE_HANDLER_STACK, "the frame's end is ");

	if (!cpu_cpl(&good->before))
		lower.says = NULL;
	is_seen(good, judge, &lower, true, name);
}

/* Both ends of a stack: RSP above the slot, the frame whole and above RSP, or at the very top. Seven points. */
static inline void test_stack_borders(const char *who, struct world good, judgement *judge, unsigned stack)
{
	uint64_t base = good.layout.stack[stack].base, low = base + good.layout.stack[stack].slot_bytes;
	uint64_t top = stack_top(&good, stack), *rsp = &good.now.gpr[GPR_RSP], *frame = &good.now.gpr[GPR_RDI];
	bool user = cpu_cpl(&good.before);

	printf("# %s, on the %s stack\n", who, good.layout.stack[stack].name);
	*frame = top - FRAME_SIZE;
	*rsp = low + 8;
	is_good(&good, judge, "RSP just above the slot or base");
	*rsp = low - 8;
	is_breach(&good, judge, RULE_HANDLER_STACK, "RSP is ", "RSP in the slot or below the stack");
	*rsp = top - FRAME_SIZE - 16;
	is_good(&good, judge, "the frame at the very top");
	*frame = top - FRAME_SIZE + 1;
	(user ? is_said : is_breach)(&good, judge, RULE_HANDLER_STACK, user ? "the frame's end is " : "the frame is at ",
				     "a byte of the frame above the top");
	*frame = *rsp;
	(user ? is_said : is_breach)(&good, judge, RULE_HANDLER_STACK, user ? "the frame's end is " : "the frame is at ",
				     "the frame at RSP");
	*frame = *rsp + 1;
	if (user)
		is_breach(&good, judge, RULE_HANDLER_STACK, "the frame's end is ", "the frame just above RSP");
	else
		is_good(&good, judge, "the frame just above RSP");
	*frame = top - FRAME_SIZE;
	*rsp = top + 8;
	is_said(&good, judge, RULE_HANDLER_STACK, "RSP is ", "RSP above the top");
}

#endif
