/* SPDX-License-Identifier: MIT */
/* t-judge-exit.c: the decision how to go back to user code, its counters, and context tracking. */
#include "tap/judge_case.h"

#define RIP   (ABI_USER_TEXT + 0x10)
#define FLAGS (RFLAGS_FIXED | RFLAGS_IF)

static struct hardware_frame good(void)
{
	return (struct hardware_frame){ RIP, ABI_USER_CS, FLAGS, ABI_USER_RSP, ABI_USER_SS };
}

static void decides(struct hardware_frame f, uint64_t rcx, uint64_t r11, unsigned decision, const char *name)
{
	is_u64(judge_exit_decision(&f, rcx, r11), decision, "%s", name);
}

static void test_decision(void)
{
	struct hardware_frame f = good();

	decides(f, RIP, FLAGS, ABI_EXIT_SYSRET, "nothing speaks against SYSRET");
	decides(f, RIP + 1, FLAGS, ABI_EXIT_RCX, "RCX is not RIP");
	decides(f, RIP, FLAGS | RFLAGS_DF, ABI_EXIT_R11, "R11 is not RFLAGS");
	f.cs = ABI_ABSENT_CS;
	decides(f, RIP, FLAGS, ABI_EXIT_CS, "CS");
	f = good();
	f.ss = ABI_ABSENT_SS;
	decides(f, RIP, FLAGS, ABI_EXIT_SS, "SS");
	f = good();
	f.rsp = 1ull << 47;
	decides(f, RIP, FLAGS, ABI_EXIT_SYSRET, "RSP may be anything");
	f.rip = ABI_TASK_SIZE_MAX;
	decides(f, f.rip, FLAGS, ABI_EXIT_RIP, "RIP at the end of user space");
	f.rip--;
	decides(f, f.rip, FLAGS, ABI_EXIT_SYSRET, "RIP at its last byte");
	f.rflags |= RFLAGS_TF;
	decides(f, f.rip, f.rflags, ABI_EXIT_TF, "TF");
	f.rflags |= RFLAGS_RF;
	decides(f, f.rip, f.rflags, ABI_EXIT_RF, "RF and TF: the first");
	f.rip++;
	decides(f, f.rip, f.rflags, ABI_EXIT_RIP, "RIP before both");
	f.ss = 0;
	decides(f, f.rip, f.rflags, ABI_EXIT_SS, "SS before that");
	f.cs = 0;
	decides(f, f.rip, f.rflags, ABI_EXIT_CS, "CS before SS");
	decides(f, f.rip, FLAGS, ABI_EXIT_R11, "R11 before CS");
	decides(f, RIP, FLAGS, ABI_EXIT_RCX, "RCX before all");
}

static void by_sysret(struct world *w)
{
	judge_exit_by(&w->judge, w->counter, true);
}

static void by_iret(struct world *w)
{
	judge_exit_by(&w->judge, w->counter, false);
}

static void test_instruction(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	strcpy(w.layout.exit[ABI_EXIT_TF].name, "TF is set");
	w.counter = ABI_EXIT_SYSRET;
	is_good(&w, by_sysret, "SYSRET where it may be");
	is_breach(&w, by_iret, RULE_RETURN, "goes back by IRET, must by SYSRET", "IRET where SYSRET may be");
	w.counter = ABI_EXIT_TF;
	is_good(&w, by_iret, "IRET where TF is set");
	is_breach(&w, by_sysret, RULE_RETURN, "goes back by SYSRET, must by IRET: TF is set", "SYSRET where TF is set");
}

static unsigned wrong;                  /* counter that is one off; ABI_EXITS: none */

static void counts(struct world *w)
{
	uint64_t now[ABI_EXITS], expected[ABI_EXITS];

	for (unsigned n = 0; n < ABI_EXITS; n++) {
		expected[n] = 10 + n;
		now[n] = expected[n] + (n == wrong);
	}
	judge_exit_counts(&w->judge, now, expected);
}

static void test_counts(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	wrong = ABI_EXITS;
	is_good(&w, counts, "counters as they must be");
	for (wrong = 0; wrong < ABI_EXITS; wrong++)
		is_breach(&w, counts, RULE_RETURN, "the counter of exits", "one of them that is one off");
}

static struct context seen, must;

static void context(struct world *w)
{
	judge_context(&w->judge, seen, must);
}

static void test_context(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	seen = must = (struct context){ ABI_CONTEXT_USER, 1 };
	is_good(&w, context, "the context as it must be");
	seen.state = ABI_CONTEXT_KERNEL;
	is_breach(&w, context, RULE_CONTEXT, "the context is kernel, must be user", "kernel instead of user");
	seen.state = 77;
	is_breach(&w, context, RULE_CONTEXT, "the context is neither user nor kernel", "no state at all");
	seen = (struct context){ ABI_CONTEXT_USER, 0 };
	is_breach(&w, context, RULE_CONTEXT, "0 NMI-like handlers are counted, must be 1", "one too few");
	seen.nmi_like = -1ull;
	is_breach(&w, context, RULE_CONTEXT, "-1 NMI-like handlers", "fewer than none");
}

int main(void)
{
	plan(15 + 4 + 1 + ABI_EXITS + 5);
	test_decision();
	test_instruction();
	test_counts();
	test_context();
	return done();
}
