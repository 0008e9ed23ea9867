/* SPDX-License-Identifier: MIT */
/* t-death.c: the closed table of deaths: each row and each near miss of it, and what its outcome must be. */
#include "tap/judge_entry.h"
#include "vmm/death.h"

#define MCIP 4ull
#define DF   8

/* What the next judgement is asked. */
static enum death row;
static bool writable, shutdown;

/* The world's count is the error code, the lowest word if there is one. */
static void outcome(struct world *w)
{
	struct death_end end = { .shutdown = shutdown, .stopped = !shutdown, .now = w->now, .what = "a stop" };
	bool error = row == DEATH_NO_IST;

	end.word[0] = w->count;
	memcpy(end.word + error, &w->frame, sizeof(w->frame));
	death_judge(&w->judge, &w->in, row, writable, &end);
}

static void is_row(const struct world *w, enum death want, const char *name)
{
	enum death got = death_predict(&w->layout, &w->before, w->in.event);

	is_str(death_name(got), death_name(want), "%s by %s: %s", name, event_name(w->in.event), death_name(want));
}

static void test_mcip(void)
{
	for (enum event event = 0; event < EVENT_COUNT; event++)
		for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
			struct world w = good_world(event, cpl, SCHEME_IST);

			w.before.mcg_status = ~MCIP;
			is_row(&w, DEATH_NONE, "MCIP clear");
			w.before.mcg_status = MCIP;
			is_row(&w, event_base(event) == EVENT_MCE ? DEATH_MCIP : DEATH_NONE, "MCIP set");
		}
}

/* Each event on each IST stack: only its own is the row, and an NMI's is not. */
static void test_same_ist(void)
{
	for (enum event event = 0; event < EVENT_RETURNING; event++)
		for (unsigned stack = NMI_STACK; stack < STACK_COUNT; stack++) {
			struct world w = good_world(event, 0, SCHEME_IST);
			bool own = stack == own_stack(event) && stack != NMI_STACK;

			w.before.mcg_status = 0;
			w.before.gpr[GPR_RSP] = stack_top(&w, stack) - 40;
			is_row(&w, own ? DEATH_SAME_IST : DEATH_NONE, w.layout.stack[stack].name);
		}
}

static struct world on_own(enum event event)
{
	struct world w = good_world(event, 0, SCHEME_IST);

	w.before.mcg_status = 0;
	w.before.gpr[GPR_RSP] = stack_top(&w, own_stack(event)) - 40;
	return w;
}

static void test_same_ist_misses(void)
{
	struct world w = on_own(EVENT_DB);

	w.before.dr7 = ABI_DR7_DISARMED;
	is_row(&w, DEATH_NONE, "DR7 disarmed");
	w = on_own(EVENT_MCE);
	w.before.dr7 = ABI_DR7_DISARMED;
	is_row(&w, DEATH_SAME_IST, "DR7 disarmed");
	w.before.mcg_status = MCIP;
	is_row(&w, DEATH_MCIP, "MCIP set, too");
	w = on_own(EVENT_MCE);
	w.before.cs = ABI_USER_CS;
	is_row(&w, DEATH_NONE, "CPL 3, whatever RSP says");
	w = on_own(EVENT_MCE);
	w.before.gpr[GPR_RSP] = stack_top(&w, MC_STACK) - 8;
	is_row(&w, DEATH_SAME_IST, "one word on the stack");
	w.before.gpr[GPR_RSP] = stack_top(&w, MC_STACK);
	is_row(&w, DEATH_NONE, "the stack is empty");
	w.before.gpr[GPR_RSP] = w.layout.stack[MC_STACK].base + 1;
	is_row(&w, DEATH_SAME_IST, "the stack is full");
	w.before.gpr[GPR_RSP] = w.layout.stack[MC_STACK].base;
	is_row(&w, DEATH_NONE, "RSP below the stack");
}

static void test_no_ist(void)
{
	for (enum event event = 0; event < EVENT_COUNT; event++) {
		struct world w = good_world(event, 0, SCHEME_IST);

		w.before.mcg_status = 0;
		is_row(&w, DEATH_NONE, "A is K, RSP on the thread stack");
		w.before.a = USER_GS;
		is_row(&w, event_is_fatal(event) ? DEATH_NO_IST : DEATH_NONE, "A is U");
	}
}

static struct world in_window(enum event event)
{
	struct world w = good_world(event, 0, SCHEME_IST);

	w.before.a = USER_GS;
	w.before.i = K;
	w.now = w.before;
	w.layout.gate[DF] = KERNEL_TEXT + 0x3000;
	w.layout.fixup[0] = (struct abi_fixup){ w.before.rip + 1, ABI_FIXUP_IRET };
	w.layout.fixup[1] = (struct abi_fixup){ w.before.rip - 1, ABI_FIXUP_RESUME };
	w.layout.fixups = 2;
	return w;
}

static void test_no_ist_misses(void)
{
	struct world w = in_window(EVENT_GP);

	is_row(&w, DEATH_NO_IST, "a fixup before and after");
	for (unsigned n = 0; n < 2; n++) {
		w = in_window(EVENT_GP);
		w.layout.fixup[n].fault = w.before.rip;
		is_row(&w, DEATH_NONE, n ? "a fixup that resumes" : "the fixup of IRET");
	}
	w = in_window(EVENT_GP);
	w.before.cs = ABI_USER_CS;
	is_row(&w, DEATH_NONE, "CPL 3, A is U");
	w = in_window(EVENT_GP);
	w.before.a = OTHER_K;
	is_row(&w, DEATH_NO_IST, "A is another CPU's K");
	for (unsigned stack = THREAD; stack < STACK_COUNT; stack++) {
		w = in_window(EVENT_GP);
		w.before.a = K;
		w.before.gpr[GPR_RSP] = stack_top(&w, stack);
		is_row(&w, DEATH_NONE, w.layout.stack[stack].name);
	}
	w.before.gpr[GPR_RSP] = ABI_USER_RSP;
	is_row(&w, DEATH_NO_IST, "A is K, RSP the user's");
	w.before.gpr[GPR_RSP] = w.layout.stack[THREAD].base;
	is_row(&w, DEATH_NO_IST, "A is K, RSP just below the thread stack");
}

