/* SPDX-License-Identifier: MIT */
/* debug_calls.c: the system calls about debug registers: what user code may watch and break at, and what nobody may. */
#include "guest/debug.h"
#include "guest/smp.h"
#include "guest/thread.h"
#include "guest/watchable.h"

uint64_t sys_watch(struct abi_frame *frame)
{
	if (frame->rdi % sizeof(uint64_t))
		return -ABI_EINVAL;
	if (frame->rdi > ABI_TASK_SIZE_MAX - sizeof(uint64_t))
		return -ABI_EFAULT;
	return debug_watch_user(frame->rdi);
}

/* No breakpoint on kernel text, whatever text it is: in entry text a #DB would come with the user's GS and stack. */
uint64_t sys_break(struct abi_frame *frame)
{
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EFAULT;
	return debug_break_user(frame->rdi);
}

/* The first and the last word of each range, as a debugger of the kernel would ask for them. */
static uint64_t try_forbidden(unsigned kind)
{
	uint64_t start, size, accepted = 0;

	for (unsigned n = 0; watchable_forbidden(kind, n, &start, &size); n++) {
		accepted += debug_watch_kernel(start & ~7ull);
		accepted += debug_watch_kernel((start + size - 1) & ~7ull);
	}
	return accepted;
}

uint64_t sys_watch_kernel(struct abi_frame *frame)
{
	if (frame->rdi < ABI_FORBIDDEN)
		return try_forbidden(frame->rdi);
	if (frame->rdi == ABI_WATCH_ALLOWED)
		return debug_watch_kernel((uint64_t)debug_watch_word);
	if (frame->rdi == ABI_WATCH_NOTHING)
		return debug_watch_kernel(0);
	return -ABI_EINVAL;
}

uint64_t sys_steps(struct abi_frame *frame)
{
	uint64_t steps = thread_current()->steps;

	if (frame->rdi & 2 && !migrate_can())
		return -ABI_EINVAL;
	thread_current()->steps = 0;
	thread_current()->step_signals = frame->rdi & 1;
	thread_current()->step_moves = frame->rdi & 2;
	return steps;
}
