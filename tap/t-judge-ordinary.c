/* SPDX-License-Identifier: MIT */
/* t-judge-ordinary.c: what the judge says of ordinary entries in the golden run: gate and C handler of a fault, SYSCALL. */
#include "tap/judge_entry.h"

static void ordinary_gate(struct world *w)
{
	judge_ordinary_gate(&w->judge, &w->before, &w->now, &w->frame, w->error_bytes);
}

static void ordinary_handler(struct world *w)
{
	judge_ordinary_handler(&w->judge, &w->before, &w->now, &w->saved, w->vector, &w->user);
}

/* A fault's gate has no IST; RF is set in what it saves. */
static struct world fault_world(unsigned cpl, unsigned error_bytes)
{
	struct world w = good_world(EVENT_NMI, cpl, SCHEME_IST);
	uint64_t top = cpl ? stack_top(&w, THREAD) : w.before.gpr[GPR_RSP] & ~15ull;

	w.error_bytes = error_bytes;
	w.now.rip = w.layout.gate[14];
	w.now.cs = ABI_KERNEL_CS;
	w.now.gpr[GPR_RSP] = top - sizeof(w.frame) - error_bytes;
	w.frame = frame_of(&w.before);
	w.frame.rflags |= RFLAGS_RF;
	return w;
}

static void test_fault_gate(unsigned cpl, unsigned error_bytes)
{
	static const struct damage at[] = {
		WHOLE(frame.rip, RULE_FRAME, "saved RIP is "), WHOLE(frame.cs, RULE_FRAME, "saved CS is "),
		WHOLE(frame.rflags, RULE_FRAME, "saved RFLAGS is "),    /* RF must be set */
		WHOLE(frame.rsp, RULE_FRAME, "saved RSP is "), WHOLE(frame.ss, RULE_FRAME, "saved SS is "),
		BITS(now.cs, 3, RULE_DELIVERY, "CPL at the gate is "),
		WHOLE(now.gpr[GPR_RSP], RULE_HANDLER_STACK, "RSP at the gate is "),
		BITS(error_bytes, 8, RULE_HANDLER_STACK, "RSP at the gate is "),
	};
	struct world w = fault_world(cpl, error_bytes);
	char name[64];

	snprintf(name, sizeof(name), "gate of a fault at CPL %u, %u bytes of error code", cpl, error_bytes);
	is_good(&w, ordinary_gate, name);
	all_are_seen(&w, ordinary_gate, at, COUNT_OF(at), name);
	gprs_are_seen(&w, ordinary_gate, offsetof(struct world, now.gpr), RULE_FRAME, GPR_RSP, name);
	w.frame.rip ^= 1;
	is_expected(&w, ordinary_gate, w.before.a, w.before.i, name);
}

/* At CPL 0 delivery aligns RSP to 16; from CPL 3 it does not look at it. */
static void test_fault_aligned(void)
{
	struct world w = fault_world(0, 8);
	uint64_t top = w.before.gpr[GPR_RSP];

	for (unsigned n = 0; n < 16; n += 5) {
		w.before.gpr[GPR_RSP] = w.frame.rsp = top + n;
		is_good(&w, ordinary_gate, "gate of a fault at CPL 0 from any RSP");
	}
	w.before.gpr[GPR_RSP] = w.frame.rsp = top + 16;
	is_breach(&w, ordinary_gate, RULE_HANDLER_STACK, "RSP at the gate is ", "gate of a fault, too far down");
	w = fault_world(3, 8);
	w.before.gpr[GPR_RSP] = w.frame.rsp = 0x123;
	is_good(&w, ordinary_gate, "gate of a fault at CPL 3, whatever the user's RSP is");
}

/* RF saved by a boundary that had it already. */
static void test_resume_flag(void)
{
	struct world w = fault_world(3, 0);

	w.before.rflags |= RFLAGS_RF;
	is_good(&w, ordinary_gate, "gate of a fault, RF was set and is saved");
	w.frame.rflags ^= RFLAGS_RF;
	is_breach(&w, ordinary_gate, RULE_FRAME, "saved RFLAGS is ", "gate of a fault, RF was set and is not saved");
}

static void test_fault_handler(unsigned cpl)
{
	struct world w = good_world(EVENT_NMI, cpl, SCHEME_IST);
	const char *name = cpl ? "handler of a fault at CPL 3" : "handler of a fault at CPL 0";

	enter_c(&w, cpl ? stack_top(&w, THREAD) : w.before.gpr[GPR_RSP]);
	w.vector = 14;
	w.saved.error = 4;
	w.saved.rflags |= RFLAGS_RF;
	is_good(&w, ordinary_handler, name);
	for (unsigned n = 0; n < COUNT_OF(at_handler); n++) {
		struct damage d = at_handler[n];

		if (d.at != offsetof(struct world, saved.error))        /* user-state sees it, in RDX */
			is_seen(&w, ordinary_handler, &d, true, name);
	}
	frame_end_is_seen(&w, ordinary_handler, name);
	test_stack_borders(name, w, ordinary_handler, THREAD);
	w.now.a = POISON;
	is_expected(&w, ordinary_handler, K, USER_GS, name);
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
	frame_end_is_seen(&w, ordinary_handler, "handler of SYSCALL");
	test_stack_borders("SYSCALL", w, ordinary_handler, THREAD);
}

int main(void)
{
	plan(4 * (1 + 8 + 15 + 1) + 6 + 2 + 2 * (1 + 26 + 1 + 7 + 1) + (1 + 27 + 1 + 7));
	for (unsigned cpl = 0; cpl <= 3; cpl += 3)
		for (unsigned error_bytes = 0; error_bytes <= 8; error_bytes += 8)
			test_fault_gate(cpl, error_bytes);
	test_fault_aligned();
	test_resume_flag();
	test_fault_handler(0);
	test_fault_handler(3);
	test_syscall_handler();
	return done();
}
