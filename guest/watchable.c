/* SPDX-License-Identifier: MIT */
/* watchable.c: the list of what no data watchpoint may lie on, with the reason for each: a #DB that comes on the way into #DB, before its
 * handler has disarmed DR7, begins at the top of the same stack, and has no end. */
#include "guest/cpu.h"
#include "guest/debug.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/thread.h"
#include "guest/watchable.h"

struct range {
	uint64_t start, size;
};

/* The CPU's own tables are asked of the CPU: a trap there would come in the middle of a delivery. */
static struct range gdt(unsigned n)
{
	struct cpu_table t;

	cpu_sgdt(&t);
	return (struct range){ t.base, n ? 0 : t.limit + 1ull };
}

static struct range idt(unsigned n)
{
	struct cpu_table t;

	cpu_sidt(&t);
	return (struct range){ t.base, n ? 0 : t.limit + 1ull };
}

/* By its descriptor, SDM vol. 3, figure 8-4. */
static struct range tss(unsigned n)
{
	const uint64_t *d = (const uint64_t *)(gdt(0).start + (ABI_TSS & ~7));
	uint64_t base = (d[0] >> 16 & 0xffffff) | (d[0] >> 56) << 24 | d[1] << 32;

	return (struct range){ base, n ? 0 : (d[0] & 0xffff) + 1 };
}

static struct range percpu(unsigned n)
{
	return (struct range){ (uint64_t)&percpu_areas[n], n < ABI_CPUS ? sizeof(percpu_areas[n]) : 0 };
}

static struct range thread(unsigned n)
{
	return (struct range){ (uint64_t)&threads[n], n < ABI_THREADS ? sizeof(struct thread) : 0 };
}

static struct range stack(unsigned n)
{
	if (n >= ABI_CPUS * STACKS_OF_CPU)
		return (struct range){ 0, 0 };
	return (struct range){ abi_stacks[n].base, abi_stacks[n].size };
}

static struct range bases(unsigned n)
{
	return (struct range){ (uint64_t)percpu_bases, n ? 0 : sizeof(percpu_bases) };
}

static struct range debug(unsigned n)
{
	return n ? (struct range){ 0, 0 } : (struct range){ (uint64_t)&debug_state, sizeof(debug_state) };
}

static const struct {
	struct range (*range)(unsigned n);      /* size 0: there is no n-th */
	const char *why;
} forbidden[ABI_FORBIDDEN] = {
	[ABI_FORBIDDEN_GDT] = { gdt, "read at each load of a selector: delivery, IRET" },
	[ABI_FORBIDDEN_IDT] = { idt, "read at each delivery" },
	[ABI_FORBIDDEN_TSS] = { tss, "read at each change of the stack by delivery" },
	[ABI_FORBIDDEN_PERCPU] = { percpu, "read and written by the entries, before C" },
	[ABI_FORBIDDEN_THREAD] = { thread, "where an entry may put U, before C" },
	[ABI_FORBIDDEN_STACKS] = { stack, "frames are pushed there, and IST entries read their slot" },
	[ABI_FORBIDDEN_BASES] = { bases, "where scheme lsl finds K" },
	[ABI_FORBIDDEN_DEBUG] = { debug, "what the #DB handler itself works with" },
};

bool watchable_forbidden(unsigned kind, unsigned n, uint64_t *start, uint64_t *size)
{
	struct range r = forbidden[kind].range(n);

	*start = r.start;
	*size = r.size;
	return r.size;
}

bool watchable(uint64_t address, uint64_t size)
{
	uint64_t start, length;

	for (unsigned kind = 0; kind < ABI_FORBIDDEN; kind++)
		for (unsigned n = 0; watchable_forbidden(kind, n, &start, &length); n++)
			if (address < start + length && start < address + size)
				return false;
	return true;
}
