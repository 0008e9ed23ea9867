/* SPDX-License-Identifier: MIT */
/* t-judge-pure.c: scheme pure: I is the poison at every stop, whatever K and U are. */
#include "tap/elf_image.h"
#include "tap/judge_entry.h"

static struct elf *elf;

/* Every bit of I at this stop, of a case whose boundary had the poison. */
static void i_is_seen(struct world w, judgement *judge, enum rule rule, const char *says, const char *name)
{
	struct damage d = { "now.i", offsetof(struct world, now.i), 8, ~0ull, rule, says };

	is_good(&w, judge, name);
	is_seen(&w, judge, &d, false, name);
	w.now.i = K;
	is_said(&w, judge, rule, says, name);
	w.now.i = USER_GS;
	is_said(&w, judge, rule, says, name);
}

static void iret(struct world *w)
{
	judge_iret_to_user(&w->judge, &w->user, &w->now, &w->frame);
}

static void sysret(struct world *w)
{
	judge_sysret(&w->judge, &w->user, &w->now, &w->frame);
}

static void user(struct world *w)
{
	judge_user_boundary(&w->judge, &w->user, &w->now, true);
}

static void kernel(struct world *w)
{
	judge_inactive(&w->judge, &w->now);
}

static void ordinary(struct world *w)
{
	judge_ordinary_handler(&w->judge, &w->before, &w->now, &w->saved, 3, &w->user);
}

static struct world at_gate(unsigned cpl)
{
	struct world w = gate_world(EVENT_MCE, cpl);

	w.judge.scheme = SCHEME_PURE;
	w.before.i = w.now.i = ABI_GS_POISON;
	return w;
}

static struct world at_body(unsigned cpl)
{
	struct world w = handler_world(EVENT_MCE, cpl, SCHEME_PURE);

	w.now.dr7 = ABI_DR7_DISARMED;
	return w;
}

static struct world at_return(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_PURE);

	w.now.cs = ABI_KERNEL_CS;
	w.now.rip = KERNEL_TEXT;
	w.frame = frame_of(&w.before);
	w.now.gpr[GPR_RCX] = w.frame.rip;
	w.now.gpr[GPR_R11] = w.frame.rflags;
	return w;
}

/* #BP of the program: saved as it was, but for RIP behind it. */
static struct world at_ordinary(void)
{
	struct world w = handler_world(EVENT_MCE, 3, SCHEME_PURE);

	w.saved.rip++;
	return w;
}

static void test_others_do_not_look(void)
{
	for (enum scheme scheme = 0; scheme < SCHEME_PURE; scheme++) {
		struct world w = good_world(EVENT_NMI, 0, scheme);

		w.now.i = 0x1234;
		is_good(&w, kernel, scheme_name(scheme));
	}
}

#define PLACE (K + 0x40)                /* where the thread keeps U */

static struct world pure_world(unsigned cpl)
{
	struct world w = good_world(EVENT_NMI, cpl, SCHEME_PURE);

	w.layout.elf = elf;
	w.layout.exempt[0] = (struct exempt){ PLACE, 8, ABI_KEEPS_U, "U", 0 };
	w.layout.exempts = 1;
	return w;
}

/* Judges eight bytes at addr that have become `value`. */
static bool breaks_by(struct world *w, uint64_t addr, uint64_t value)
{
	uint8_t was[PAGE_SIZE] = { 0 }, now[PAGE_SIZE] = { 0 };

	memcpy(now + addr % PAGE_SIZE, &value, sizeof(value));
	world_link(w);
	judge_begin(&w->judge);
	judge_page(&w->judge, &w->before, (addr & -(uint64_t)PAGE_SIZE) - ABI_KERNEL_VIRT, now, was);
	return w->judge.breach.broken;
}

/* Where U is kept: U alone, whole, and only while user code runs. */
static void test_keeps_u(void)
{
	struct world w = pure_world(3), kernel = pure_world(0);

	ok(!breaks_by(&w, PLACE, USER_GS), "from user code it may become U");
	ok(breaks_by(&w, PLACE, USER_GS ^ 1), "but nothing else");
	ok(breaks_by(&w, PLACE, USER_GS ^ 1ull << 63), "in no bit");
	ok(breaks_by(&w, PLACE + 8, USER_GS), "nor may its neighbour");
	ok(breaks_by(&kernel, PLACE, USER_GS), "from the kernel it may not change");
	kernel.before.a = USER_GS;
	ok(breaks_by(&kernel, PLACE, USER_GS), "nor in a window");
	w.layout.exempt[0].vector = 0;
	ok(!breaks_by(&w, PLACE, 1), "a counter may become anything");
}

int main(void)
{
	elf = open_image();
	if (!elf)
		return 1;
	plan(10 * 4 + 3 + 7);
	i_is_seen(at_gate(0), gate, RULE_HANDLER_GS, "I is ", "gate, from the kernel");
	i_is_seen(at_gate(3), gate, RULE_HANDLER_GS, "I is ", "gate, from user code");
	i_is_seen(handler_world(EVENT_MCE, 0, SCHEME_PURE), handler, RULE_HANDLER_GS, "I is ", "handler, from the kernel");
	i_is_seen(handler_world(EVENT_IRQ, 3, SCHEME_PURE), handler, RULE_HANDLER_GS, "I is ", "handler, from user code");
	i_is_seen(at_body(0), body, RULE_HANDLER_GS, "I is ", "body");
	i_is_seen(at_ordinary(), ordinary, RULE_HANDLER_GS, "I is ", "the handler of an ordinary exception");
	i_is_seen(at_return(), iret, RULE_RETURN, "I before the return is ", "IRET");
	i_is_seen(at_return(), sysret, RULE_RETURN, "I before the return is ", "SYSRET");
	i_is_seen(good_world(EVENT_NMI, 3, SCHEME_PURE), user, RULE_USER_STATE, "I is ", "user code");
	i_is_seen(good_world(EVENT_NMI, 0, SCHEME_PURE), kernel, RULE_HANDLER_GS, "I is ", "the kernel");
	test_others_do_not_look();
	test_keeps_u();
	elf_close(elf);
	return done();
}
