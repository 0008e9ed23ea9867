/* SPDX-License-Identifier: MIT */
/* stacks.h: sizes of the kernel stacks and the numbers of the IST ones, for C and assembly. */
#ifndef GUEST_STACKS_H
#define GUEST_STACKS_H

#include "guest/abi.h"

/* An IST stack is a power of two long and aligned to its length, so that RSP & -size is its lowest
 * byte wherever RSP is. There the slot lies: K and ~K. Two lengths, so that a wrong mask is seen. */
#define THREAD_STACK_SIZE  8192
#define IST_STACK_SIZE     4096
#define IST_DB_STACK_SIZE  8192
#define IST_SLOT_BYTES     16

/* The NMI stack's slot has a word more: how many NMIs have arrived on this stack and are not done with. */
#define NMI_LATCH          16
#define NMI_SLOT_BYTES     32

/* Numbers in the TSS (1..7); 0 in a gate means no IST. */
#define IST_NONE 0
#define IST_NMI  1
#define IST_DF   2
#define IST_MC   3
#define IST_DB   4

#ifndef __ASSEMBLER__
extern uint8_t thread_stack[ABI_THREADS][THREAD_STACK_SIZE], nmi_stack[IST_STACK_SIZE], debug_stack[IST_DB_STACK_SIZE];

extern const struct abi_stack abi_stacks[];

void stacks_init(void);
uint64_t stacks_ist_top(unsigned ist);
#endif
#endif
