/* SPDX-License-Identifier: MIT */
/* t-judge-event.c: what the judge says of an event on its way in: gate, C handler, body; injected and ordinary. */
#include "tap/judge_case.h"

static char name[80];

static const char *name_of(const char *stop, const struct world *w)
{
	snprintf(name, sizeof(name), "%s, %s at CPL %u, %s", stop, event_name(w->in.event), cpu_cpl(&w->before),
		 scheme_name(w->judge.scheme));
	return name;
}

static unsigned ist_of(enum event event)
{
	return event == EVENT_NMI ? NMI_STACK : event == EVENT_MCE ? MC_STACK : DB_STACK;
}

static struct world gate_world(enum event event, unsigned cpl)
{
	struct world w = good_world(event, cpl, SCHEME_IST);

	w.now.rip = w.layout.gate[event_vector(event)];
	w.now.cs = ABI_KERNEL_CS;
	w.now.gpr[GPR_RSP] = stack_top(&w, ist_of(event)) - sizeof(w.frame);
	w.now.nmi_masked = event == EVENT_NMI;
	w.frame = frame_of(&w.before);
	return w;
}

static const struct damage at_gate[] = {
	WHOLE(now.rip, RULE_DELIVERY, "RIP at the gate is "),
	BITS(now.cs, 3, RULE_DELIVERY, "CPL at the gate is "),
	BITS(now.nmi_masked, 1, RULE_DELIVERY, "the NMI mask at the gate is "),
	WHOLE(now.gpr[GPR_RSP], RULE_HANDLER_STACK, "RSP at the gate is "),
	WHOLE(frame.rip, RULE_FRAME, "saved RIP is "),
	WHOLE(frame.cs, RULE_FRAME, "saved CS is "),
	WHOLE(frame.rflags, RULE_FRAME, "saved RFLAGS is "),    /* RF included */
	WHOLE(frame.rsp, RULE_FRAME, "saved RSP is "),
	WHOLE(frame.ss, RULE_FRAME, "saved SS is "),
};

static void test_gate(void)
{
	for (enum event event = 0; event < EVENT_NMI_LIKE; event++)
		for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
			struct world w = gate_world(event, cpl);

			is_good(&w, gate, name_of("gate", &w));
			all_are_seen(&w, gate, at_gate, COUNT_OF(at_gate), name);
			gprs_are_seen(&w, gate, offsetof(struct world, now.gpr), RULE_FRAME, GPR_RSP, name);
		}
}

/* Masked stays masked: a machine check inside an NMI handler. */
static void test_gate_while_masked(void)
{
	struct world w = gate_world(EVENT_MCE, 0);

	w.before.nmi_masked = true;
	is_breach(&w, gate, RULE_DELIVERY, "the NMI mask at the gate is 0", "gate, NMIs were masked and are not");
	w.now.nmi_masked = true;
	is_good(&w, gate, "gate, NMIs were masked and are");
}

static void enter_c(struct world *w, unsigned stack)
{
	w->now.cs = ABI_KERNEL_CS;
	w->now.rflags = RFLAGS_FIXED;
	w->now.a = K;
	w->now.i = USER_GS;
	w->now.gpr[GPR_RDI] = stack_top(w, stack) - FRAME_SIZE;
	w->now.gpr[GPR_RSP] = w->now.gpr[GPR_RDI] - 16;
	w->saved = saved_of(&w->before);
}

static struct world handler_world(enum event event, unsigned cpl, enum scheme scheme)
{
	struct world w = good_world(event, cpl, scheme);

