/* SPDX-License-Identifier: MIT */
/* work.c: what must be done before a thread goes back to user code, and the interrupts that ask for it. */
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/percpu.h"
#include "guest/signal.h"
#include "guest/smp.h"
#include "guest/thread.h"
#include "guest/trap.h"
#include "guest/work.h"

volatile uint64_t event_request;

static uint64_t timer_asks = WORK_RESCHED;

void work_init(const struct cmdline *args)
{
	if (args->timer_migrates)
		timer_asks = WORK_MIGRATE;
}

bool work_is_requested(void)
{
	if (!event_request)
		return false;
	event_request = 0;
	return true;
}

static void request(struct thread *thread, uint64_t what)
{
	__atomic_or_fetch(&thread->work, what, __ATOMIC_SEQ_CST);
}

void work_request_own(uint64_t what)
{
	struct thread *here = thread_current();

	if (here)                       /* an idle CPU has nobody to schedule again */
		request(here, what);
}

void work_request_on(unsigned cpu)
{
	struct thread *there = percpu_areas[cpu].current;

	if (there)
		request(there, WORK_RESCHED);
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

/* IF = 0 while another thread's FS and GS are loaded and its stack taken. A thread that has just been made does not come back to the end of
 * this: it begins with IF = 0. */
static void schedule(void)
{
	cpu_cli();
	__atomic_and_fetch(&thread_current()->work, ~(uint64_t)WORK_RESCHED, __ATOMIC_SEQ_CST);
	percpu_this()->work_count++;
	thread_reschedule();
	cpu_sti();
	cpu_nop();                      /* in the shadow, so that interrupts may come before the caller's next instruction */
}

static bool take_back(uint64_t what)
{
	return __atomic_fetch_and(&thread_current()->work, ~what, __ATOMIC_SEQ_CST) & what;
}

/* Each flag is taken back before its work is done: what asks for it in between asks again. The signal changes the frame, so it comes behind the
 * others; the other CPU is gone to last of all, because the way out begins anew there. */
void work_do(struct abi_frame *frame)
{
	if (thread_current()->work & WORK_RESCHED)
		schedule();
	if (take_back(WORK_NOTIFY))
		thread_current()->notified++;
	if (take_back(WORK_SIGNAL))
		signal_deliver(frame);
	if (take_back(WORK_MIGRATE))
		migrate_to_other();
}

uint64_t sys_ask_work(struct abi_frame *frame)
{
	if (frame->rdi & ~(uint64_t)(WORK_RESCHED | WORK_SIGNAL | WORK_NOTIFY | WORK_MIGRATE))
		return -ABI_EINVAL;
	if (frame->rdi & WORK_MIGRATE && !migrate_can())
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

void exc_timer(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	percpu_this()->timer_count++;
	work_request_own(timer_asks);
}
