/* SPDX-License-Identifier: MIT */
/* t-judge-return.c: what the judge says on the way out: the return instruction, the boundary, the user. */
#include "tap/judge_case.h"

/* A SYSRETQ or IRETQ about to return to the user program, swapped already. */
static struct world return_world(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	w.now.cs = ABI_KERNEL_CS;
	w.now.ss = ABI_KERNEL_SS;
	w.now.rip = KERNEL_TEXT;
	w.frame = frame_of(&w.before);
	return w;
}

static void sysret(struct world *w)
{
	judge_sysret(&w->judge, &w->user, &w->now, &w->frame);
}

static struct world sysret_world(void)
{
	struct world w = return_world();

	w.now.gpr[GPR_RCX] = w.frame.rip;
	w.now.gpr[GPR_R11] = w.frame.rflags;
	return w;
}

/* The registers, the frame and the model agree that it returns there. */
static struct world sysret_to(uint64_t rip, uint64_t rflags)
{
	struct world w = sysret_world();

	w.now.gpr[GPR_RCX] = w.frame.rip = w.user.rip = rip;
	w.now.gpr[GPR_R11] = w.frame.rflags = w.user.rflags = rflags;
	return w;
}

/* What the user program's model alone must say, or what it alone says otherwise. */
static const struct damage target[] = {
	WHOLE(user.gs_base, RULE_RETURN, "A before the return is "),
	WHOLE(layout.k_own, RULE_RETURN, "I before the return is "),
	WHOLE(user.rip, RULE_RETURN, "RIP returned to is "),
	WHOLE(user.rflags, RULE_RETURN, "RFLAGS returned to is "),
	WHOLE(user.gpr[GPR_RSP], RULE_RETURN, "RSP returned to is "),
};

static void test_sysret(void)
{
	static const struct damage at[] = {
		WHOLE(now.a, RULE_RETURN, "A before the return is "),
		WHOLE(now.i, RULE_RETURN, "I before the return is "),
		WHOLE(frame.rip, RULE_RETURN, "RCX at SYSRET is "),
		WHOLE(frame.rflags, RULE_RETURN, "R11 at SYSRET is "),
		WHOLE(frame.cs, RULE_RETURN, "CS decided on is "),
		WHOLE(frame.ss, RULE_RETURN, "SS decided on is "),
		WHOLE(frame.rsp, RULE_RETURN, "RSP at SYSRET is "),
		WHOLE(now.rip, RULE_RETURN, NULL), WHOLE(now.rflags, RULE_RETURN, NULL),
		WHOLE(now.gpr[GPR_RAX], RULE_RETURN, NULL),
	};
	/* These differ from the frame and from the model: two checks, of which the frame's speaks. */
	static const struct damage twice[] = {
		BITS(now.gpr[GPR_RCX], (1ull << 47) - 1, RULE_RETURN, "RCX at SYSRET is "),
		BITS(now.gpr[GPR_R11], ~(RFLAGS_RF | RFLAGS_TF), RULE_RETURN, "R11 at SYSRET is "),
		WHOLE(now.gpr[GPR_RSP], RULE_RETURN, "RSP at SYSRET is "),
	};
	struct world w = sysret_world();

	is_good(&w, sysret, "sysret");
	all_are_seen(&w, sysret, at, COUNT_OF(at), "sysret");
	all_are_seen(&w, sysret, target, COUNT_OF(target), "sysret");
	for (unsigned n = 0; n < COUNT_OF(twice); n++)
		is_seen(&w, sysret, &twice[n], false, "sysret");
}

/* The frame and the registers agree on what is not the user's. */
static void test_sysret_elsewhere(void)
{
	struct world w = sysret_world();

	w.now.gpr[GPR_RCX] = w.frame.rip += 2;
	is_breach(&w, sysret, RULE_RETURN, "RIP returned to is ", "sysret elsewhere");
	w = sysret_world();
	w.now.gpr[GPR_R11] = w.frame.rflags ^= RFLAGS_AC;
	is_breach(&w, sysret, RULE_RETURN, "RFLAGS returned to is ", "sysret with other flags");
	w = sysret_world();
	w.now.gpr[GPR_RSP] = w.frame.rsp -= 8;
	is_breach(&w, sysret, RULE_RETURN, "RSP returned to is ", "sysret on another stack");
}

