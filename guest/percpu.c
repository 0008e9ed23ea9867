/* SPDX-License-Identifier: MIT */
/* percpu.c: the per-CPU areas, and which bytes of them an event may change. */
#include "guest/desc.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/thread.h"
#include "guest/vector.h"

struct percpu percpu_areas[ABI_CPUS];
struct percpu *percpu_bases[ABI_CPUS];

#define COUNTER(field, vector, why) \
	{ (uint64_t)&percpu_areas[0].field, sizeof(percpu_areas[0].field), vector, why }, \
	{ (uint64_t)&percpu_areas[1].field, sizeof(percpu_areas[1].field), vector, why }
#define KEEPS_U(thread) \
	{ (uint64_t)&threads[thread].gs_base, sizeof(uint64_t), ABI_KEEPS_U, "U under scheme pure, while the kernel runs" }
#define SAVED(thread) \
	{ (uint64_t)&threads[thread], THREAD_SAVED, ABI_SWITCH_STORES, "FS, GS, TLS, RSP of a thread, saved" }
#define NESTED(cpu) \
	{ (uint64_t)nmi_stack[cpu] + NMI_LATCH, sizeof(uint64_t), ABI_WHILE_NESTED, "NMIs owed" }, \
	{ (uint64_t)nmi_stack[cpu] + IST_STACK_SIZE - 48, 48, ABI_WHILE_NESTED, "the CPU's words and RDX of an NMI inside an NMI" }
_Static_assert(ABI_CPUS == 2 && ABI_THREADS == 4, "a line for each CPU, and for each thread");

/* Counters and nothing else: what an event leaves behind on purpose. */
const struct abi_exempt abi_exempt[] = {
	COUNTER(nmi_count, VECTOR_NMI, "counts NMIs handled"),
	COUNTER(mce_count, VECTOR_MC, "counts machine checks handled"),
	COUNTER(mce_bank_count, VECTOR_MC, "counts machine check banks found valid"),
	COUNTER(db_count, VECTOR_DB, "counts debug exceptions handled"),
	COUNTER(db_hit_count, VECTOR_DB, "counts watchpoint hits dropped"),
	COUNTER(irq_count, VECTOR_IRQ, "counts interrupts of the bench handled"),
	COUNTER(resched_count, VECTOR_RESCHED, "counts reschedule interrupts handled"),
	COUNTER(work_count, ABI_COUNTS_WORK, "counts reschedules done on the way to user code"),
	KEEPS_U(0), KEEPS_U(1), KEEPS_U(2), KEEPS_U(3),
	COUNTER(timer_count, VECTOR_TIMER, "counts timer interrupts handled"),
	COUNTER(call_count, VECTOR_CALL, "counts calls from other CPUs"),
	COUNTER(kick_count, VECTOR_KICK, "counts kicks from other CPUs"),
	NESTED(0),
	NESTED(1),
	SAVED(0), SAVED(1), SAVED(2), SAVED(3),
	COUNTER(user_rsp, ABI_SWITCH_STORES, "RSP of the last SYSCALL"),
};

struct percpu *percpu_expected(void)
{
	return &percpu_areas[desc_cpu()];
}

void percpu_init(void)
{
	for (uint64_t n = 0; n < ABI_CPUS; n++) {
		percpu_areas[n].self = &percpu_areas[n];
		percpu_bases[n] = &percpu_areas[n];
		percpu_areas[n].cpu = n;
		percpu_areas[n].stack_top = stacks_top(n, IST_NONE);
	}
}