	enter_c(&w, cpl ? THREAD : ist_of(event));
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

static void test_handler(void)
{
	for (enum event event = 0; event < EVENT_NMI_LIKE; event++)
		for (unsigned cpl = 0; cpl <= 3; cpl += 3)
			for (enum scheme scheme = 0; scheme < SCHEME_COUNT; scheme++) {
				struct world w = handler_world(event, cpl, scheme);

				is_good(&w, handler, name_of("handler", &w));
				all_are_seen(&w, handler, at_handler, COUNT_OF(at_handler), name);
			}
}

/* What a paranoid entry leaves in I, for each A and I that it can meet. */
static void test_inactive(void)
{
	static const struct {
		enum scheme scheme;
		uint64_t a, i, expected;
		const char *name;
	} rows[] = {
		{ SCHEME_IST, K, USER_GS, USER_GS, "ist, in the kernel: I stays U" },
		{ SCHEME_IST, USER_GS, K, K, "ist, in a window: I stays K, for A alone is written" },
		{ SCHEME_IST, ~0ull, K, K, "ist, a negative U in a window: I stays K" },
		{ SCHEME_IST, K, POISON, POISON, "ist: I is what it was, whatever that is" },
		{ SCHEME_SWAPGS, K, USER_GS, USER_GS, "swapgs, in the kernel: I stays U" },
		{ SCHEME_SWAPGS, USER_GS, K, USER_GS, "swapgs, in a window: I becomes the A that was swapped out" },
	};

	for (unsigned n = 0; n < COUNT_OF(rows); n++) {
		struct world w = handler_world(EVENT_NMI, 0, rows[n].scheme);

		w.before.a = rows[n].a;
		w.before.i = rows[n].i;
		w.now.i = rows[n].expected;
		is_good(&w, handler, rows[n].name);
		is_seen(&w, handler, &at_handler[1], true, rows[n].name);
		w.now.i ^= 1;
		is_expected(&w, handler, K, rows[n].expected, rows[n].name);
	}
}

/* In a window: the gate finds the interrupted A and I, the body K, and in the end both are as they were. */
static void test_expected(void)
{
	struct world w = gate_world(EVENT_DB, 0);

	w.before.a = POISON;
	w.before.i = OTHER_K;
	w.frame.rip ^= 1;
	is_expected(&w, gate, POISON, OTHER_K, "gate");
	is_expected(&w, body, K, OTHER_K, "body");
	is_expected(&w, back, POISON, OTHER_K, "back");
}

/* Both ends of a stack: RSP above the slot, the frame whole and above RSP. */
static void test_stack_borders(const char *who, struct world good, judgement *judge, unsigned stack)
{
	uint64_t base = good.layout.stack[stack].base, low = base + good.layout.stack[stack].slot_bytes;
	uint64_t top = stack_top(&good, stack), *rsp = &good.now.gpr[GPR_RSP], *frame = &good.now.gpr[GPR_RDI];

	printf("# %s, on the %s stack\n", who, good.layout.stack[stack].name);
	*rsp = low + 8;
	is_good(&good, judge, "RSP just above the slot or base");
	*rsp = low - 8;
	is_breach(&good, judge, RULE_HANDLER_STACK, "RSP is ", "RSP in the slot or below the stack");
	*rsp = top - FRAME_SIZE - 16;
	*frame = top - FRAME_SIZE;
	is_good(&good, judge, "the frame at the very top");
	*frame = top - FRAME_SIZE + 1;
	is_breach(&good, judge, RULE_HANDLER_STACK, "the frame is at ", "a byte of the frame above the top");
	*frame = *rsp;
	is_breach(&good, judge, RULE_HANDLER_STACK, "the frame is at ", "the frame at RSP");
	*frame = *rsp + 1;
	is_good(&good, judge, "the frame just above RSP");
	*frame = top - FRAME_SIZE;
	*rsp = top + 8;
	judged(&good, judge);
	ok(says(&good, RULE_HANDLER_STACK, "RSP is "), "RSP above the top: breaks handler-stack");
}

static void test_body(void)
{
	static const struct damage dr7 = WHOLE(now.dr7, RULE_DEBUG, "DR7 in the body is ");
	static const struct damage of_db[] = {
		WHOLE(now.gpr[GPR_RSI], RULE_DEBUG, "DR6 handed over is "),
		WHOLE(now.dr6, RULE_DEBUG, "DR6 in the body is "),
	};
	static const struct damage of_nmi[] = {
		WHOLE(now.gpr[GPR_RSI], RULE_DEBUG, NULL), WHOLE(now.dr6, RULE_DEBUG, NULL),
	};

	for (unsigned cpl = 0; cpl <= 3; cpl += 3)
		for (enum event event = 0; event < EVENT_NMI_LIKE; event++) {
			struct world w = handler_world(event, cpl, SCHEME_IST);

			if (event == EVENT_MCE)         /* its body runs with DR7 armed and is no stop */
				continue;
			w.now.dr7 = ABI_DR7_DISARMED;
			w.now.gpr[GPR_RSI] = w.in.dr6;
			is_good(&w, body, name_of("body", &w));
			is_seen(&w, body, &dr7, true, name);
			all_are_seen(&w, body, event == EVENT_DB ? of_db : of_nmi, 2, name);
		}
}

static void ordinary_gate(struct world *w)
{
	judge_ordinary_gate(&w->judge, &w->before, &w->now, &w->frame, 0);
}

static void ordinary_handler(struct world *w)
{
	judge_ordinary_handler(&w->judge, &w->before, &w->now, &w->saved, w->vector, &w->user);
}

static void test_fault_gate(void)
{
	static const struct damage at[] = {
		WHOLE(frame.rip, RULE_FRAME, "saved RIP is "), WHOLE(frame.cs, RULE_FRAME, "saved CS is "),
		WHOLE(frame.rflags, RULE_FRAME, "saved RFLAGS is "),    /* RF must be set */
		WHOLE(frame.rsp, RULE_FRAME, "saved RSP is "), WHOLE(frame.ss, RULE_FRAME, "saved SS is "),
		BITS(now.cs, 3, RULE_DELIVERY, "CPL at the gate is "),
		WHOLE(now.gpr[GPR_RSP], RULE_HANDLER_STACK, "RSP at the gate is "),
	};
	struct world w = gate_world(EVENT_NMI, 3);

	w.now.gpr[GPR_RSP] = stack_top(&w, THREAD) - 40;
	w.frame.rflags |= RFLAGS_RF;            /* as a fault's is */
	is_good(&w, ordinary_gate, "gate of a fault");
	all_are_seen(&w, ordinary_gate, at, COUNT_OF(at), "gate of a fault");
	gprs_are_seen(&w, ordinary_gate, offsetof(struct world, now.gpr), RULE_FRAME, GPR_RSP, "gate of a fault");
}

static void test_fault_handler(void)
{
	struct world w = handler_world(EVENT_NMI, 3, SCHEME_IST);

	w.vector = 14;
	w.saved.error = 4;
	w.saved.rflags |= RFLAGS_RF;
	is_good(&w, ordinary_handler, "handler of a fault");
	for (unsigned n = 0; n < COUNT_OF(at_handler); n++) {
		struct damage d = at_handler[n];

		if (d.at != offsetof(struct world, saved.error))        /* user-state sees it, in RDX */
			is_seen(&w, ordinary_handler, &d, true, "handler of a fault");
	}
	test_stack_borders("a fault", w, ordinary_handler, THREAD);
}

/* SYSCALL: RIP comes in RCX, RFLAGS in R11, its number in the error code's place; AC is cleared, too. */
static void test_syscall_handler(void)
{
	struct world w = handler_world(EVENT_NMI, 3, SCHEME_IST);

	w.vector = -1;
	w.saved.error = w.before.gpr[GPR_RAX];
	w.saved.rax = -ABI_ENOSYS;
	w.saved.rip = w.saved.rcx = w.before.rip + 2;
	w.saved.r11 = w.before.rflags;
	is_good(&w, ordinary_handler, "handler of SYSCALL");
	for (unsigned n = 0; n < COUNT_OF(at_handler); n++) {
		struct damage d = at_handler[n];

		if (d.at == offsetof(struct world, saved.rax))
			d.says = NULL;
		if (d.at == offsetof(struct world, saved.error))
			d.says = "saved system call number is ";
		if (d.at == offsetof(struct world, now.rflags))
			d.bits ^= RFLAGS_AC;    /* from what may be anything to what may not */
		is_seen(&w, ordinary_handler, &d, true, "handler of SYSCALL");
	}
}

int main(void)
{
	plan(6 * (1 + 9 + 15) + 2 + 12 * (1 + 27) + 6 * 3 + 3 + 3 * 7 + 4 * 4 + (8 + 15) + (1 + 26 + 7) + (1 + 27));
	test_gate();
	test_gate_while_masked();
	test_handler();
	test_inactive();
	test_expected();
	test_stack_borders("nmi", handler_world(EVENT_NMI, 0, SCHEME_IST), handler, NMI_STACK);
	test_stack_borders("db", handler_world(EVENT_DB, 0, SCHEME_SWAPGS), handler, DB_STACK);
	test_stack_borders("mce", handler_world(EVENT_MCE, 3, SCHEME_IST), handler, THREAD);
	test_body();
	test_fault_gate();
	test_fault_handler();
	test_syscall_handler();
	return done();
}
