/* SPDX-License-Identifier: MIT */
/* judge_return.c: the way out: the return instruction, the interrupted boundary, user state, memory. */
#include <stdio.h>
#include <string.h>

#include "vmm/judge.h"

#define KERNEL_HALF(x) ((x) >> 47)

/* A and I are the user's before the instruction that returns: nothing after it could still swap them. */
static void judge_gs_of_user(struct judge *j, const struct model *user, const struct cpu_state *now)
{
	judge_expect(j, user->gs_base, judge_i_user(j));
	judge_equal(j, RULE_RETURN, "A before the return", now->a, j->expected_a);
	judge_equal(j, RULE_RETURN, "I before the return", now->i, j->expected_i);
}

/* Where the user program must go on, RF and TF clear included: at CPL 3 itself RF can no longer be seen. */
static void judge_target(struct judge *j, const struct model *user, uint64_t rip, uint64_t rflags, uint64_t rsp)
{
	judge_equal(j, RULE_RETURN, "RIP returned to", rip, user->rip);
	judge_equal(j, RULE_RETURN, "RFLAGS returned to", rflags, user->rflags);
	judge_equal(j, RULE_RETURN, "RSP returned to", rsp, user->gpr[GPR_RSP]);
}

/* SYSRET takes RIP from RCX, RFLAGS from R11 and CS, SS from STAR (SDM vol. 2B, SYSRET): they must say what the frame says. */
void judge_sysret(struct judge *j, const struct model *user, const struct cpu_state *now,
		  const struct hardware_frame *f)
{
	uint64_t rcx = now->gpr[GPR_RCX], r11 = now->gpr[GPR_R11];

	judge_gs_of_user(j, user, now);
	judge_check(j, RULE_RETURN, rcx < ABI_TASK_SIZE_MAX, "SYSRET to RCX %#lx, not below TASK_SIZE_MAX",
		    (unsigned long)rcx);
	judge_check(j, RULE_RETURN, !(r11 & (RFLAGS_RF | RFLAGS_TF)), "SYSRET with RF or TF in R11 %#lx",
		    (unsigned long)r11);
	judge_equal(j, RULE_RETURN, "RCX at SYSRET", rcx, f->rip);
	judge_equal(j, RULE_RETURN, "R11 at SYSRET", r11, f->rflags);
	judge_equal(j, RULE_RETURN, "CS decided on", f->cs, ABI_USER_CS);
	judge_equal(j, RULE_RETURN, "SS decided on", f->ss, ABI_USER_SS);
	judge_equal(j, RULE_RETURN, "RSP at SYSRET", now->gpr[GPR_RSP], f->rsp);
	judge_target(j, user, rcx, r11, now->gpr[GPR_RSP]);
}

/* The IRET that the program has asked for, and not the one after its fault. Good selectors are in both: RIP tells. */
static bool is_asked_for(const struct model *user, const struct hardware_frame *f)
{
	const struct model_iret *bad = &user->bad_iret;
	bool selectors_tell = bad->cs != ABI_USER_CS || bad->ss != ABI_USER_SS;

	return user->refused && f->cs == bad->cs && f->ss == bad->ss && (selectors_tell || f->rip == bad->rip);
}

void judge_iret_to_user(struct judge *j, const struct model *user, const struct cpu_state *now,
			const struct hardware_frame *f)
{
	const struct model_iret *bad = &user->bad_iret;

	judge_gs_of_user(j, user, now);
	if (is_asked_for(user, f)) {
		judge_equal(j, RULE_RETURN, "RIP asked for", f->rip, bad->rip);
		judge_equal(j, RULE_RETURN, "RFLAGS asked for", f->rflags, bad->rflags);
		judge_equal(j, RULE_RETURN, "RSP asked for", f->rsp, bad->rsp);
		return;
	}
	judge_equal(j, RULE_RETURN, "CS about to be loaded", f->cs, user->cs);
	judge_equal(j, RULE_RETURN, "SS about to be loaded", f->ss, ABI_USER_SS);
	judge_target(j, user, f->rip, f->rflags, f->rsp);
}

static void judge_user_value(struct judge *j, const char *what, uint64_t seen, uint64_t expected)
{
	judge_check(j, RULE_USER_STATE, seen == expected, "%s is %#lx, must be %#lx%s", what, (unsigned long)seen,
		    (unsigned long)expected, seen != expected && KERNEL_HALF(seen) ? " (leak)" : "");
}

