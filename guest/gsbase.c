/* SPDX-License-Identifier: MIT */
/* gsbase.c: the running thread's GS: its base, and its selector, which may not be loadable. */
#include <stdbool.h>

#include "guest/cpu.h"
#include "guest/gsbase.h"
#include "guest/prctl.h"
#include "guest/thread.h"

int load_gs(uint32_t selector);
int load_gs_pure(uint32_t selector);

/* Where U is while the kernel runs: in the thread under scheme pure, in I under the others. */
static bool in_thread;

bool gsbase_in_thread(void)
{
	return in_thread;
}

void gsbase_init(enum scheme scheme)
{
	in_thread = scheme == SCHEME_PURE;
}

/* The live value: user code may have used WRGSBASE. I by MSR, because CR4.FSGSBASE may be 0, and because SWAPGS, WRGSBASE, SWAPGS
 * would open a window here. */
uint64_t user_gs_base(void)
{
	return in_thread ? thread_current()->gs_base : cpu_rdmsr(MSR_KERNEL_GS_BASE);
}

void user_gs_base_set(uint64_t base)
{
	thread_current()->gs_base = base;
	if (!in_thread)
		cpu_wrmsr(MSR_KERNEL_GS_BASE, base);
}

uint64_t sys_set_gs(struct abi_frame *frame)
{
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EPERM;
	prctl_cancel_percpu();
	user_gs_base_set(frame->rdi);
	return 0;
}

uint64_t sys_get_gs(struct abi_frame *frame __attribute__((unused)))
{
	return user_gs_base();
}

/* The load may set the base or not, by the selector and by the processor: U is put back. */
static int load_selector(uint32_t selector)
{
	uint64_t gs_base = user_gs_base();
	int result;

	thread_current()->gs_base = gs_base;
	cpu_cli();
	result = in_thread ? load_gs_pure(selector) : load_gs(selector);
	if (!in_thread)
		cpu_wrmsr(MSR_KERNEL_GS_BASE, gs_base);
	cpu_sti();
	return result;
}

/* Scheme pure leaves null, which nothing refuses, to the exit. Whether any other can be loaded the processor alone knows: it is tried, and then is in
 * the CPU already. */
int gsbase_load_selector(uint32_t selector)
{
	struct thread *own = thread_current();

	if (!in_thread || selector)
		return load_selector(selector);
	own->gs = 0;
	own->gs_due = true;
	return 0;
}

/* RPL 3, because IRET takes away what user code may not have; a null selector with an RPL it would change. */
uint64_t sys_load_gs(struct abi_frame *frame)
{
	prctl_cancel_percpu();
	return gsbase_load_selector(frame->rdi & 0xfffc ? (frame->rdi & 0xffff) | 3 : 0);
}
