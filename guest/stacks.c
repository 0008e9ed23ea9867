/* SPDX-License-Identifier: MIT */
/* stacks.c: every kernel stack, the table of them, and the K slots at their bottoms. */
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/vector.h"

#define POWER_OF_TWO(n) ((n) > 0 && ((n) & ((n) - 1)) == 0)
_Static_assert(POWER_OF_TWO(THREAD_STACK_SIZE), "RSP & -size must find the slot");
_Static_assert(POWER_OF_TWO(IST_STACK_SIZE), "RSP & -size must find the slot");
_Static_assert(POWER_OF_TWO(IST_DB_STACK_SIZE), "RSP & -size must find the slot");

uint8_t thread_stack[ABI_THREADS][THREAD_STACK_SIZE] __attribute__((aligned(THREAD_STACK_SIZE)));
uint8_t idle_stack[ABI_CPUS][IDLE_STACK_SIZE] __attribute__((aligned(4096)));
uint8_t nmi_stack[ABI_CPUS][IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
static uint8_t double_fault_stack[ABI_CPUS][IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
static uint8_t machine_check_stack[ABI_CPUS][IST_STACK_SIZE] __attribute__((aligned(IST_STACK_SIZE)));
uint8_t debug_stack[ABI_CPUS][IST_DB_STACK_SIZE] __attribute__((aligned(IST_DB_STACK_SIZE)));

#define STACK(cpu, stack, slot_bytes, vectors, text) \
	{ (uint64_t)(stack)[cpu], sizeof((stack)[cpu]), slot_bytes, cpu, vectors, text }
#define THREAD(cpu, number) \
	{ (uint64_t)thread_stack[number], sizeof(thread_stack[number]), THREAD_SLOT_BYTES, cpu, 0, "thread" }
_Static_assert(ABI_THREADS_OF_CPU == 2, "a line for each thread");

#define STACKS(n) \
	[(n) * STACKS_OF_CPU + IST_NONE] = THREAD(n, (n) * ABI_THREADS_OF_CPU), \
	[(n) * STACKS_OF_CPU + IST_NMI] = STACK(n, nmi_stack, NMI_SLOT_BYTES, 1u << VECTOR_NMI, "nmi"), \
	[(n) * STACKS_OF_CPU + IST_DF] = STACK(n, double_fault_stack, IST_SLOT_BYTES, 1u << VECTOR_DF, "double-fault"), \
	[(n) * STACKS_OF_CPU + IST_MC] = STACK(n, machine_check_stack, IST_SLOT_BYTES, 1u << VECTOR_MC, "machine-check"), \
	[(n) * STACKS_OF_CPU + IST_DB] = STACK(n, debug_stack, IST_SLOT_BYTES, 1u << VECTOR_DB, "debug"), \
	[(n) * STACKS_OF_CPU + STACK_IDLE] = STACK(n, idle_stack, 0, ABI_STACK_IDLE, "idle"), \
	[(n) * STACKS_OF_CPU + STACK_SECOND] = THREAD(n, (n) * ABI_THREADS_OF_CPU + 1)

const struct abi_stack abi_stacks[] = { STACKS(0), STACKS(1) };
#define STACK_COUNT (sizeof(abi_stacks) / sizeof(abi_stacks[0]))
_Static_assert(STACK_COUNT == ABI_CPUS * STACKS_OF_CPU, "one line of STACKS for each CPU");

static void set_slot(const struct abi_stack *stack, unsigned cpu)
{
	uint64_t *slot = (uint64_t *)stack->base, k = (uint64_t)&percpu_areas[cpu];

	if (!stack->slot_bytes)
		return;
	slot[0] = k;
	slot[1] = ~k;
}

/* Filled under every scheme, so that one image has one memory layout. */
void stacks_init(void)
{
	for (unsigned n = 0; n < STACK_COUNT; n++)
		set_slot(&abi_stacks[n], abi_stacks[n].cpu);
}

void stacks_move(unsigned thread, unsigned cpu)
{
	unsigned which = thread % ABI_THREADS_OF_CPU ? STACK_SECOND : IST_NONE;

	set_slot(&abi_stacks[thread / ABI_THREADS_OF_CPU * STACKS_OF_CPU + which], cpu);
}

uint64_t stacks_top(unsigned cpu, unsigned number)
{
	const struct abi_stack *stack = &abi_stacks[cpu * STACKS_OF_CPU + number];

	return stack->base + stack->size;
}
