/* SPDX-License-Identifier: MIT */
/* t-judge-case.c: what the judge says of a case as a whole: who speaks first, counters, work, which stacks it may use. */
#include "tap/judge_case.h"

static struct judge fresh(struct cpu_state *now)
{
	struct judge j = { .scheme = SCHEME_IST };

	judge_begin(&j);
	judge_at(&j, "gate", now);
	return j;
}

static void test_first(void)
{
	struct cpu_state now = { .rip = 0x1000, .a = 1, .i = 2 };
	struct judge j = fresh(&now);

	judge_check(&j, RULE_MASKING, false, "%s", "masking");
	judge_equal(&j, RULE_FRAME, "frame", 1ull << 63, 0);
	judge_check(&j, RULE_FLAGS, false, "flags");
	judge_equal(&j, RULE_FRAME, "another frame", 1, 0);
	ok(j.breach.rule == RULE_FRAME, "at one stop the first rule of the table speaks, whatever is checked first");
	is_str(j.breach.detail, "frame is 0x8000000000000000, must be 0", "and of one rule the first check");
	ok(j.breach.rip == 0x1000 && j.breach.a == 1 && j.breach.i == 2 && !strcmp(j.breach.at, "gate"),
	   "and it says where it was seen, with which bases");
	now.rip = 0x2000;
	judge_at(&j, "handler", &now);
	judge_check(&j, RULE_DELIVERY, false, "delivery");
	ok(j.breach.rule == RULE_FRAME && j.breach.rip == 0x1000, "an earlier stop wins over an earlier rule");
	ok(j.count[RULE_FRAME].broken == 2 && j.count[RULE_FRAME].checked == 2 &&
	   j.count[RULE_DELIVERY].broken == 1, "and each is counted");
	judge_begin(&j);
	ok(!j.breach.broken && j.count[RULE_FRAME].broken == 2, "the next case starts clean, and the counts go on");
	judge_at(&j, "back", &now);
	ok(judge_equal(&j, RULE_FRAME, "x", ~0ull, ~0ull) && !judge_equal(&j, RULE_CONTEXT, "x", 1ull << 32, 0),
	   "a check answers whether it is good, at full width");
	ok(j.breach.rule == RULE_CONTEXT && j.count[RULE_FRAME].checked == 3, "and a good one is counted, too");
}

static void test_muted(void)
{
	struct cpu_state now = { .rip = 0x1000 };
	struct judge j = fresh(&now);

	j.muted = 1u << RULE_DELIVERY | 1u << RULE_FRAME;
	ok(!judge_check(&j, RULE_DELIVERY, false, "delivery"), "a muted check still answers no");
	ok(!j.breach.broken && j.count[RULE_DELIVERY].broken == 1, "it is counted and not reported");
	judge_check(&j, RULE_PROGRESS, false, "progress");
	ok(j.breach.rule == RULE_PROGRESS, "another rule is reported, though it comes last");
	judge_check(&j, RULE_FRAME, false, "frame");
	ok(j.breach.rule == RULE_PROGRESS, "and no muted one takes its place");
}

static void counter(struct world *w)
{
	judge_counter(&w->judge, &w->in, w->counter, w->count, w->count_was);
}

static const unsigned counted[] = { 2, 18, 1, ABI_VECTOR_IRQ, ABI_VECTOR_RESCHED };

static struct world counter_world(enum event event, unsigned n)
{
	struct world w = good_world(event, 0, SCHEME_IST);

	for (unsigned k = 0; k < COUNT_OF(counted); k++)
		w.layout.exempt[k] = (struct exempt){ K + 8 * k, 8, counted[k], "its events", 0 };
	w.layout.exempts = COUNT_OF(counted);
	w.counter = n;
	w.count_was = 0x1234567812345678;
	w.count = w.count_was + (counted[n] == event_vector(event));
	return w;
}

/* One up for the event's own vector, whatever its flavour, and none for the others. */
static void test_counters(void)
{
	static const struct damage at[] = {
		WHOLE(count, RULE_MASKING, "\"its events\" went up by "),
		WHOLE(count_was, RULE_MASKING, "\"its events\" went up by "),
	};

	for (enum event event = 0; event < EVENT_RETURNING; event++)
		for (unsigned n = 0; n < COUNT_OF(counted); n++) {
			struct world w = counter_world(event, n);
			char name[64];

			snprintf(name, sizeof(name), "%s, the counter of vector %u", event_name(event), counted[n]);
			is_good(&w, counter, name);
			all_are_seen(&w, counter, at, COUNT_OF(at), name);
			w.count = w.count_was + (w.count == w.count_was);
			is_breach(&w, counter, RULE_MASKING, "\"its events\" went up by ", name);
		}
}

static void count_says(struct world w, uint64_t by, const char *text)
{
	w.count = w.count_was + by;
	judged(&w, counter);
	is_str(w.judge.breach.detail, text, "%s", text);
}

static void test_counter_text(void)
{
	struct world w = counter_world(EVENT_DB, 2);

	count_says(w, 2, "\"its events\" went up by 2, must by 1");
	count_says(w, 0, "\"its events\" went up by 0, must by 1");
	count_says(counter_world(EVENT_DB, 0), -1ull, "\"its events\" went up by -1, must by 0");
	w.count_was = ~0ull;
	w.count = 0;
	is_good(&w, counter, "a counter that wraps");
}

static void work(struct world *w)
{
	judge_work(&w->judge, w->work, 0);
}

