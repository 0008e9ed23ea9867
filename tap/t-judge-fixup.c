/* SPDX-License-Identifier: MIT */
/* t-judge-fixup.c: what the judge says of exceptions that are not plain faults: INT3, INT 0x80, an interrupt, and an IRET that cannot be. */
#include "tap/judge_entry.h"

static void ordinary_gate(struct world *w)
{
	judge_ordinary_gate(&w->judge, &w->before, &w->now, &w->frame, w->error_bytes);
}

static void ordinary_handler(struct world *w)
{
	judge_ordinary_handler(&w->judge, &w->before, &w->now, &w->saved, w->vector, &w->user);
}

static void refused_iret(struct world *w)
{
	judge_refused_iret(&w->judge, &w->before, &w->now, &w->saved, &w->user);
}

static void iret(struct world *w)
{
	judge_iret_to_user(&w->judge, &w->user, &w->now, &w->frame);
}

/* A trap: RIP behind the instruction, RF not set. */
static void test_trap_gate(unsigned vector, unsigned length, const char *name)
{
	static const struct damage at[] = {
		WHOLE(frame.rip, RULE_FRAME, "saved RIP is "), WHOLE(frame.rflags, RULE_FRAME, "saved RFLAGS is "),
		WHOLE(frame.cs, RULE_FRAME, "saved CS is "),
	};
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	w.layout.gate[vector] = w.now.rip = KERNEL_TEXT + 0x9000;
	w.now.cs = ABI_KERNEL_CS;
	w.now.gpr[GPR_RSP] = stack_top(&w, THREAD) - sizeof(w.frame);
	w.frame = frame_of(&w.before);
	w.frame.rip += length;
	is_good(&w, ordinary_gate, name);
	all_are_seen(&w, ordinary_gate, at, COUNT_OF(at), name);
}

static void test_trap_handler(unsigned vector, unsigned length, const char *name)
{
	struct world w = handler_world(EVENT_NMI, 3, SCHEME_IST);

	w.vector = vector;
	w.saved.rip += length;
	is_good(&w, ordinary_handler, name);
	w.saved.rip -= length;
	is_breach(&w, ordinary_handler, RULE_FRAME, "saved RIP is ", name);
	w.saved.rip += length;
	w.saved.rflags |= RFLAGS_RF;
	is_breach(&w, ordinary_handler, RULE_FRAME, "saved RFLAGS is ", name);
}

/* It comes by itself: the instruction there is still to be done. */
static void test_interrupt_handler(void)
{
	struct world w = handler_world(EVENT_NMI, 3, SCHEME_IST);

	w.vector = ABI_VECTOR_TIMER;
	is_good(&w, ordinary_handler, "handler of an interrupt");
	w.saved.rip += 2;
	is_breach(&w, ordinary_handler, RULE_FRAME, "saved RIP is ", "handler of an interrupt that has passed an instruction");
}

/* The frame is that of the user code, RF not set, with the selectors that IRET has refused. */
static void test_refused_handler(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_SWAPGS);

	w.before.ss = ABI_ABSENT_SS;
	enter_c(&w, stack_top(&w, THREAD));
	w.saved.error = ABI_ABSENT_SS & ~3;
	is_good(&w, refused_iret, "handler of a refused IRET");
	for (unsigned n = 0; n < COUNT_OF(at_handler); n++)
		if (at_handler[n].at != offsetof(struct world, saved.error))    /* user-state sees it, in RDX */
			is_seen(&w, refused_iret, &at_handler[n], true, "handler of a refused IRET");
	frame_end_is_seen(&w, refused_iret, "handler of a refused IRET");
	w.now.a = POISON;
	is_expected(&w, refused_iret, K, USER_GS, "handler of a refused IRET");
}

/* Before it is refused: all five words are what the program asked for. */
static struct world asked_world(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	w.now.cs = ABI_KERNEL_CS;
	w.now.ss = ABI_KERNEL_SS;
	w.user.refused = true;
	w.user.bad_iret = (struct model_iret){ ABI_USER_TEXT + 8, ABI_USER_CS, 0x202, ABI_USER_RSP - 64, ABI_ABSENT_SS };
	w.frame = (struct hardware_frame){ ABI_USER_TEXT + 8, ABI_USER_CS, 0x202, ABI_USER_RSP - 64, ABI_ABSENT_SS };
	return w;
}

static void test_refused_return(void)
{
	static const struct damage at[] = {
		WHOLE(now.a, RULE_RETURN, "A before the return is "), WHOLE(now.i, RULE_RETURN, "I before the return is "),
		WHOLE(frame.rip, RULE_RETURN, "RIP asked for is "), WHOLE(frame.rflags, RULE_RETURN, "RFLAGS asked for is "),
		WHOLE(frame.rsp, RULE_RETURN, "RSP asked for is "),
	};
	struct world w = asked_world();

	is_good(&w, iret, "an IRET that will be refused");
	all_are_seen(&w, iret, at, COUNT_OF(at), "an IRET that will be refused");
	w.frame.ss ^= 0x10;
	is_said(&w, iret, RULE_RETURN, "SS about to be loaded is ", "an IRET to what nobody has asked for");
	w = asked_world();
	w.user.refused = false;
	is_said(&w, iret, RULE_RETURN, "SS about to be loaded is ", "an IRET to what was asked for in another visit");
	w = asked_world();
	w.frame = frame_of(&w.before);
	is_good(&w, iret, "the IRET after the refused one");
}

/* Good selectors are in the IRET that is refused for its RIP, and in the one after it. */
static void test_refused_rip(void)
{
	struct world w = asked_world();

	w.user.bad_iret.rip = w.frame.rip = 1ull << 47;
	w.user.bad_iret.ss = w.frame.ss = ABI_USER_SS;
	is_good(&w, iret, "an IRET that will be refused for its RIP");
	w.frame.rflags ^= RFLAGS_AC;
	is_said(&w, iret, RULE_RETURN, "RFLAGS asked for is ", "an IRET that will be refused for its RIP, with other flags");
	w.frame.rip++;
	is_said(&w, iret, RULE_RETURN, "RIP returned to is ", "an IRET to a RIP that nobody has asked for");
	w.frame = frame_of(&w.before);
	is_good(&w, iret, "the IRET after the one refused for its RIP");
}

int main(void)
{
	plan(2 * (1 + 3) + 2 * 3 + 2 + (1 + 26 + 1 + 1) + (1 + 5 + 3) + 4);
	test_trap_gate(ABI_VECTOR_BP, 1, "gate of INT3");
	test_trap_gate(ABI_VECTOR_INT80, 2, "gate of INT 0x80");
	test_trap_handler(ABI_VECTOR_BP, 1, "handler of INT3");
	test_trap_handler(ABI_VECTOR_INT80, 2, "handler of INT 0x80");
	test_interrupt_handler();
	test_refused_handler();
	test_refused_return();
	test_refused_rip();
	return done();
}