/* All agree, and still SYSRET is the wrong way. */
static void test_sysret_limits(void)
{
	static const uint64_t not_user[] = { ABI_TASK_SIZE_MAX, 1ull << 47, 1ull << 63, ~0ull };
	static const uint64_t flags[] = { RFLAGS_RF, RFLAGS_TF, RFLAGS_RF | RFLAGS_TF };
	struct world w = sysret_to(ABI_TASK_SIZE_MAX - 1, RFLAGS_FIXED);

	is_good(&w, sysret, "sysret to the last user address");
	for (unsigned n = 0; n < COUNT_OF(not_user); n++) {
		w = sysret_to(not_user[n], RFLAGS_FIXED);
		is_breach(&w, sysret, RULE_RETURN, "SYSRET to RCX ", "sysret to an address that is no user's");
	}
	for (unsigned n = 0; n < COUNT_OF(flags); n++) {
		w = sysret_to(ABI_USER_TEXT, RFLAGS_FIXED | flags[n]);
		is_breach(&w, sysret, RULE_RETURN, "SYSRET with RF or TF ", "sysret with RF or TF");
	}
}

static void iret(struct world *w)
{
	judge_iret_to_user(&w->judge, &w->user, &w->now, &w->frame);
}

/* An IRETQ takes all from the frame; what the registers hold then is for the boundary behind it. */
static void test_iret(void)
{
	static const struct damage at[] = {
		WHOLE(now.a, RULE_RETURN, "A before the return is "),
		WHOLE(now.i, RULE_RETURN, "I before the return is "),
		WHOLE(frame.cs, RULE_RETURN, "CS about to be loaded is "),
		WHOLE(frame.ss, RULE_RETURN, "SS about to be loaded is "),
		WHOLE(frame.rip, RULE_RETURN, "RIP returned to is "),
		WHOLE(frame.rflags, RULE_RETURN, "RFLAGS returned to is "),     /* RF and TF included */
		WHOLE(frame.rsp, RULE_RETURN, "RSP returned to is "),
		WHOLE(now.rip, RULE_RETURN, NULL), WHOLE(now.rflags, RULE_RETURN, NULL),
		WHOLE(now.gpr[GPR_RCX], RULE_RETURN, NULL), WHOLE(now.gpr[GPR_RSP], RULE_RETURN, NULL),
	};
	struct world w = return_world();

	is_good(&w, iret, "iret");
	all_are_seen(&w, iret, at, COUNT_OF(at), "iret");
	all_are_seen(&w, iret, target, COUNT_OF(target), "iret");
	w.now.a = K;
	is_expected(&w, iret, USER_GS, K, "iret");
	w.now.a = USER_GS;
	w.frame.rip = w.user.rip = ABI_TASK_SIZE_MAX;
	w.frame.rflags = w.user.rflags |= RFLAGS_TF;
	is_good(&w, iret, "iret, which may go where SYSRET may not");
}

/* Back at the interrupted boundary. */
#define SAME(field, what) WHOLE(now.field, RULE_TRANSPARENT, what " is ")

