/* SPDX-License-Identifier: MIT */
/* machine_first.c: the state in which a vCPU begins, as data, the same on every engine. */
#include "vmm/machine_first.h"

#include "vmm/state.h"

static const struct kvm_segment kernel_code = {
	.limit = ~0u, .selector = 0x10, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
};
static const struct kvm_segment kernel_data = {
	.limit = ~0u, .selector = 0x18, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
};
static const struct kvm_segment user_code = {
	.limit = ~0u, .selector = 0x33, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1, .dpl = 3,
};
static const struct kvm_segment user_data = {
	.limit = ~0u, .selector = 0x2b, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1, .dpl = 3,
};

/* Long mode with paging on. Not set here: CR3 and RIP (the image says), descriptor tables, MSRs, CR4.FSGSBASE
 * and CR4.MCE (the guest kernel sets them). */
static const struct kvm_sregs first = {
	.cs = kernel_code, .ss = kernel_data, .ds = kernel_data, .es = kernel_data,
	.fs = kernel_data, .gs = kernel_data,
	.cr0 = 0x80050033,              /* PG AM=0 WP NE ET MP PE */
	.cr4 = 0x620,                   /* OSXMMEXCPT OSFXSR PAE */
	.efer = 0x500,                  /* LMA LME */
};

void machine_first_state(uint64_t entry, uint64_t page_table, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	struct kvm_sregs reset = *sregs;

	*regs = (struct kvm_regs){ .rip = entry, .rflags = RFLAGS_FIXED };
	*sregs = first;
	sregs->apic_base = reset.apic_base;
	sregs->cr3 = page_table;
	sregs->tr = reset.tr;
	sregs->ldt = reset.ldt;
}

void machine_flat_pair(unsigned cpl, uint16_t cs, uint16_t ss, struct kvm_sregs *sregs)
{
	sregs->cs = cpl ? user_code : kernel_code;
	sregs->ss = cpl ? user_data : kernel_data;
	sregs->cs.selector = cs;
	sregs->ss.selector = ss;
}
