/* SPDX-License-Identifier: MIT */
/* work.c: what must be done before a thread goes back to user code, and the interrupts that ask for it. */
#include "guest/cpu.h"
#include "guest/percpu.h"
#include "guest/thread.h"
#include "guest/trap.h"
#include "guest/work.h"

volatile uint64_t event_request;

bool work_is_requested(void)
{
	if (!event_request)
		return false;
	event_request = 0;
	return true;
}

void work_request_own(void)
{
	thread_current()->work |= WORK_RESCHED;
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
		work_request_own();
	else
		work_request_by_interrupt();
}

/* IF = 0 while another thread's FS and GS are loaded and its stack taken. A thread that has just been made does not come back to the end of
 * this: it begins with IF = 0. */
static void schedule(void)
{
	cpu_cli();
	thread_current()->work &= ~(uint64_t)WORK_RESCHED;
	percpu_this()->work_count++;
	thread_reschedule();
	cpu_sti();
	cpu_nop();                      /* in the shadow, so that interrupts may come before the caller's next instruction */
}

void work_do(void)
{
	if (thread_current()->work & WORK_RESCHED)
		schedule();
}

void exc_interrupt(struct abi_frame *frame __attribute__((unused)))
{
	trap_check_entry();
	percpu_this()->irq_count++;
}

void exc_reschedule(struct abi_frame *frame __attribute__((unused)))
{
	trap_check_entry();
	percpu_this()->resched_count++;
	work_request_own();
}

void exc_timer(struct abi_frame *frame __attribute__((unused)))
{
	trap_check_entry();
	percpu_this()->timer_count++;
	work_request_own();
}