static void work_asked(struct world *w)
{
	judge_work(&w->judge, w->work, ABI_WORK_RESCHED);
}

static void test_work(void)
{
	static const struct damage flags = WHOLE(work, RULE_EXIT_WORK, "the thread's work flags is ");
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	is_good(&w, work, "no work left");
	is_seen(&w, work, &flags, true, "work left");
	is_breach(&w, work_asked, RULE_EXIT_WORK, "the thread's work flags is 0, must be 0x1", "what was asked for is forgotten");
	w.work = ABI_WORK_RESCHED;
	is_good(&w, work_asked, "what was asked for waits");
}

static void after_work(struct world *w)
{
	judge_after_work(&w->judge, &w->user, &w->now);
}

/* Like any arrival at CPL 3, and nothing of the event is left. */
static void test_after_work(void)
{
	static const struct damage at[] = {
		WHOLE(now.a, RULE_USER_STATE, "A is "), WHOLE(now.i, RULE_USER_STATE, "I is "),
		WHOLE(now.fs_base, RULE_USER_STATE, "FS base is "), WHOLE(now.rip, RULE_USER_STATE, "RIP is "),
		WHOLE(now.rflags, RULE_USER_STATE, "RFLAGS is "),
		WHOLE(now.cs, RULE_USER_STATE, "CS is "), WHOLE(now.ss, RULE_USER_STATE, "SS is "),
		BITS(now.nmi_masked, 1, RULE_MASKING, "the NMI mask at CPL 3 is "),
		WHOLE(now.dr6, RULE_DEBUG, "DR6 is "), WHOLE(now.dr7, RULE_DEBUG, "DR7 is "),
		BITS(now.nmi_pending, 1, RULE_TRANSPARENT, "pending NMI is "),
		BITS(now.event_pending, 1, RULE_TRANSPARENT, "pending event is "),
		WHOLE(now.mcg_status, RULE_TRANSPARENT, "MCG_STATUS is "),
	};
	struct world w = good_world(EVENT_MCE_RESCHED, 3, SCHEME_IST);

	w.now.mcg_status = 0;
	is_good(&w, after_work, "after the work");
	all_are_seen(&w, after_work, at, COUNT_OF(at), "after the work");
	gprs_are_seen(&w, after_work, offsetof(struct world, now.gpr), RULE_USER_STATE, GPR_COUNT, "after the work");
}

/* The event's own IST stack; the thread stack if it comes from CPL 3, is an interrupt or asks for one. */
static unsigned may_use(enum event event, unsigned cpl)
{
	static const unsigned own[] = { [EVENT_NMI] = 1 << NMI_STACK, [EVENT_MCE] = 1 << MC_STACK,
					[EVENT_DB] = 1 << DB_STACK, [EVENT_IRQ] = 1 << THREAD, [EVENT_TIMER] = 1 << THREAD };

	return own[event_base(event)] | (cpl || event_asks(event) ? 1 << THREAD : 0);
}

static void test_allow(void)
{
	for (enum event event = 0; event < EVENT_RETURNING; event++)
		for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
			struct world w = good_world(event, cpl, SCHEME_IST);

			world_link(&w);
			w.judge.stacks = ~0u;           /* of the case before */
			judge_allow_stacks(&w.judge, &w.in);
			is_u64(w.judge.stacks, may_use(event, cpl), "which stacks %s at CPL %u may use",
			       event_name(event), cpl);
		}
}

/* An interrupt stays on the stack in use, from CPL 3 it takes the running thread's; so does what asks for a reschedule. */
static void test_allow_second_thread(void)
{
	struct world w = good_world(EVENT_IRQ, 0, SCHEME_IST);
	const unsigned second = w.layout.stacks;

	world_link(&w);
	w.layout.stack[w.layout.stacks++] = (struct kernel_stack){ STACKS - 0x10000, 0x2000, 0, 0, "thread-2", 0, 0, 1 };
	w.before.gpr[GPR_RSP] = STACKS - 0x10000 + 0x1000;
	judge_allow_stacks(&w.judge, &w.in);
	is_u64(w.judge.stacks, 1u << second, "irq at CPL 0 on the second thread's stack, while the first is said to run");
	w.layout.thread = 1;
	judge_allow_stacks(&w.judge, &w.in);
	is_u64(w.judge.stacks, 1u << second, "irq at CPL 0 on the second thread's stack");
	w.before.cs = ABI_USER_CS;
	judge_allow_stacks(&w.judge, &w.in);
	is_u64(w.judge.stacks, 1u << second, "irq at CPL 3 while the second thread runs");
	w.layout.thread = 0;
	judge_allow_stacks(&w.judge, &w.in);
	is_u64(w.judge.stacks, 1u << THREAD, "irq at CPL 3 while the first thread runs");
}

static void test_names(void)
{
	unsigned same = 0;

	for (enum rule n = 0; n < RULE_COUNT; n++)
		for (enum rule k = 0; k < n; k++)
			same += !strcmp(rule_name(n), rule_name(k));
	is_u64(same, 0, "each rule has a name of its own");
	is_str(rule_name(RULE_EXIT_WORK), "exit-work", "and that of exit work is exit-work");
}

int main(void)
{
	plan(8 + 4 + 8 * 5 * 4 + 4 + 4 + (1 + 13 + 16) + 16 + 4 + 2);
	test_first();
	test_muted();
	test_counters();
	test_counter_text();
	test_work();
	test_after_work();
	test_allow();
	test_allow_second_thread();
	test_names();
	return done();
}
