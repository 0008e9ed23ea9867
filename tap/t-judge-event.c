/* SPDX-License-Identifier: MIT */
/* t-judge-event.c: what the judge says of an event on its way in: gate, C handler, body. */
#include "tap/judge_entry.h"

static char name[80];

static const char *name_of(const char *stop, const struct world *w)
{
	snprintf(name, sizeof(name), "%s, %s at CPL %u, %s", stop, event_name(w->in.event), cpu_cpl(&w->before),
		 scheme_name(w->judge.scheme));
	return name;
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
	for (enum event event = 0; event < EVENT_RETURNING; event++)
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

/* An interrupt at CPL 0 goes on below RSP, aligned to 16. */
static void test_gate_aligned(void)
{
	struct world w = gate_world(EVENT_IRQ, 0);
	uint64_t top = w.before.gpr[GPR_RSP];

	for (unsigned n = 0; n < 16; n += 5) {
		w.before.gpr[GPR_RSP] = w.frame.rsp = top + n;
		is_good(&w, gate, "gate, an interrupt at CPL 0 from any RSP");
	}
	w.before.gpr[GPR_RSP] = w.frame.rsp = top - 1;
	is_breach(&w, gate, RULE_HANDLER_STACK, "RSP at the gate is ", "gate, an interrupt's frame not below RSP");
	w.before.gpr[GPR_RSP] = w.frame.rsp = top + 16;
	is_breach(&w, gate, RULE_HANDLER_STACK, "RSP at the gate is ", "gate, an interrupt's frame further down");
}

static void test_handler(void)
{
	for (enum event event = 0; event < EVENT_RETURNING; event++)
		for (unsigned cpl = 0; cpl <= 3; cpl += 3)
			for (enum scheme scheme = 0; scheme < SCHEME_COUNT; scheme++) {
				struct world w = handler_world(event, cpl, scheme);

				is_good(&w, handler, name_of("handler", &w));
				all_are_seen(&w, handler, at_handler, COUNT_OF(at_handler), name);
				frame_end_is_seen(&w, handler, name);
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
		{ SCHEME_LSL, K, USER_GS, USER_GS, "lsl, in the kernel: I stays U" },
		{ SCHEME_LSL, ~0ull, K, K, "lsl, in a window: I stays K" },
		{ SCHEME_PURE, K, ABI_GS_POISON, ABI_GS_POISON, "pure: I is the poison" },
		{ SCHEME_PURE, USER_GS, K, ABI_GS_POISON, "pure: and if it was not, it is told" },
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

/* All NMI-like events disarm DR7 around their body and leave IF clear; only #DB is handed DR6. */
static void test_body(void)
{
	static const struct damage of_all[] = {
		WHOLE(now.dr7, RULE_DEBUG, "DR7 in the body is "),
		BITS(now.rflags, RFLAGS_DF | RFLAGS_IF | RFLAGS_TF | RFLAGS_NT, RULE_FLAGS, "RFLAGS is "),
		BITS(now.rflags, RFLAGS_AC | RFLAGS_ID | 0xd5, RULE_FLAGS, NULL),
	};
	static const struct damage of_db[] = {
		WHOLE(now.gpr[GPR_RSI], RULE_DEBUG, "DR6 handed over is "),
		WHOLE(now.dr6, RULE_DEBUG, "DR6 in the body is "),
	};
	static const struct damage of_others[] = {
		WHOLE(now.gpr[GPR_RSI], RULE_DEBUG, NULL), WHOLE(now.dr6, RULE_DEBUG, NULL),
	};

	for (unsigned cpl = 0; cpl <= 3; cpl += 3)
		for (enum event event = 0; event < EVENT_RETURNING; event++) {
			struct world w = handler_world(event, cpl, SCHEME_IST);

			if (event_is_interrupt(event))  /* it has none */
				continue;
			w.now.dr7 = ABI_DR7_DISARMED;
			w.now.gpr[GPR_RSI] = w.in.dr6;
			is_good(&w, body, name_of("body", &w));
			all_are_seen(&w, body, of_all, COUNT_OF(of_all), name);
			all_are_seen(&w, body, event_base(event) == EVENT_DB ? of_db : of_others, 2, name);
		}
}

int main(void)
{
	plan(16 * (1 + 9 + 15) + 2 + 6 + 64 * (1 + 27 + 1) + 10 * 3 + 3 + 6 * 7 + 12 * 6);
	test_gate();
	test_gate_while_masked();
	test_gate_aligned();
	test_handler();
	test_inactive();
	test_expected();
	test_stack_borders("nmi", handler_world(EVENT_NMI, 0, SCHEME_IST), handler, NMI_STACK);
	test_stack_borders("db", handler_world(EVENT_DB, 0, SCHEME_SWAPGS), handler, DB_STACK);
	test_stack_borders("mce.resched", handler_world(EVENT_MCE_RESCHED, 0, SCHEME_IST), handler, MC_STACK);
	test_stack_borders("irq", handler_world(EVENT_IRQ, 0, SCHEME_IST), handler, THREAD);
	test_stack_borders("mce, from CPL 3", handler_world(EVENT_MCE, 3, SCHEME_IST), handler, THREAD);
	test_stack_borders("irq, from CPL 3", handler_world(EVENT_IRQ, 3, SCHEME_IST), handler, THREAD);
	test_body();
	return done();
}
