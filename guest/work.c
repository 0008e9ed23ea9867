/* SPDX-License-Identifier: MIT */
/* work.c: what must be done before a thread goes back to user code, and the interrupts that ask for it. */
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/percpu.h"
#include "guest/signal.h"
#include "guest/thread.h"
#include "guest/trap.h"
#include "guest/work.h"

volatile uint64_t thread_work;
volatile uint64_t event_request;

bool work_is_requested(void)
{
	if (!event_request)
		return false;
	event_request = 0;
	return true;
}

void work_request_own(uint64_t what)
{
	thread_work |= what;
}

void work_request_by_interrupt(void)
{
	cpu_outb(ABI_PORT_IPI, ABI_VECTOR_RESCHED);
}

void work_request(const struct abi_frame *frame)
{
	if (!work_is_requested())
		return;
	if (trap_from_user(frame))
		work_request_own(WORK_RESCHED);
	else
		work_request_by_interrupt();
}

/* One thread in this version: it is scheduled again at once. */
static void schedule(void)
{
	thread_work &= ~(uint64_t)WORK_RESCHED;
	percpu_this()->work_count++;
}

/* Each flag is taken back before its work is done: what asks for it in between asks again. The signal is the last one: it changes the
 * frame. */
void work_do(struct abi_frame *frame)
{
	if (thread_work & WORK_RESCHED)
		schedule();
	if (thread_work & WORK_NOTIFY) {
		thread_work &= ~(uint64_t)WORK_NOTIFY;
		thread_current()->notified++;
	}
	if (thread_work & WORK_SIGNAL) {
		thread_work &= ~(uint64_t)WORK_SIGNAL;
		signal_deliver(frame);
	}
}

uint64_t sys_ask_work(struct abi_frame *frame)
{
	if (frame->rdi & ~(uint64_t)(WORK_RESCHED | WORK_SIGNAL | WORK_NOTIFY))
		return -ABI_EINVAL;
	work_request_own(frame->rdi);
	return thread_current()->notified;
}

void exc_interrupt(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	percpu_this()->irq_count++;
}

void exc_reschedule(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	percpu_this()->resched_count++;
	work_request_own(WORK_RESCHED);
}
