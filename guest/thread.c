/* SPDX-License-Identifier: MIT */
/* thread.c: the user threads: where each begins, and whose turn it is. */
#include "guest/cpu.h"
#include "guest/fsgs.h"
#include "guest/gsbase.h"
#include "guest/stacks.h"
#include "guest/thread.h"

#define GPR(n) ((uint64_t)ABI_USER_GPR_2 + (n) * (uint64_t)ABI_USER_GPR_STEP)

struct thread threads[ABI_THREADS];

/* What switch_to takes from the stack of the thread that it goes to. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	void (*resume)(void);
};

void switch_to(struct thread *prev, struct thread *next);
void thread_start(void), thread_start_pure(void);

/* No register of it equals one of the first threads'. */
static void second_frame(struct abi_frame *f, unsigned cpu, const struct cmdline *args, bool fsgsbase)
{
	*f = (struct abi_frame){
		.rax = GPR(0), .rcx = fsgsbase, .rdx = GPR(2), .rbx = GPR(3),
		.rbp = GPR(5), .rsi = GPR(6), .rdi = ABI_USER_GS_2 + cpu * ABI_USER_GS_2_STEP,
		.r8 = GPR(8), .r9 = GPR(9), .r10 = GPR(10), .r11 = GPR(11),
		.r12 = GPR(12), .r13 = GPR(13), .r14 = GPR(14), .r15 = GPR(15),
		.error = ABI_NO_ERROR,
		.rip = args->program_2[cpu], .cs = ABI_USER_CS, .rflags = RFLAGS_IF | RFLAGS_FIXED,
		.rsp = ABI_USER_RSP_2 - cpu * ABI_THREADS_OF_CPU * ABI_USER_STACK_STEP, .ss = ABI_USER_SS,
	};
}

static void begin_on(unsigned cpu, const struct cmdline *args, bool fsgsbase)
{
	static const struct thread nothing;
	struct thread *runs = &threads[cpu * ABI_THREADS_OF_CPU];
	struct abi_frame first;

	runs->runnable = true;
	percpu_areas[cpu].current = runs;
	if (args->threads <= args->cpus)
		return;
	second_frame(&first, cpu, args, fsgsbase);
	thread_make(cpu, &first, &nothing);
}

void thread_init(const struct cmdline *args, bool fsgsbase)
{
	for (unsigned n = 0; n < ABI_THREADS; n++) {
		threads[n].number = n;
		threads[n].stack_top = (uint64_t)thread_stack[n] + THREAD_STACK_SIZE;
		threads[n].cpu = threads[n].gs_cpu = n / ABI_THREADS_OF_CPU;
	}
	for (unsigned cpu = 0; cpu < args->cpus; cpu++)
		begin_on(cpu, args, fsgsbase);
}

/* In turn, from the one after it on; another CPU's are not this one's business. */
static struct thread *next_after(const struct thread *thread)
{
	unsigned own = thread - threads;

	for (unsigned n = 1; n < ABI_THREADS; n++) {
		struct thread *next = &threads[(own + n) % ABI_THREADS];

		if (next->runnable && next->cpu == thread->cpu)
			return next;
	}
	return &threads[own];
}

struct thread *thread_other(const struct thread *thread)
{
	struct thread *other = next_after(thread);

	return other == thread ? 0 : other;
}

/* Its kernel stack as if it had called switch_to on the way out: the frame at the top, and below it what leads there. */
struct thread *thread_make(unsigned cpu, const struct abi_frame *first, const struct thread *like)
{
	struct thread *made = &threads[cpu * ABI_THREADS_OF_CPU + 1];
	struct abi_frame *frame = (struct abi_frame *)made->stack_top - 1;
	struct switch_frame *start = (struct switch_frame *)frame - 1;

	if (made->runnable)
		return 0;
	*frame = *first;
	*start = (struct switch_frame){ .resume = gsbase_in_thread() ? thread_start_pure : thread_start };
	*made = (struct thread){
		.gs_base = like->gs_base, .fs_base = like->fs_base, .gs = like->gs, .fs = like->fs, .tls = like->tls,
		.gs_is_percpu = like->gs_is_percpu, .gs_percpu = like->gs_percpu, .gs_cpu = like->gs_cpu,
		.kernel_sp = (uint64_t)start, .stack_top = made->stack_top, .number = made->number, .cpu = made->cpu, .runnable = true,
	};
	return made;
}

/* Selectors and bases are saved while the GDT still has the descriptor that they were loaded from, and loaded when it has the next
 * thread's. */
void thread_reschedule(void)
{
	struct thread *prev = thread_current(), *next = next_after(prev);

	if (next == prev)
		return;
	fsgs_save(prev);
	fsgs_load_tls(next);
	fsgs_load(prev, next);
	switch_to(prev, next);
}
