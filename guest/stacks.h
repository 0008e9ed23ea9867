/* SPDX-License-Identifier: MIT */
/* stacks.h: sizes of the kernel stacks and the numbers of the IST ones, for C and assembly. */
#ifndef GUEST_STACKS_H
#define GUEST_STACKS_H

#include "guest/abi.h"

/* A kernel stack is a power of two long and aligned to its length, so that RSP & -size is its lowest
 * byte wherever RSP is. There the slot lies: K and ~K. Two lengths, so that a wrong mask is seen. Schemes ist and pure
 * read the slots of IST stacks, pure those of thread stacks as well. */
#define THREAD_STACK_SIZE  8192
#define IDLE_STACK_SIZE    4096
#define IST_STACK_SIZE     4096
#define IST_DB_STACK_SIZE  8192
#define IST_SLOT_BYTES     16
#define THREAD_SLOT_BYTES  16

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
/* One of each for every CPU; but thread n has thread_stack[n], on whichever CPU it runs. */
extern uint8_t thread_stack[ABI_THREADS][THREAD_STACK_SIZE], idle_stack[ABI_CPUS][IDLE_STACK_SIZE];
extern uint8_t nmi_stack[ABI_CPUS][IST_STACK_SIZE], debug_stack[ABI_CPUS][IST_DB_STACK_SIZE];

/* For each CPU: at the number in the TSS its IST stacks, at 0 the stack of the thread that begins there, and behind them its idle stack and
 * that of its second thread. */
#define STACK_IDLE 5
#define STACK_SECOND 6
#define STACKS_OF_CPU 7
extern const struct abi_stack abi_stacks[];

void stacks_init(void);
uint64_t stacks_top(unsigned cpu, unsigned number);
/* Thread n runs on this CPU from now on: its stack's slot holds that CPU's K. Before anything can come to it there. */
void stacks_move(unsigned thread, unsigned cpu);
#endif
#endif
