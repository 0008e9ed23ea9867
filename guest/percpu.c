/* SPDX-License-Identifier: MIT */
/* percpu.c: the per-CPU areas, and which bytes of them an event may change. */
#include "guest/percpu.h"
#include "guest/stacks.h"

struct percpu percpu_areas[ABI_CPUS];

#define COUNTER(field, why) \
	{ (uint64_t)&percpu_areas[0].field, sizeof(percpu_areas[0].field), why }

/* Counters and nothing else: what an event leaves behind on purpose. */
const struct abi_exempt abi_exempt[] = {
	COUNTER(nmi_count, "counts NMIs handled"),
	COUNTER(mce_count, "counts machine checks handled"),
	COUNTER(mce_bank_count, "counts machine check banks found valid"),
	COUNTER(db_count, "counts debug exceptions handled"),
	COUNTER(db_hit_count, "counts watchpoint hits dropped"),
};

void percpu_init(void)
{
	for (uint64_t n = 0; n < ABI_CPUS; n++) {
		percpu_areas[n].self = &percpu_areas[n];
		percpu_areas[n].cpu = n;
	}
	/* CPU 1 has an area, so that its K can be told from CPU 0's, but does not run. */
	percpu_areas[0].stack_top = (uint64_t)thread_stack + THREAD_STACK_SIZE;
}
