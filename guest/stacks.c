/* SPDX-License-Identifier: MIT */
/* stacks.c: every kernel stack, the table of them, and the K slots at their bottoms. */
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/vector.h"

#define POWER_OF_TWO(n) ((n) > 0 && ((n) & ((n) - 1)) == 0)
_Static_assert(POWER_OF_TWO(THREAD_STACK_SIZE), "RSP & -size must find the slot");
_Static_assert(POWER_OF_TWO(IST_STACK_SIZE), "RSP & -size must find the slot");
_Static_assert(POWER_OF_TWO(IST_DB_STACK_SIZE), "RSP & -size must find the slot");

uint8_t thread_stack[THREAD_STACK_SIZE] __attribute__((aligned(THREAD_STACK_SIZE)));
uint8_t nmi_stack[IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
static uint8_t double_fault_stack[IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
static uint8_t machine_check_stack[IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
uint8_t debug_stack[IST_DB_STACK_SIZE] __attribute__((aligned(IST_DB_STACK_SIZE)));

#define IST(stack, vector, slot_bytes, text) \
	{ (uint64_t)(stack), sizeof(stack), slot_bytes, 0, 1u << (vector), text }

/* The index is the number in the TSS; 0, which no IST has, is the thread stack. */
const struct abi_stack abi_stacks[] = {
	[IST_NONE] = { (uint64_t)thread_stack, sizeof(thread_stack), THREAD_SLOT_BYTES, 0, 0, "thread" },
	[IST_NMI] = IST(nmi_stack, VECTOR_NMI, NMI_SLOT_BYTES, "nmi"),
	[IST_DF] = IST(double_fault_stack, VECTOR_DF, IST_SLOT_BYTES, "double-fault"),
	[IST_MC] = IST(machine_check_stack, VECTOR_MC, IST_SLOT_BYTES, "machine-check"),
	[IST_DB] = IST(debug_stack, VECTOR_DB, IST_SLOT_BYTES, "debug"),
};
#define STACK_COUNT (sizeof(abi_stacks) / sizeof(abi_stacks[0]))

void stacks_give(uint64_t base, uint64_t cpu)
{
	uint64_t *slot = (uint64_t *)base, k = (uint64_t)&percpu_areas[cpu];

	slot[0] = k;
	slot[1] = ~k;
}

/* Filled under every scheme, so that one image has one memory layout. */
void stacks_init(void)
{
	for (unsigned n = 0; n < STACK_COUNT; n++)
		stacks_give(abi_stacks[n].base, abi_stacks[n].cpu);
}

uint64_t stacks_ist_top(unsigned ist)
{
	return abi_stacks[ist].base + abi_stacks[ist].size;
}
