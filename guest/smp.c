/* SPDX-License-Identifier: MIT */
/* smp.c: what CPUs do for each other: interrupts, calls, and a reschedule or another GS base for the other one's thread. */
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/gsbase.h"
#include "guest/lock.h"
#include "guest/percpu.h"
#include "guest/prctl.h"
#include "guest/smp.h"
#include "guest/thread.h"
#include "guest/trap.h"
#include "guest/work.h"

static uint64_t cpu_count;

static struct lock call_lock;
static struct {
	void (*function)(uint64_t argument);
	uint64_t argument;
	volatile uint64_t done;
} call;

void smp_init(uint64_t cpus)
{
	cpu_count = cpus;
	for (uint64_t n = 1; n < cpus; n++)
		while (!percpu_areas[n].online)
			lock_spin();
}

int smp_has(uint64_t cpu)
{
	return cpu < cpu_count;
}

static unsigned other_cpu(void)
{
	return !percpu_this()->cpu;
}

static void send(unsigned cpu, unsigned vector)
{
	cpu_outl(ABI_PORT_IPI, cpu << 8 | vector);
}

void smp_call(unsigned cpu, void (*function)(uint64_t argument), uint64_t argument)
{
	lock_take(&call_lock);
	call.function = function;
	call.argument = argument;
	call.done = 0;
	send(cpu, ABI_VECTOR_CALL);
	while (!call.done)
		lock_spin();
	lock_give(&call_lock);
}

void exc_call(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	percpu_this()->call_count++;
	call.function(call.argument);
	call.done = 1;
}

/* That it came is all: its exit looks at the flags. */
void exc_kick(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	percpu_this()->kick_count++;
}

/* The flag first: a CPU that is interrupted and finds no flag goes back to user code, and nobody tells it again. */
uint64_t sys_resched_other(struct abi_frame *frame __attribute__((unused)))
{
	work_request_on(other_cpu());
	send(other_cpu(), ABI_VECTOR_KICK);
	return 0;
}

/* The live value of a running thread is in a register of its CPU, which nobody else can write. */
static void set_gs(uint64_t base)
{
	if (!thread_current())
		return;
	prctl_cancel_percpu();
	user_gs_base_set(base);
}

uint64_t sys_set_gs_other(struct abi_frame *frame)
{
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EPERM;
	smp_call(other_cpu(), set_gs, frame->rdi);
	return 0;
}