static void judge_user_state(struct judge *j, const struct model *u, const struct cpu_state *now)
{
	judge_expect(j, u->gs_base, judge_i_user(j));
	judge_user_value(j, "A", now->a, j->expected_a);
	judge_equal(j, RULE_USER_STATE, "I", now->i, j->expected_i);
	judge_user_value(j, "FS base", now->fs_base, u->fs_base);
	judge_user_value(j, "RIP", now->rip, u->rip);
	judge_user_value(j, "RFLAGS", now->rflags, u->rflags);
	for (unsigned n = 0; n < GPR_COUNT; n++)
		judge_user_value(j, gpr_name(n), now->gpr[n], u->gpr[n]);
	judge_equal(j, RULE_USER_STATE, "CS", now->cs, u->cs);
	judge_equal(j, RULE_USER_STATE, "SS", now->ss, ABI_USER_SS);
	judge_check(j, RULE_USER_STATE, !now->ds && !now->es && now->fs == u->fs && now->gs == u->gs,
		    "DS ES FS GS are %#x %#x %#x %#x, must be 0 0 %#x %#x", now->ds, now->es, now->fs, now->gs, u->fs, u->gs);
}

void judge_user_boundary(struct judge *j, const struct model *user, const struct cpu_state *now, bool arrived)
{
	judge_user_state(j, user, now);
	judge_equal(j, RULE_USER_STATE, "CR4.FSGSBASE", !!(now->cr4 & CR4_FSGSBASE), user->fsgsbase);
	if (!arrived)
		return;
	judge_equal(j, RULE_MASKING, "the NMI mask at CPL 3", now->nmi_masked, false);
	judge_equal(j, RULE_DEBUG, "DR6", now->dr6, ABI_DR6_RESET);
	judge_equal(j, RULE_DEBUG, "DR7", now->dr7, model_dr7(user));
	judge_equal(j, RULE_DEBUG, "DR1", now->dr[1], user->watch);
	judge_equal(j, RULE_DEBUG, "DR2", now->dr[2], user->stop_at);
	judge_equal(j, RULE_DEBUG, "DR3", now->dr[3], user->kernel_watch ? now->dr[0] : 0);
}

static void judge_registers(struct judge *j, const struct cpu_state *b, const struct cpu_state *now)
{
	judge_equal(j, RULE_TRANSPARENT, "A", now->a, b->a);
	judge_equal(j, RULE_TRANSPARENT, "I", now->i, b->i);
	judge_equal(j, RULE_TRANSPARENT, "RIP", now->rip, b->rip);
	judge_equal(j, RULE_TRANSPARENT, "RFLAGS", now->rflags, b->rflags);
	for (unsigned n = 0; n < GPR_COUNT; n++)
		judge_equal(j, RULE_TRANSPARENT, gpr_name(n), now->gpr[n], b->gpr[n]);
	judge_equal(j, RULE_TRANSPARENT, "FS base", now->fs_base, b->fs_base);
	judge_equal(j, RULE_TRANSPARENT, "CS", now->cs, b->cs);
	judge_equal(j, RULE_TRANSPARENT, "SS", now->ss, b->ss);
	judge_equal(j, RULE_TRANSPARENT, "DS", now->ds, b->ds);
	judge_equal(j, RULE_TRANSPARENT, "ES", now->es, b->es);
	judge_equal(j, RULE_TRANSPARENT, "FS", now->fs, b->fs);
	judge_equal(j, RULE_TRANSPARENT, "GS", now->gs, b->gs);
}

static void judge_machine_check(struct judge *j, const struct cpu_state *b, const struct cpu_state *now)
{
	judge_equal(j, RULE_TRANSPARENT, "MCG_STATUS", now->mcg_status, b->mcg_status);
	judge_equal(j, RULE_TRANSPARENT, "MCG_CTL", now->mcg_ctl, b->mcg_ctl);
	for (unsigned n = 0; n < MCE_BANKS; n++) {
		judge_check(j, RULE_TRANSPARENT, now->mci_status[n] == b->mci_status[n],
			    "MC%u_STATUS is %#lx, must be %#lx", n, (unsigned long)now->mci_status[n],
			    (unsigned long)b->mci_status[n]);
		judge_check(j, RULE_TRANSPARENT, now->mci_ctl[n] == b->mci_ctl[n], "MC%u_CTL is %#lx, must be %#lx", n,
			    (unsigned long)now->mci_ctl[n], (unsigned long)b->mci_ctl[n]);
	}
}

