/* SPDX-License-Identifier: MIT */
/* stacks.c: every kernel stack, the table of them, and the K slots at their bottoms. */
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/vector.h"

#define POWER_OF_TWO(n) ((n) > 0 && ((n) & ((n) - 1)) == 0)
_Static_assert(POWER_OF_TWO(IST_STACK_SIZE), "RSP & -size must find the slot");
_Static_assert(POWER_OF_TWO(IST_DB_STACK_SIZE), "RSP & -size must find the slot");

uint8_t thread_stack[ABI_THREADS][THREAD_STACK_SIZE] __attribute__((aligned(THREAD_STACK_SIZE)));
uint8_t nmi_stack[IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
static uint8_t double_fault_stack[IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
static uint8_t machine_check_stack[IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
uint8_t debug_stack[IST_DB_STACK_SIZE] __attribute__((aligned(IST_DB_STACK_SIZE)));

#define THREAD(n, text) { (uint64_t)thread_stack[n], THREAD_STACK_SIZE, 0, 0, 0, text }
#define IST(stack, vector, slot_bytes, text) \
	{ (uint64_t)(stack), sizeof(stack), slot_bytes, 0, 1u << (vector), text }

/* The index is the number in the TSS; 0, which no IST has, is the first thread's stack, and the others' come last. */
const struct abi_stack abi_stacks[] = {
	[IST_NONE] = THREAD(0, "thread"),
	[IST_NMI] = IST(nmi_stack, VECTOR_NMI, NMI_SLOT_BYTES, "nmi"),
	[IST_DF] = IST(double_fault_stack, VECTOR_DF, IST_SLOT_BYTES, "double-fault"),
	[IST_MC] = IST(machine_check_stack, VECTOR_MC, IST_SLOT_BYTES, "machine-check"),
	[IST_DB] = IST(debug_stack, VECTOR_DB, IST_SLOT_BYTES, "debug"),
	[IST_DB + 1] = THREAD(1, "thread-2"),
};
#define STACK_COUNT (sizeof(abi_stacks) / sizeof(abi_stacks[0]))

/* Filled under every scheme, so that one image has one memory layout. */
void stacks_init(void)
{
	for (unsigned n = 0; n < STACK_COUNT; n++) {
		uint64_t *slot = (uint64_t *)abi_stacks[n].base;
		uint64_t k = (uint64_t)&percpu_areas[abi_stacks[n].cpu];

		if (!abi_stacks[n].slot_bytes)
			continue;
		slot[0] = k;
		slot[1] = ~k;
	}
}

uint64_t stacks_ist_top(unsigned ist)
{
	return abi_stacks[ist].base + abi_stacks[ist].size;
}
