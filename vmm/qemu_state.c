/* SPDX-License-Identifier: MIT */
/* qemu_state.c: a QEMU machine's saved state in the words of struct machine_state, both ways. What is said here of QEMU was seen with
 * 7.2 under TCG. */
#include "vmm/qemu_state.h"

#include <stdio.h>
#include <string.h>

#include "vmm/vector.h"

#define REQUEST_NMI (1u << 9)           /* bits of interrupt_request: one is latched */
#define REQUEST_MCE (1u << 12)
#define HFLAGS2_NMI_MASKED (1u << 2)
#define VECTOR_MC 18
#define SHADOW_ANY (KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS)
#define SEGMENT_BITS 0x00f0ff00u        /* of a descriptor's second half; the rest is base and limit again */
#define LVT_LINT1 4
#define LVT_NMI 0x400
#define APIC_ENABLED 0x1ff

/* QEMU's summary of the state that its translator depends on. */
enum {
	HF_CPL = 3, HF_SHADOW = 1 << 3, HF_CS32 = 1 << 4, HF_SS32 = 1 << 5, HF_ADDSEG = 1 << 6, HF_PE = 1 << 7, HF_CR0_SHIFT = 8,
	HF_CR0 = 7 << 9, HF_LMA = 1 << 14, HF_CS64 = 1 << 15, HF_SVME = 1 << 20, HF_OSFXSR = 1 << 22, HF_SMAP = 1 << 23, HF_UMIP = 1 << 27,
	HF_COMPUTED = HF_CPL | HF_SHADOW | HF_CS32 | HF_SS32 | HF_ADDSEG | HF_PE | HF_CR0 | HF_LMA | HF_CS64 | HF_SVME | HF_OSFXSR |
		      HF_SMAP | HF_UMIP,
};

/* struct kvm_regs in hardware order. */
static void regs_in_order(struct kvm_regs *r, __u64 *reg[16])
{
	__u64 *const order[16] = {
		&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
		&r->r8, &r->r9, &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15,
	};

	memcpy(reg, order, sizeof(order));
}

static struct kvm_segment segment(const struct vmstate *v, enum vmstate_field selector, unsigned n)
{
	uint32_t flags = vmstate_get(v, selector + 3, n);

	return (struct kvm_segment){
		.selector = vmstate_get(v, selector, n), .base = vmstate_get(v, selector + 1, n), .limit = vmstate_get(v, selector + 2, n),
		.type = flags >> 8 & 15, .s = flags >> 12 & 1, .dpl = flags >> 13 & 3, .present = flags >> 15 & 1,
		.avl = flags >> 20 & 1, .l = flags >> 21 & 1, .db = flags >> 22 & 1, .g = flags >> 23 & 1, .unusable = !(flags >> 15 & 1),
	};
}
_Static_assert(VMSTATE_SEG_FLAGS == VMSTATE_SEG_SELECTOR + 3 && VMSTATE_TR_FLAGS == VMSTATE_TR_SELECTOR + 3 &&
	       VMSTATE_LDT_FLAGS == VMSTATE_LDT_SELECTOR + 3, "selector, base, limit, flags");

static uint32_t segment_flags(const struct kvm_segment *s)
{
	return (uint32_t)s->type << 8 | s->s << 12 | s->dpl << 13 | (s->present && !s->unusable) << 15 | s->avl << 20 | s->l << 21 |
	       s->db << 22 | (uint32_t)s->g << 23;
}

static void set_segment(struct vmstate *v, enum vmstate_field selector, unsigned n, const struct kvm_segment *s)
{
	uint32_t other = vmstate_get(v, selector + 3, n) & ~SEGMENT_BITS;

	vmstate_set(v, selector, n, s->selector);
	vmstate_set(v, selector + 1, n, s->base);
	vmstate_set(v, selector + 2, n, s->limit);
	vmstate_set(v, selector + 3, n, other | segment_flags(s));
}

static void read_regs(const struct vmstate *v, struct kvm_regs *r)
{
	__u64 *reg[16];

	regs_in_order(r, reg);
	for (unsigned n = 0; n < 16; n++)
		*reg[n] = vmstate_get(v, VMSTATE_REGS, n);
	r->rip = vmstate_get(v, VMSTATE_EIP, 0);
	r->rflags = vmstate_get(v, VMSTATE_EFLAGS, 0);
}

static void write_regs(struct vmstate *v, struct kvm_regs r)
{
	__u64 *reg[16];

	regs_in_order(&r, reg);
	for (unsigned n = 0; n < 16; n++)
		vmstate_set(v, VMSTATE_REGS, n, *reg[n]);
	vmstate_set(v, VMSTATE_EIP, 0, r.rip);
	vmstate_set(v, VMSTATE_EFLAGS, 0, r.rflags);
}

