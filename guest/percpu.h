/* SPDX-License-Identifier: MIT */
/* percpu.h: what K points to: the per-CPU area. Offsets for assembly, the struct for C. */
#ifndef GUEST_PERCPU_H
#define GUEST_PERCPU_H

#include "guest/abi.h"

#define PERCPU_SELF      0x00
#define PERCPU_STACK_TOP 0x08
#define PERCPU_USER_RSP  0x10
#define PERCPU_CURRENT   ABI_PERCPU_CURRENT
#define PERCPU_TSS       0x28

/* Of the limit that LSL of ABI_CPU_NUMBER gives: the CPU's number; its node lies above. */
#define CPU_NUMBER_BITS  12

#ifndef __ASSEMBLER__
struct thread;
struct tss;

struct percpu {
	struct percpu *self;            /* its own address: shows whether GS is right */
	uint64_t stack_top;             /* of the running thread's kernel stack */
	uint64_t user_rsp;              /* of the SYSCALL entry, until it is in the frame */
	struct thread *current;         /* the thread that runs here */
	uint64_t cpu;
	struct tss *tss;                /* this CPU's */
	uint64_t nmi_count, mce_count, mce_bank_count, db_count, db_hit_count;
	uint64_t irq_count, resched_count, work_count;
	uint64_t context, nmi_like;     /* context.c */
	uint64_t exits[ABI_EXITS];      /* exit.c */
	volatile uint64_t online;       /* it has booted */
	struct thread *volatile incoming;       /* a thread that is to go on here: only for a CPU that runs none */
	uint64_t call_count, kick_count;
	uint64_t timer_count;
} __attribute__((aligned(ABI_PERCPU_SIZE)));

extern struct percpu percpu_areas[ABI_CPUS];

/* K by the number of a CPU, for who cannot know K by GS: scheme lsl. */
extern struct percpu *percpu_bases[ABI_CPUS];

void percpu_init(void);

/* K as the symbol and the CPU's number say, not as GS says. */
struct percpu *percpu_expected(void);

/* The area as GS says. */
static inline struct percpu *percpu_this(void)
{
	struct percpu *self;

	asm volatile("mov %%gs:%c1, %0" : "=r"(self) : "i"(PERCPU_SELF));
	return self;
}
#endif
#endif
