/* SPDX-License-Identifier: MIT */
/* state.h: the machine state that rules speak of, in the manual's words and
 * independent of any hypervisor API. Plain data; every engine fills it in. */
#ifndef VMM_STATE_H
#define VMM_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* General registers in hardware numbering. */
enum gpr {
	GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15,
	GPR_COUNT
};

#define RFLAGS_FIXED (1ull << 1)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_NT (1ull << 14)
#define RFLAGS_RF (1ull << 16)
#define RFLAGS_AC (1ull << 18)
#define RFLAGS_ID (1ull << 21)

#define CR4_FSGSBASE (1ull << 16)

#define MCE_BANKS 2             /* on KVM there are no more, because a handler looks at each; of QEMU's ten these two are looked at */

struct cpu_state {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	uint64_t a;                     /* active GS base */
	uint64_t i;                     /* inactive GS base, MSR_KERNEL_GS_BASE */
	uint64_t fs_base;
	uint16_t cs, ss, ds, es, fs, gs;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t dr[4], dr6, dr7;
	uint64_t idt_base, gdt_base, tss_base;
	uint16_t idt_limit, gdt_limit, tr, ldt;
	uint64_t star, lstar, fmask;
	uint64_t mcg_status, mcg_ctl, mci_status[MCE_BANKS], mci_ctl[MCE_BANKS];
	bool nmi_masked, nmi_pending;   /* NMIs blocked; one latched */
	bool event_pending;             /* an exception or interrupt about to be delivered */
	uint8_t shadow;                 /* STI or MOV SS shadow, KVM's bits */
};

/* "RAX" ... "R15". */
const char *gpr_name(enum gpr n);

/* Bits 63 to 47 are equal: 48 bits of address (SDM vol. 1, 3.3.7.1). */
static inline bool cpu_is_canonical(uint64_t at)
{
	return at >> 47 == 0 || at >> 47 == 0x1ffff;
}

static inline unsigned cpu_cpl(const struct cpu_state *s)
{
	return s->cs & 3;
}

#endif
