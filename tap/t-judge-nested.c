/* SPDX-License-Identifier: MIT */
/* t-judge-nested.c: events inside of handlers: the NMI mask by what was executed, DR6 that is another's, the return of an event of
 * the golden run, and what an NMI inside an NMI may change. */
#include "tap/elf_image.h"
#include "tap/judge_case.h"

static struct elf *elf;

static void test_mask(void)
{
	struct world w = good_world(EVENT_MCE, 0, SCHEME_IST);

	w.before.nmi_masked = true;
	w.in.masked = true;
	is_breach(&w, back, RULE_TRANSPARENT, "the NMI mask is ", "no IRET, and NMIs are unmasked all the same");
	w.now.nmi_masked = true;
	is_good(&w, back, "no IRET, and they still are masked");
	w.in.masked = false;
	is_breach(&w, back, RULE_TRANSPARENT, "the NMI mask is ", "an IRET, and they still are masked");
}

/* A #DB that has not read DR6 yet was interrupted: only another #DB may touch it. */
static void test_dr6(void)
{
	struct world w = good_world(EVENT_MCE, 0, SCHEME_IST);

	w.before.dr6 = w.now.dr6 = ABI_DR6_RESET | 1;
	is_good(&w, back, "DR6 of the interrupted #DB is still there");
	w.now.dr6 = ABI_DR6_RESET;
	is_breach(&w, back, RULE_DEBUG, "DR6 after is ", "another event has reset it");
	w = good_world(EVENT_DB, 0, SCHEME_IST);
	w.before.dr6 = w.now.dr6 = ABI_DR6_RESET | 1;
	is_breach(&w, back, RULE_DEBUG, "DR6 after is ", "a #DB has not reset it");
}

static void raised_back(struct world *w)
{
	judge_raised_back(&w->judge, &w->in, &w->now);
}

static const struct damage raised[] = {
	WHOLE(now.a, RULE_TRANSPARENT, "A is "), WHOLE(now.i, RULE_TRANSPARENT, "I is "),
	WHOLE(now.rip, RULE_TRANSPARENT, "RIP is "), WHOLE(now.rflags, RULE_TRANSPARENT, "RFLAGS is "),
	BITS(now.nmi_masked, 1, RULE_TRANSPARENT, "the NMI mask is "),
	WHOLE(now.dr6, RULE_DEBUG, "DR6 after is "), WHOLE(now.dr7, RULE_DEBUG, "DR7 after is "),
};

static void test_raised(void)
{
	struct world w = good_world(EVENT_NMI, 0, SCHEME_IST);

	is_good(&w, raised_back, "the golden run's own NMI is back");
	all_are_seen(&w, raised_back, raised, COUNT_OF(raised), "its return");
	gprs_are_seen(&w, raised_back, offsetof(struct world, now.gpr), RULE_TRANSPARENT, GPR_COUNT, "its return");
}

/* Judges the page of addr with one byte changed there: whether that breaks `transparent`. */
static bool breaks(struct world *w, uint64_t addr)
{
	static uint8_t was[PAGE_SIZE], now[PAGE_SIZE];
	uint64_t page = addr & -(uint64_t)PAGE_SIZE;

	memcpy(now, was, sizeof(now));
	now[addr - page] = 1;
	world_link(w);
	judge_begin(&w->judge);
	judge_at(&w->judge, "back", &w->before);
	judge_page(&w->judge, &w->before, page - ABI_KERNEL_VIRT, now, was);
	return w->judge.breach.broken;
}

/* In the middle of an NMI's handler on its own stack, whose top 48 bytes are declared. */
static struct world nmi_world(void)
{
	struct world w = good_world(EVENT_NMI, 0, SCHEME_IST);
	uint64_t top = stack_top(&w, NMI_STACK);

	w.layout.elf = elf;
	w.layout.exempt[0] = (struct exempt){ top - 48, 48, ABI_WHILE_NESTED, "the top", 0 };
	w.layout.exempts = 1;
	w.before.gpr[GPR_RSP] = top - 0x200;
	w.judge.stacks = 1u << NMI_STACK;
	return w;
}

static void test_declared(void)
{
	struct world w = nmi_world();
	uint64_t top = stack_top(&w, NMI_STACK);

	ok(breaks(&w, top - 1) && breaks(&w, top - 48), "an event that is no NMI inside an NMI changes nothing at the top");
	w.judge.nested = true;
	ok(!breaks(&w, top - 1) && !breaks(&w, top - 48), "an NMI inside an NMI may");
	ok(breaks(&w, top - 49), "but not below what is declared");
	ok(breaks(&w, K + 0x100), "nor anywhere else");
}

/* RET instead of IRET needs two words below the interrupted code's RSP. */
static void test_stack_in_use(void)
{
	struct world w = nmi_world();
	uint64_t rsp = w.before.gpr[GPR_RSP];

	w.in.event = EVENT_MCE;
	world_link(&w);
	judge_allow_stacks(&w.judge, &w.in);
	ok(breaks(&w, rsp - 8), "a machine check keeps off the stack that it interrupts");
	w.in.inside = true;
	judge_allow_stacks(&w.judge, &w.in);
	ok(!breaks(&w, rsp - 8), "but in a handler it may use what is below RSP");
	ok(breaks(&w, rsp), "and not what is above");
}

static void ordinary_handler(struct world *w)
{
	judge_ordinary_handler(&w->judge, &w->before, &w->now, &w->saved, w->vector, &w->user);
}

/* A fault in the handler of an NMI is handled where that is. */
static void test_fault_in_handler(void)
{
	struct world w = good_world(EVENT_NMI, 0, SCHEME_IST);
	uint64_t top = stack_top(&w, NMI_STACK);

	w.vector = 13;
	w.before.gpr[GPR_RSP] = top - 0x200;
	w.now.gpr[GPR_RSP] = STACKS + 0x1000 - 8;
	w.now.gpr[GPR_RDI] = STACKS + 0x1000;
	is_said(&w, ordinary_handler, RULE_HANDLER_STACK, "RSP is ", "a fault in a handler, in C on the thread stack");
}

/* What the program watches is armed at CPL 3, and nothing else. */
static void user(struct world *w)
{
	judge_user_boundary(&w->judge, &w->user, &w->now, true);
}

static void test_watch(void)
{
	static const struct damage at[] = {
		WHOLE(user.watch, RULE_DEBUG, "DR1 is "), WHOLE(now.dr[1], RULE_DEBUG, "DR1 is "),
		WHOLE(now.dr7, RULE_DEBUG, "DR7 is "),
	};
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	w.user.watch = w.now.dr[1] = ABI_USER_DATA;
	w.now.dr7 = (ABI_DR7_ARMED | ABI_DR7_WATCH);
	is_good(&w, user, "arrival at CPL 3 with a watchpoint");
	all_are_seen(&w, user, at, COUNT_OF(at), "arrival at CPL 3 with a watchpoint");
	w = good_world(EVENT_DB, 0, SCHEME_IST);
	w.user.watch = ABI_USER_DATA;
	w.now.dr7 = (ABI_DR7_ARMED | ABI_DR7_WATCH);
	is_good(&w, raised_back, "the #DB of a hit in the kernel is back");
}

int main(void)
{
	elf = open_image();
	if (!elf)
		return 1;
	plan(5 + 3 + 3 + (1 + 7 + 16) + 4 + 3 + 1);
	test_mask();
	test_dr6();
	test_raised();
	test_watch();
	test_declared();
	test_stack_in_use();
	test_fault_in_handler();
	elf_close(elf);
	return done();
}