static const struct damage debug_after[] = {
	WHOLE(now.dr6, RULE_DEBUG, "DR6 after is "), WHOLE(now.dr7, RULE_DEBUG, "DR7 after is "),
};
/* At CPL 3 these are the user's, too: rule user-state comes after rule transparent. */
static const struct damage both[] = {
	SAME(a, "A"), SAME(i, "I"), SAME(rip, "RIP"), SAME(rflags, "RFLAGS"), SAME(fs_base, "FS base"),
	SAME(cs, "CS"), SAME(ss, "SS"), SAME(ds, "DS"), SAME(es, "ES"), SAME(fs, "FS"), SAME(gs, "GS"),
};
static const struct damage system_registers[] = {
	SAME(cr0, "CR0"), SAME(cr2, "CR2"), SAME(cr3, "CR3"), SAME(cr4, "CR4"), SAME(efer, "EFER"),
	SAME(idt_base, "the IDT's base"), SAME(gdt_base, "the GDT's base"), SAME(tss_base, "the TSS's base"),
	SAME(dr[0], "DR0"), SAME(dr[1], "DR1"), SAME(dr[2], "DR2"), SAME(dr[3], "DR3"),
	SAME(mcg_status, "MCG_STATUS"), SAME(mci_status[0], "MC0_STATUS"),
	SAME(mci_status[MCE_BANKS - 1], "MC1_STATUS"), SAME(shadow, "interrupt shadow"),
	SAME(idt_limit, "the IDT's limit"), SAME(gdt_limit, "the GDT's limit"), SAME(tr, "TR"), SAME(ldt, "LDTR"),
	SAME(star, "STAR"), SAME(lstar, "LSTAR"), SAME(fmask, "FMASK"), SAME(mcg_ctl, "MCG_CTL"),
	SAME(mci_ctl[0], "MC0_CTL"), SAME(mci_ctl[MCE_BANKS - 1], "MC1_CTL"),
	BITS(now.nmi_pending, 1, RULE_TRANSPARENT, "pending NMI is "),
	BITS(now.event_pending, 1, RULE_TRANSPARENT, "pending event is "),
};

static void test_back(unsigned cpl)
{
	struct world w = good_world(EVENT_MCE, cpl, SCHEME_IST);
	struct damage mask = BITS(now.nmi_masked, 1, RULE_TRANSPARENT, "the NMI mask is ");
	const char *name = cpl ? "back at CPL 3" : "back at CPL 0";

	if (cpl)
		mask = (struct damage)BITS(now.nmi_masked, 1, RULE_MASKING, "the NMI mask at CPL 3 is ");
	is_good(&w, back, name);
	all_are_seen(&w, back, debug_after, COUNT_OF(debug_after), name);
	for (unsigned n = 0; n < COUNT_OF(both); n++)
		is_seen(&w, back, &both[n], !cpl, name);
	for (enum gpr n = 0; n < GPR_COUNT; n++) {
		char text[16];
		struct damage d = { gpr_name(n), offsetof(struct world, now.gpr) + 8 * n, 8, ALL,
				    RULE_TRANSPARENT, text };

		snprintf(text, sizeof(text), "%s is ", gpr_name(n));
		is_seen(&w, back, &d, !cpl, name);
	}
	all_are_seen(&w, back, system_registers, COUNT_OF(system_registers), name);
	is_seen(&w, back, &mask, true, name);
}

/* What was there before the event is what must be there after it, whatever it is; but an IRET unmasks NMIs. */
static void test_back_as_before(void)
{
	struct world w = good_world(EVENT_MCE, 0, SCHEME_IST);

	w.before.a = w.now.a = POISON;
	w.before.dr7 = w.now.dr7 = ABI_DR7_DISARMED;
	w.before.shadow = w.now.shadow = 1;
	w.before.event_pending = w.now.event_pending = true;
	is_good(&w, back, "back in a handler that has disarmed DR7");
	w.before.nmi_masked = true;
	is_good(&w, back, "back where NMIs were masked, and no longer are");
	w.before.nmi_pending = w.now.nmi_pending = true;
	is_breach(&w, back, RULE_TRANSPARENT, "pending NMI is ", "an NMI still latched while none is masked");
}

/* The whole user state, by the model alone: what the machine was before is no excuse. */
static const struct damage user_by_model[] = {
	WHOLE(user.gs_base, RULE_USER_STATE, "A is "), WHOLE(user.fs_base, RULE_USER_STATE, "FS base is "),
	WHOLE(user.rip, RULE_USER_STATE, "RIP is "), WHOLE(user.rflags, RULE_USER_STATE, "RFLAGS is "),
	WHOLE(layout.k_own, RULE_USER_STATE, "I is "),
};

static void test_back_user(void)
{
	struct world w = good_world(EVENT_DB, 3, SCHEME_IST);

	all_are_seen(&w, back, user_by_model, COUNT_OF(user_by_model), "back, against the model");
	gprs_are_seen(&w, back, offsetof(struct world, user.gpr), RULE_USER_STATE, GPR_COUNT,
		      "back, against the model");
	w = good_world(EVENT_DB, 0, SCHEME_IST);
	memset(&w.user, 0x77, sizeof(w.user));
	is_good(&w, back, "back in the kernel, where the model does not speak");
}