static void read_sregs(const struct vmstate *v, struct kvm_sregs *s)
{
	struct kvm_segment *const seg[6] = { &s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs };

	for (unsigned n = 0; n < 6; n++)
		*seg[n] = segment(v, VMSTATE_SEG_SELECTOR, n);
	s->tr = segment(v, VMSTATE_TR_SELECTOR, 0);
	s->ldt = segment(v, VMSTATE_LDT_SELECTOR, 0);
	s->gdt.base = vmstate_get(v, VMSTATE_GDT_BASE, 0);
	s->gdt.limit = vmstate_get(v, VMSTATE_GDT_LIMIT, 0);
	s->idt.base = vmstate_get(v, VMSTATE_IDT_BASE, 0);
	s->idt.limit = vmstate_get(v, VMSTATE_IDT_LIMIT, 0);
	s->cr0 = vmstate_get(v, VMSTATE_CR0, 0);
	s->cr2 = vmstate_get(v, VMSTATE_CR2, 0);
	s->cr3 = vmstate_get(v, VMSTATE_CR3, 0);
	s->cr4 = vmstate_get(v, VMSTATE_CR4, 0);
	s->efer = vmstate_get(v, VMSTATE_EFER, 0);
}

static void write_sregs(struct vmstate *v, const struct kvm_sregs *s)
{
	const struct kvm_segment *const seg[6] = { &s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs };

	for (unsigned n = 0; n < 6; n++)
		set_segment(v, VMSTATE_SEG_SELECTOR, n, seg[n]);
	set_segment(v, VMSTATE_TR_SELECTOR, 0, &s->tr);
	set_segment(v, VMSTATE_LDT_SELECTOR, 0, &s->ldt);
	vmstate_set(v, VMSTATE_GDT_BASE, 0, s->gdt.base);
	vmstate_set(v, VMSTATE_GDT_LIMIT, 0, s->gdt.limit);
	vmstate_set(v, VMSTATE_IDT_BASE, 0, s->idt.base);
	vmstate_set(v, VMSTATE_IDT_LIMIT, 0, s->idt.limit);
	vmstate_set(v, VMSTATE_CR0, 0, s->cr0);
	vmstate_set(v, VMSTATE_CR2, 0, s->cr2);
	vmstate_set(v, VMSTATE_CR3, 0, s->cr3);
	vmstate_set(v, VMSTATE_CR4, 0, s->cr4);
	vmstate_set(v, VMSTATE_EFER, 0, s->efer);
}

static bool has_base(const struct kvm_sregs *s)
{
	return s->ds.base || s->es.base || s->ss.base;
}

/* TF, RF, IOPL, VM and AC have bits there, too, but in the stream they are 0: QEMU adds them from the flags. CPL it takes from SS anew. */
static uint32_t hflags(const struct kvm_sregs *s, bool shadow)
{
	bool lma = s->efer >> 10 & 1, cs64 = lma && s->cs.l, cs32 = cs64 || s->cs.db, pe = s->cr0 & 1;
	uint32_t f = s->ss.dpl | (s->cr0 << HF_CR0_SHIFT & HF_CR0);

	f |= (shadow ? HF_SHADOW : 0) | (cs32 ? HF_CS32 : 0) | (s->ss.db ? HF_SS32 : 0) | (pe ? HF_PE : 0);
	f |= (lma ? HF_LMA : 0) | (cs64 ? HF_CS64 : 0) | (!cs64 && (!pe || !cs32 || has_base(s)) ? HF_ADDSEG : 0);
	f |= (s->efer >> 12 & 1 ? HF_SVME : 0) | (s->cr4 >> 9 & 1 ? HF_OSFXSR : 0);
	return f | (s->cr4 >> 21 & 1 ? HF_SMAP : 0) | (s->cr4 >> 11 & 1 ? HF_UMIP : 0);
}

static void read_events(const struct vmstate *v, struct kvm_vcpu_events *e)
{
	uint32_t request = vmstate_get(v, VMSTATE_INTERRUPT_REQUEST, 0);
	int vector = vmstate_exception(v);

	e->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	e->nmi.masked = !!(vmstate_get(v, VMSTATE_HFLAGS2, 0) & HFLAGS2_NMI_MASKED);
	e->nmi.pending = !!(request & REQUEST_NMI);
	e->interrupt.shadow = vmstate_get(v, VMSTATE_HFLAGS, 0) & HF_SHADOW ? SHADOW_ANY : 0;
	if (vector >= VECTOR_FIRST_FREE) {
		e->interrupt.injected = 1;
		e->interrupt.nr = vector;
	} else if (vector >= 0) {
		e->exception.injected = 1;
		e->exception.nr = vector;
		e->exception.has_error_code = vector_pushes_error(vector);
	} else if (request & REQUEST_MCE) {
		e->exception.pending = 1;
		e->exception.nr = VECTOR_MC;
	}
}