static void test_shutdown(void)
{
	struct world w = good_world(EVENT_MCE, 0, SCHEME_IST);

	row = DEATH_MCIP;
	shutdown = true;
	is_good(&w, outcome, "mcip, shutdown");
	shutdown = false;
	w.now.rip = w.layout.gate[18];
	is_breach(&w, outcome, RULE_PROGRESS, "the machine must shut down: a stop", "mcip, at the gate instead");
}

/* Judged as at any gate; that it is not reached at all is another matter. */
static void test_overwritten(enum event event)
{
	struct world w = gate_world(event, 0);

	row = DEATH_SAME_IST;
	is_good(&w, outcome, "same-ist, the frame at the top");
	w.frame.rip ^= 8;
	is_breach(&w, outcome, RULE_FRAME, "saved RIP is ", "same-ist, another frame there");
	w = gate_world(event, 0);
	w.now.gpr[GPR_RSP] -= 40;
	is_breach(&w, outcome, RULE_HANDLER_STACK, "RSP at the gate is ", "same-ist, below the handler's frame");
	w = gate_world(event, 0);
	w.now.rip++;
	is_breach(&w, outcome, RULE_PROGRESS, "the gate of ", "same-ist, behind the gate");
	w = gate_world(event, 0);
	shutdown = true;
	is_breach(&w, outcome, RULE_PROGRESS, "the gate of ", "same-ist, shutdown");
	shutdown = false;
}

static struct world pushed(enum event event, bool can_push)
{
	struct world w = in_window(event);

	row = DEATH_NO_IST;
	writable = can_push;
	w.before.gpr[GPR_RSP] += 8;
	w.now.rip = w.layout.gate[can_push ? event_vector(event) : DF];
	w.now.gpr[GPR_RSP] = (can_push ? w.before.gpr[GPR_RSP] - 8 : stack_top(&w, DF_STACK)) - 48;
	w.frame = frame_of(&w.before);
	w.frame.rflags |= RFLAGS_RF;
	return w;
}

static const struct damage at_death[] = {
	WHOLE(now.a, RULE_PROGRESS, "A at the gate is "),
	WHOLE(now.i, RULE_PROGRESS, "I at the gate is "),
	BITS(now.cs, 3, RULE_PROGRESS, "CPL at the gate is "),
	WHOLE(now.rip, RULE_PROGRESS, "the gate of "),
	WHOLE(now.gpr[GPR_RSP], RULE_PROGRESS, "RSP at the gate is "),
	WHOLE(count, RULE_PROGRESS, "pushed error code is "),
	WHOLE(frame.rip, RULE_PROGRESS, "pushed RIP is "),
	WHOLE(frame.cs, RULE_PROGRESS, "pushed CS is "),
	BITS(frame.rflags, ~RFLAGS_RF, RULE_PROGRESS, "pushed RFLAGS is "),
	WHOLE(frame.rsp, RULE_PROGRESS, "pushed RSP is "),
	WHOLE(frame.ss, RULE_PROGRESS, "pushed SS is "),
};

static void test_pushed(enum event event, bool can_push)
{
	const char *name = can_push ? "no-ist" : "no-ist, by #DF";
	struct world w = pushed(event, can_push);

	is_good(&w, outcome, name);
	all_are_seen(&w, outcome, at_death, COUNT_OF(at_death), name);
	w.frame.rflags ^= RFLAGS_RF;
	if (can_push)
		is_breach(&w, outcome, RULE_PROGRESS, "pushed RFLAGS is ", "no-ist, RF not saved");
	else
		is_good(&w, outcome, "no-ist, by #DF, RF not saved");
	w = pushed(event, can_push);
	writable = !can_push;
	is_breach(&w, outcome, RULE_PROGRESS, "the gate of ", "no-ist, the other gate");
	writable = can_push;
	shutdown = true;
	is_breach(&w, outcome, RULE_PROGRESS, "the gate of ", "no-ist, shutdown");
	shutdown = false;
}

static void test_names(void)
{
	enum death found = DEATH_NONE;

	for (enum death n = DEATH_MCIP; n < DEATH_COUNT; n++)
		ok(death_find(death_name(n), &found) && found == n, "%s is found", death_name(n));
	ok(!death_find("none", &found) && !death_find("", &found) && !death_find("mci", &found), "and no other word");
}

int main(void)
{
	plan(EVENT_COUNT * 4 + EVENT_RETURNING * 4 + 8 + EVENT_COUNT * 2 + 7 + STACK_COUNT + 2 + 2 * 5 + 4 * 15 + 4);
	test_mcip();
	test_same_ist();
	test_same_ist_misses();
	test_no_ist();
	test_no_ist_misses();
	test_shutdown();
	test_overwritten(EVENT_MCE);
	test_overwritten(EVENT_DB_RESCHED);
	for (enum event event = EVENT_RETURNING; event < EVENT_COUNT; event++) {
		test_pushed(event, true);
		test_pushed(event, false);
	}
	test_names();
	return done();
}
