/* SPDX-License-Identifier: MIT */
/* machine_state.c: the vCPU's state: read in the rules' words, saved and restored in KVM's. */
#include <string.h>

#include "vmm/die.h"
#include "vmm/machine.h"
#include "vmm/msr.h"

static const uint32_t saved_msrs[SAVED_MSRS] = {
	[SAVED_STAR] = MSR_STAR, [SAVED_LSTAR] = MSR_LSTAR, [SAVED_FMASK] = MSR_FMASK, [SAVED_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE,
	[SAVED_MCG_STATUS] = MSR_MCG_STATUS, [SAVED_MCG_CTL] = MSR_MCG_CTL,
	[SAVED_MCI_STATUS] = MSR_MC0_STATUS + 0, MSR_MC0_STATUS + 4,
	[SAVED_MCI_CTL] = MSR_MC0_CTL + 0, MSR_MC0_CTL + 4,
};
_Static_assert(MCE_BANKS == 2, "one entry for each bank");
_Static_assert(SAVED_MSRS <= sizeof(((struct machine_state *)0)->msr) / 8, "room for every MSR");

int machine_saved_msr(uint32_t index)
{
	for (int n = 0; n < SAVED_MSRS; n++)
		if (saved_msrs[n] == index)
			return n;
	return -1;
}

void machine_set_msr(struct machine *m, uint32_t index, uint64_t value)
{
	m->engine->set_msrs(m, &index, &value, 1);
}

uint64_t machine_get_msr(struct machine *m, uint32_t index)
{
	uint64_t value;

	m->engine->get_msrs(m, &index, &value, 1);
	return value;
}

void machine_core(const struct kvm_regs *r, const struct kvm_sregs *q, const struct kvm_vcpu_events *e, struct cpu_state *s)
{
	const uint64_t gpr[GPR_COUNT] = {
		r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	memcpy(s->gpr, gpr, sizeof(gpr));
	s->rip = r->rip;
	s->rflags = r->rflags;
	s->a = q->gs.base;
	s->fs_base = q->fs.base;
	s->cs = q->cs.selector;
	s->ss = q->ss.selector;
	s->ds = q->ds.selector;
	s->es = q->es.selector;
	s->fs = q->fs.selector;
	s->gs = q->gs.selector;
	s->cr0 = q->cr0;
	s->cr2 = q->cr2;
	s->cr3 = q->cr3;
	s->cr4 = q->cr4;
	s->efer = q->efer;
	s->idt_base = q->idt.base;
	s->gdt_base = q->gdt.base;
	s->tss_base = q->tr.base;
	s->idt_limit = q->idt.limit;
	s->gdt_limit = q->gdt.limit;
	s->tr = q->tr.selector;
	s->ldt = q->ldt.selector;
	s->nmi_masked = e->nmi.masked;
	s->nmi_pending = e->nmi.pending || e->nmi.injected;
	s->event_pending = e->exception.injected || e->exception.pending || e->interrupt.injected;
	s->shadow = e->interrupt.shadow;
}

static void take_debug(const struct kvm_debugregs *d, struct cpu_state *s)
{
	memcpy(s->dr, d->db, sizeof(s->dr));
	s->dr6 = d->dr6;
	s->dr7 = d->dr7;
}

static void get_debug(struct machine *m, struct cpu_state *s)
{
	struct kvm_debugregs d;

	m->engine->get_debug(m, &d);
	take_debug(&d, s);
}

static void take_msrs(const uint64_t *value, struct cpu_state *s)
{
	s->star = value[SAVED_STAR];
	s->lstar = value[SAVED_LSTAR];
	s->fmask = value[SAVED_FMASK];
	s->i = value[SAVED_KERNEL_GS_BASE];
	s->mcg_status = value[SAVED_MCG_STATUS];
	s->mcg_ctl = value[SAVED_MCG_CTL];
	memcpy(s->mci_status, value + SAVED_MCI_STATUS, sizeof(s->mci_status));
	memcpy(s->mci_ctl, value + SAVED_MCI_CTL, sizeof(s->mci_ctl));
}

static void get_msr_state(struct machine *m, struct cpu_state *s)
{
	uint64_t value[SAVED_MSRS];

	m->engine->get_msrs(m, saved_msrs, value, SAVED_MSRS);
	take_msrs(value, s);
}

void machine_get_debug(struct machine *m, struct kvm_debugregs *d)
{
	m->engine->get_debug(m, d);
}

void machine_set_debug(struct machine *m, const struct kvm_debugregs *d)
{
	m->engine->set_debug(m, d);
}

void machine_get(struct machine *m, unsigned parts, struct cpu_state *s)
{
	m->engine->look(m, parts);
	if (parts & MACHINE_CORE)
		machine_core(m->regs, m->sregs, m->events, s);
	if (parts & MACHINE_MSRS)
		get_msr_state(m, s);
	else if (parts & MACHINE_I)
		s->i = machine_get_msr(m, MSR_KERNEL_GS_BASE);
	if (parts & MACHINE_DEBUG)
		get_debug(m, s);
}

void machine_save(struct machine *m, struct machine_state *s)
{
	m->engine->look(m, MACHINE_ALL);
	s->regs = *machine_regs(m);
	s->sregs = *machine_sregs(m);
	s->events = *machine_events(m);
	m->engine->get_debug(m, &s->debug);
	m->engine->get_msrs(m, saved_msrs, s->msr, SAVED_MSRS);
}

void machine_saved_state(struct machine *m, const struct machine_state *saved, struct cpu_state *s)
{
	machine_core(m->regs, m->sregs, m->events, s);
	take_debug(&saved->debug, s);
	take_msrs(saved->msr, s);
}

/* KVM leaves old vectors behind in what is neither pending nor injected. */
static bool same_events(const struct kvm_vcpu_events *a, const struct kvm_vcpu_events *b)
{
	return !memcmp(&a->nmi, &b->nmi, sizeof(a->nmi)) && a->interrupt.shadow == b->interrupt.shadow &&
	       !a->interrupt.injected && !b->interrupt.injected && !a->exception.injected && !b->exception.injected &&
	       !a->exception.pending && !b->exception.pending && !a->triple_fault.pending && !b->triple_fault.pending;
}

/* Events are written only if they differ: KVM_X86_SET_MCE queues an exception that writing them would lose. */
void machine_restore_core(struct machine *m, const struct machine_state *s)
{
	m->engine->look(m, MACHINE_ALL);
	*machine_regs(m) = s->regs;
	*machine_sregs(m) = s->sregs;
	machine_touched_regs(m);
	machine_touched_sregs(m);
	if (same_events(machine_events(m), &s->events))
		return;
	*machine_events(m) = s->events;
	machine_events(m)->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	m->engine->put_events(m);
}

void machine_restore(struct machine *m, const struct machine_state *s)
{
	m->engine->make_runnable(m);
	m->engine->set_msrs(m, saved_msrs, s->msr, SAVED_MSRS);
	m->engine->set_debug(m, &s->debug);
	machine_restore_core(m, s);
}
