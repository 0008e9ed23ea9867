/* SPDX-License-Identifier: MIT */
/* fsgs.c: FS and GS of user threads: selectors, bases and the TLS descriptor, saved and loaded at a switch. */
#include "guest/cpu.h"
#include "guest/desc.h"
#include "guest/fsgs.h"
#include "guest/prctl.h"
#include "guest/thread.h"

uint64_t read_inactive_gs(void);
void write_inactive_gs(uint64_t base);
int load_gs(uint32_t selector);
int load_gs_pure(uint32_t selector);
int load_fs(uint32_t selector);

/* While in the kernel U is in I, but under scheme pure; FS base where it always is. */
static uint64_t msr_read_fs(void)
{
	return cpu_rdmsr(MSR_FS_BASE);
}

static void msr_write_fs(uint64_t base)
{
	cpu_wrmsr(MSR_FS_BASE, base);
}

static void msr_write_gs(uint64_t base)
{
	cpu_wrmsr(MSR_KERNEL_GS_BASE, base);
}

/* IF is 0 all through a switch: what the saving and restoring costs is all that it does. */
static uint64_t read_gs_2019(void)
{
	uint64_t flags = cpu_irq_save(), base = read_inactive_gs();

	cpu_irq_restore(flags);
	return base;
}

static void write_gs_2019(uint64_t base)
{
	uint64_t flags = cpu_irq_save();

	write_inactive_gs(base);
	cpu_irq_restore(flags);
}

/* A function that is NULL: nothing is done. A scheme that keeps U in the thread struct has none for GS: all of that is left to its exit. */
static const struct way {
	bool selector_wins;             /* the base of a selector that is not null is its descriptor's; others are known from who has set them */
	uint64_t (*read_gs)(void);
	uint64_t (*read_fs)(void);
	void (*write_gs)(uint64_t base);
	void (*write_fs)(uint64_t base);
	int (*load_gs)(uint32_t selector);
} ways[FSGS_WAYS] = {
	[FSGS_BY_MSR] = { true, 0, 0, msr_write_gs, msr_write_fs, load_gs },
	[FSGS_BY_INSTRUCTION] = { false, read_inactive_gs, cpu_rdfsbase, write_inactive_gs, cpu_wrfsbase, load_gs },
	[FSGS_IN_THREAD] = { false, 0, cpu_rdfsbase, 0, cpu_wrfsbase, 0 },
	[FSGS_AS_2019] = { false, read_gs_2019, msr_read_fs, write_gs_2019, msr_write_fs, load_gs },
};
static const struct way *way;

void fsgs_init(enum fsgs_way chosen)
{
	way = &ways[chosen];
}

/* Without FSGSBASE a null selector has the base that a system call has set, which is saved already; any other has its descriptor's,
 * and nothing is to be saved. A thread that has not come to its exit since GS was left to that has another's in the CPU. */
void fsgs_save(struct thread *prev)
{
	prev->fs = cpu_read_fs();
	if (!prev->gs_due)
		prev->gs = cpu_read_gs();
	if (way->read_gs)
		prev->gs_base = way->read_gs();
	if (way->read_fs)
		prev->fs_base = way->read_fs();
	if (way->selector_wins && prev->gs)
		prev->gs_base = 0;
	if (way->selector_wins && prev->fs)
		prev->fs_base = 0;
}

/* A selector is loaded only if there is one to load or to get rid of. It changes the base, or does not: so the base comes after it. The
 * base of one that has gone is not another's: without FSGSBASE there is none. */
static void load_selectors(const struct thread *prev, struct thread *next)
{
	if (way->load_gs && (prev->gs || next->gs) && way->load_gs(next->gs)) {
		next->gs = 0;
		next->gs_base = way->selector_wins ? 0 : next->gs_base;
	}
	if ((prev->fs || next->fs) && load_fs(next->fs)) {
		next->fs = 0;
		next->fs_base = way->selector_wins ? 0 : next->fs_base;
	}
}

/* U may be another one on each CPU. */
static void move_gs(struct thread *next)
{
	unsigned cpu = percpu_this()->cpu;

	next->gs_base = prctl_next_gs(next, next->gs_base, next->gs_cpu, cpu);
	next->gs_cpu = cpu;
}

/* Where a selector wins, its load has set the base already. */
void fsgs_load(const struct thread *prev, struct thread *next)
{
	next->cpu = percpu_this()->cpu;
	next->gs_due = !way->load_gs;
	if (!next->gs_due)
		move_gs(next);
	load_selectors(prev, next);
	if (way->write_gs && !(way->selector_wins && next->gs))
		way->write_gs(next->gs_base);
	if (way->write_fs && !(way->selector_wins && next->fs))
		way->write_fs(next->fs_base);
}

/* Scheme pure. The load is made on K and comes back to K: the exit writes U behind it. What is in the CPU is whoever's ran here last, and may be from
 * another descriptor, so that a selector is loaded even if it is there; and it may have gone. In entry text, as exit_to_user. */
__attribute__((section(".entry.text"))) void fsgs_exit(struct thread *own)
{
	own->gs_due = false;
	move_gs(own);
	if ((own->gs || cpu_read_gs()) && load_gs_pure(own->gs))
		own->gs = 0;
}

/* The selectors are still those of whoever ran here last. */
void fsgs_take(struct thread *next)
{
	const struct thread last = { .fs = cpu_read_fs(), .gs = cpu_read_gs() };

	fsgs_load_tls(next);
	fsgs_load(&last, next);
}

void fsgs_load_tls(const struct thread *next)
{
	desc_set_tls(next->tls);
}

uint64_t fsgs_tls_word(uint32_t base)
{
	return ABI_TLS_DESCRIPTOR | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)(base >> 24) << 56;
}

/* Only the base is kept: a selector that no longer fits it is what the caller asks for. */
int fsgs_load_fs(uint32_t selector)
{
	uint64_t base = cpu_rdmsr(MSR_FS_BASE);
	int result = load_fs(selector);

	cpu_wrmsr(MSR_FS_BASE, base);
	return result;
}

static uint64_t tls_base(uint64_t word)
{
	return (word >> 16 & 0xffffff) | (word >> 56) << 24;
}

/* A selector that wins has the base of its descriptor: only TLS has one, and it may be gone. */
static uint64_t peek(const struct thread *stopped, uint16_t selector, uint64_t base)
{
	if (!way->selector_wins || !selector)
		return base;
	return selector == ABI_TLS ? tls_base(stopped->tls) : 0;
}

uint64_t fsgs_peek_gs(const struct thread *stopped)
{
	return peek(stopped, stopped->gs, stopped->gs_base);
}

uint64_t fsgs_peek_fs(const struct thread *stopped)
{
	return peek(stopped, stopped->fs, stopped->fs_base);
}
