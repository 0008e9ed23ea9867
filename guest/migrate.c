/* SPDX-License-Identifier: MIT */
/* migrate.c: CPUs that run no thread: how a thread leaves one CPU, and how another CPU takes it. */
#include "guest/cpu.h"
#include "guest/desc.h"
#include "guest/fsgs.h"
#include "guest/gsbase.h"
#include "guest/lock.h"
#include "guest/report.h"
#include "guest/smp.h"
#include "guest/stacks.h"
#include "guest/thread.h"

/* idle.S */
void idle_enter(uint64_t top, void (*then)(uint64_t argument), uint64_t argument) __attribute__((noreturn));
void thread_enter(struct abi_frame *frame) __attribute__((noreturn));
void thread_enter_pure(struct abi_frame *frame) __attribute__((noreturn));

void cpu_idle(void) __attribute__((noreturn));

static uint64_t threads_ended;

/* Entries from user code, of which a CPU without a thread has none, would find its idle stack. IF = 0. */
static void set_stack(uint64_t top)
{
	struct percpu *cpu = percpu_this();

	cpu->stack_top = top;
	desc_set_stack(cpu->cpu, top);
}

/* It was in the kernel on behalf of user code, and its user frame is the last of its stack. A = K, I is nobody's yet; under scheme pure it never is. */
static __attribute__((noreturn)) void take(struct thread *thread)
{
	struct percpu *cpu = percpu_this();
	struct abi_frame *frame = (struct abi_frame *)thread->stack_top - 1;

	cpu->current = thread;
	cpu->incoming = 0;
	set_stack(thread->stack_top);
	stacks_move(thread->number, cpu->cpu);
	fsgs_take(thread);
	if (gsbase_in_thread())
		thread_enter_pure(frame);
	thread_enter(frame);
}

/* IF = 0 while a thread is looked for and taken. */
__attribute__((noreturn)) void cpu_idle(void)
{
	struct percpu *cpu = percpu_this();

	for (;; cpu_cli()) {
		if (cpu->incoming)
			take(cpu->incoming);
		cpu_sti();
		lock_spin();
	}
}

/* The thread is told of only here: off its stack, which the other CPU may use from then on. */
static void hand_over(uint64_t to)
{
	struct percpu *cpu = percpu_this();
	struct thread *thread = cpu->current;

	cpu->current = 0;
	percpu_areas[to].incoming = thread;
	cpu_idle();
}

static void leave(uint64_t argument __attribute__((unused)))
{
	thread_current()->runnable = false;
	percpu_this()->current = 0;
	cpu_idle();
}

static __attribute__((noreturn)) void go_idle(void (*then)(uint64_t argument), uint64_t argument)
{
	uint64_t top = stacks_top(percpu_this()->cpu, STACK_IDLE);

	set_stack(top);
	idle_enter(top, then, argument);
}

/* IF = 0: an interrupt would find the thread's FS and GS saved, and then change them. */
static __attribute__((noreturn)) void go_to(uint64_t cpu)
{
	cpu_cli();
	fsgs_save(thread_current());
	go_idle(hand_over, cpu);
}

static uint64_t other_cpu(void)
{
	return !percpu_this()->cpu;
}

int migrate_can(void)
{
	return smp_has(other_cpu());
}

void migrate_to_other(void)
{
	go_to(other_cpu());
}

uint64_t sys_migrate(struct abi_frame *frame)
{
	if (!smp_has(frame->rdi))
		return -ABI_EINVAL;
	if (frame->rdi == percpu_this()->cpu)
		return 0;
	frame->rax = 0;
	go_to(frame->rdi);
}

/* The last CPU's says how the workload ended. A second thread does not run any more: its CPU is idle from now on, but for who comes. */
uint64_t sys_exit(struct abi_frame *frame)
{
	uint64_t ended = __atomic_add_fetch(&threads_ended, 1, __ATOMIC_SEQ_CST);

	if (!smp_has(ended))
		report_done(frame->rdi);
	cpu_cli();
	go_idle(leave, 0);
}