void judge_system_registers(struct judge *j, const struct cpu_state *b, const struct cpu_state *now)
{
	judge_equal(j, RULE_TRANSPARENT, "CR0", now->cr0, b->cr0);
	judge_equal(j, RULE_TRANSPARENT, "CR2", now->cr2, b->cr2);
	judge_equal(j, RULE_TRANSPARENT, "CR3", now->cr3, b->cr3);
	judge_equal(j, RULE_TRANSPARENT, "CR4", now->cr4, b->cr4);
	judge_equal(j, RULE_TRANSPARENT, "EFER", now->efer, b->efer);
	judge_equal(j, RULE_TRANSPARENT, "the IDT's base", now->idt_base, b->idt_base);
	judge_equal(j, RULE_TRANSPARENT, "the GDT's base", now->gdt_base, b->gdt_base);
	judge_equal(j, RULE_TRANSPARENT, "the TSS's base", now->tss_base, b->tss_base);
	for (unsigned n = 0; n < 4; n++)
		judge_check(j, RULE_TRANSPARENT, now->dr[n] == b->dr[n], "DR%u is %#lx, must be %#lx", n,
			    (unsigned long)now->dr[n], (unsigned long)b->dr[n]);
	judge_equal(j, RULE_TRANSPARENT, "the IDT's limit", now->idt_limit, b->idt_limit);
	judge_equal(j, RULE_TRANSPARENT, "the GDT's limit", now->gdt_limit, b->gdt_limit);
	judge_equal(j, RULE_TRANSPARENT, "TR", now->tr, b->tr);
	judge_equal(j, RULE_TRANSPARENT, "LDTR", now->ldt, b->ldt);
	judge_equal(j, RULE_TRANSPARENT, "STAR", now->star, b->star);
	judge_equal(j, RULE_TRANSPARENT, "LSTAR", now->lstar, b->lstar);
	judge_equal(j, RULE_TRANSPARENT, "FMASK", now->fmask, b->fmask);
	judge_machine_check(j, b, now);
	judge_equal(j, RULE_TRANSPARENT, "pending NMI", now->nmi_pending, false);
	judge_equal(j, RULE_TRANSPARENT, "pending event", now->event_pending, b->event_pending);
	judge_equal(j, RULE_TRANSPARENT, "interrupt shadow", now->shadow, b->shadow);
}

/* An IRET unmasks NMIs (SDM vol. 3, 6.7.1); an event that ends without one leaves them as they were. At CPL 3 that is the rule
 * `masking`. */
void judge_back(struct judge *j, const struct injected *in, const struct cpu_state *now)
{
	const struct cpu_state *b = in->before;

	judge_expect(j, b->a, b->i);
	judge_equal(j, RULE_DEBUG, "DR6 after", now->dr6, event_base(in->event) == EVENT_DB ? ABI_DR6_RESET : b->dr6);
	judge_equal(j, RULE_DEBUG, "DR7 after", now->dr7, b->dr7);
	judge_registers(j, b, now);
	judge_system_registers(j, b, now);
	if (cpu_cpl(b) == 0) {
		judge_equal(j, RULE_TRANSPARENT, "the NMI mask", now->nmi_masked, in->masked);
		return;
	}
	judge_user_state(j, in->user, now);
	judge_equal(j, RULE_MASKING, "the NMI mask at CPL 3", now->nmi_masked, false);
}

void judge_raised_back(struct judge *j, const struct injected *in, const struct cpu_state *now)
{
	judge_expect(j, in->before->a, in->before->i);
	judge_equal(j, RULE_DEBUG, "DR6 after", now->dr6, ABI_DR6_RESET);
	judge_equal(j, RULE_DEBUG, "DR7 after", now->dr7, model_dr7(in->user));
	judge_registers(j, in->before, now);
	judge_equal(j, RULE_TRANSPARENT, "the NMI mask", now->nmi_masked, false);
}

void judge_counter(struct judge *j, const struct injected *in, unsigned counter, uint64_t now, uint64_t was)
{
	const struct exempt *x = &j->layout->exempt[counter];
	uint64_t handled = x->vector == event_vector(in->event) && x->cpu == j->layout->cpu;

	judge_check(j, RULE_MASKING, now - was == handled, "\"%s\" went up by %ld, must by %lu", x->reason, (long)(now - was),
		    (unsigned long)handled);
}

void judge_work_done(struct judge *j, uint64_t now, uint64_t was, bool may_merge)
{
	judge_check(j, RULE_EXIT_WORK, now - was == 1 || (may_merge && now == was),
		    "the reschedule was done %ld times, must be once", (long)(now - was));
}

void judge_work(struct judge *j, uint64_t flags, uint64_t expected)
{
	judge_equal(j, RULE_EXIT_WORK, "the thread's work flags", flags, expected);
}

void judge_user_page(struct judge *j, uint64_t at, const uint8_t *now, const uint8_t *expected)
{
	unsigned n = 0;

	while (n < PAGE_SIZE && now[n] == expected[n])
		n++;
	judge_check(j, RULE_USER_STATE, n == PAGE_SIZE, "user memory at %#lx is %#x, must be %#x", (unsigned long)at + n,
		    n < PAGE_SIZE ? now[n] : 0, n < PAGE_SIZE ? expected[n] : 0);
}

void judge_after_work(struct judge *j, const struct model *user, const struct cpu_state *now)
{
	judge_user_boundary(j, user, now, true);
	judge_equal(j, RULE_TRANSPARENT, "pending NMI", now->nmi_pending, false);
	judge_equal(j, RULE_TRANSPARENT, "pending event", now->event_pending, false);
	judge_equal(j, RULE_TRANSPARENT, "MCG_STATUS", now->mcg_status, 0);
}