/* A machine check that waits is a request, as the monitor's command leaves it: it goes its own way to the gate. */
static bool write_events(struct vmstate *v, const struct kvm_vcpu_events *e)
{
	uint64_t hflags2 = vmstate_get(v, VMSTATE_HFLAGS2, 0) & ~(uint64_t)HFLAGS2_NMI_MASKED;
	bool mce = e->exception.pending && e->exception.nr == VECTOR_MC;
	int vector = -1;

	if (e->exception.injected || (e->exception.pending && !mce))
		vector = e->exception.nr;
	else if (e->interrupt.injected)
		vector = e->interrupt.nr;
	vmstate_set(v, VMSTATE_HFLAGS2, 0, hflags2 | (e->nmi.masked ? HFLAGS2_NMI_MASKED : 0));
	vmstate_set(v, VMSTATE_INTERRUPT_REQUEST, 0, (e->nmi.pending || e->nmi.injected ? REQUEST_NMI : 0) | (mce ? REQUEST_MCE : 0));
	vmstate_set(v, VMSTATE_HALTED, 0, 0);
	return vmstate_set_exception(v, vector);
}

/* Which field an MSR of machine_state is, and which element of it. */
static enum vmstate_field msr_field(unsigned n, unsigned *element)
{
	static const enum vmstate_field single[SAVED_MCI_STATUS] = {
		[SAVED_STAR] = VMSTATE_STAR, [SAVED_LSTAR] = VMSTATE_LSTAR, [SAVED_FMASK] = VMSTATE_FMASK,
		[SAVED_KERNEL_GS_BASE] = VMSTATE_KERNEL_GS_BASE, [SAVED_MCG_STATUS] = VMSTATE_MCG_STATUS, [SAVED_MCG_CTL] = VMSTATE_MCG_CTL,
	};

	*element = 0;
	if (n < SAVED_MCI_STATUS)
		return single[n];
	*element = n < SAVED_MCI_CTL ? 4 * (n - SAVED_MCI_STATUS) + 1 : 4 * (n - SAVED_MCI_CTL);
	return VMSTATE_MCE_BANKS;
}

void qemu_state_read(const struct vmstate *v, struct machine_state *out)
{
	unsigned element;

	memset(out, 0, sizeof(*out));
	read_regs(v, &out->regs);
	read_sregs(v, &out->sregs);
	read_events(v, &out->events);
	for (unsigned n = 0; n < 4; n++)
		out->debug.db[n] = vmstate_get(v, VMSTATE_DR, n);
	out->debug.dr6 = vmstate_get(v, VMSTATE_DR, 6);
	out->debug.dr7 = vmstate_get(v, VMSTATE_DR, 7);
	for (unsigned n = 0; n < SAVED_MSRS; n++) {
		enum vmstate_field field = msr_field(n, &element);

		out->msr[n] = vmstate_get(v, field, element);
	}
}

bool qemu_state_write(struct vmstate *v, const struct machine_state *s, char *err, size_t err_size)
{
	uint32_t other = vmstate_get(v, VMSTATE_HFLAGS, 0) & ~(uint32_t)HF_COMPUTED;
	unsigned element;

	write_regs(v, s->regs);
	write_sregs(v, &s->sregs);
	vmstate_set(v, VMSTATE_HFLAGS, 0, other | hflags(&s->sregs, s->events.interrupt.shadow));
	for (unsigned n = 0; n < 4; n++)
		vmstate_set(v, VMSTATE_DR, n, s->debug.db[n]);
	vmstate_set(v, VMSTATE_DR, 6, s->debug.dr6);
	vmstate_set(v, VMSTATE_DR, 7, s->debug.dr7);
	for (unsigned n = 0; n < SAVED_MSRS; n++) {
		enum vmstate_field field = msr_field(n, &element);

		vmstate_set(v, field, element, s->msr[n]);
	}
	if (write_events(v, &s->events))
		return true;
	snprintf(err, err_size, "QEMU's saved state is too long for one more exception");
	return false;
}

/* QEMU 7.2 delivers them with the APIC software-disabled, too; the architecture masks LINT1 then (SDM vol. 3, 10.4.7.2). */
void qemu_state_nmi_input(struct vmstate *v)
{
	vmstate_set(v, VMSTATE_APIC_SPURIOUS, 0, APIC_ENABLED);
	vmstate_set(v, VMSTATE_APIC_LVT, LVT_LINT1, LVT_NMI);
}