/* Any boundary at CPL 3 of the golden run. */
static void user(struct world *w)
{
	judge_user_boundary(&w->judge, &w->user, &w->now, w->arrived);
}

static void test_user_boundary(bool arrived)
{
	static const struct damage at[] = {
		WHOLE(now.a, RULE_USER_STATE, "A is "), WHOLE(now.i, RULE_USER_STATE, "I is "),
		WHOLE(now.fs_base, RULE_USER_STATE, "FS base is "), WHOLE(now.rip, RULE_USER_STATE, "RIP is "),
		WHOLE(now.rflags, RULE_USER_STATE, "RFLAGS is "),
		WHOLE(now.cs, RULE_USER_STATE, "CS is "), WHOLE(now.ss, RULE_USER_STATE, "SS is "),
		WHOLE(now.ds, RULE_USER_STATE, "DS ES FS GS are "), WHOLE(now.es, RULE_USER_STATE, "DS ES FS GS are "),
		WHOLE(now.fs, RULE_USER_STATE, "DS ES FS GS are "), WHOLE(now.gs, RULE_USER_STATE, "DS ES FS GS are "),
		BITS(now.cr4, CR4_FSGSBASE, RULE_USER_STATE, "CR4.FSGSBASE is 0"),
		BITS(user.fsgsbase, 1, RULE_USER_STATE, "CR4.FSGSBASE is 0x1"),
	};
	static const struct damage at_arrival[] = {
		BITS(now.nmi_masked, 1, RULE_MASKING, "the NMI mask at CPL 3 is "),
		WHOLE(now.dr6, RULE_DEBUG, "DR6 is "), WHOLE(now.dr7, RULE_DEBUG, "DR7 is "),
		WHOLE(now.dr[1], RULE_DEBUG, "DR1 is "),
	};
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);
	const char *name = arrived ? "arrival at CPL 3" : "a later boundary at CPL 3";

	w.arrived = arrived;
	is_good(&w, user, name);
	all_are_seen(&w, user, at, COUNT_OF(at), name);
	all_are_seen(&w, user, user_by_model, COUNT_OF(user_by_model), name);
	gprs_are_seen(&w, user, offsetof(struct world, now.gpr), RULE_USER_STATE, GPR_COUNT, name);
	for (unsigned n = 0; n < COUNT_OF(at_arrival); n++) {
		struct damage d = at_arrival[n];

		d.says = arrived ? d.says : NULL;
		is_seen(&w, user, &d, true, name);
	}
}

/* A wrong value that lies in the kernel half is a leak; the right one never is, nor a wrong user address. */
static void test_leak(void)
{
	struct world w = good_world(EVENT_NMI, 3, SCHEME_IST);

	w.now.gpr[GPR_R9] = K;
	judged(&w, user);
	ok(strstr(w.judge.breach.detail, "(leak)"), "a kernel address in R9 is called a leak");
	w.now.gpr[GPR_R9] = 1ull << 46;
	judged(&w, user);
	ok(w.judge.breach.broken && !strstr(w.judge.breach.detail, "(leak)"), "a user address is not");
	w.now.gpr[GPR_R9] = w.user.gpr[GPR_R9] = ~0ull;
	w.now.a = w.user.gs_base = ~0ull;
	is_good(&w, user, "negative values of the user's own");
}

int main(void)
{
	plan(1 + 10 + 5 + 3 + 3 + 8 + 1 + 11 + 5 + 2 + 2 * (1 + 2 + 11 + 16 + 28 + 1) + 3 + 22 + 2 * (1 + 13 + 5 + 16 + 4) + 3);
	test_sysret();
	test_sysret_elsewhere();
	test_sysret_limits();
	test_iret();
	test_back(0);
	test_back(3);
	test_back_as_before();
	test_back_user();
	test_user_boundary(true);
	test_user_boundary(false);
	test_leak();
	return done();
}
