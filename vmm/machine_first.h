/* SPDX-License-Identifier: MIT */
/* machine_first.h: the state in which a vCPU begins, as data, the same on every engine. */
#ifndef VMM_MACHINE_FIRST_H
#define VMM_MACHINE_FIRST_H

#include "vmm/kvm.h"

/* 64-bit mode at CPL 0: RIP = entry, CR3 = page_table. *sregs is the state after reset; its APIC base, TR and LDT are kept. */
void machine_first_state(uint64_t entry, uint64_t page_table, struct kvm_regs *regs, struct kvm_sregs *sregs);

/* The flat 64-bit pair of code and stack, for the kernel or for user code. */
void machine_flat_pair(unsigned cpl, uint16_t cs, uint16_t ss, struct kvm_sregs *sregs);

#endif
