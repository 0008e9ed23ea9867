/* SPDX-License-Identifier: MIT */
/* gsbase.c: the running thread's GS: its base, and its selector, which may not be loadable. */
#include "guest/cpu.h"
#include "guest/gsbase.h"
#include "guest/thread.h"

int load_gs(uint32_t selector);

/* Both schemes keep U in I while in the kernel. By MSR, because CR4.FSGSBASE may be 0, and because
 * SWAPGS, WRGSBASE, SWAPGS would open a window here. */
uint64_t sys_set_gs(struct abi_frame *frame)
{
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EPERM;
	thread_current()->gs_base = frame->rdi;
	cpu_wrmsr(MSR_KERNEL_GS_BASE, frame->rdi);
	return 0;
}

/* The live value: user code may have used WRGSBASE. */
uint64_t sys_get_gs(struct abi_frame *frame __attribute__((unused)))
{
	return cpu_rdmsr(MSR_KERNEL_GS_BASE);
}

/* RPL 3, because IRET takes away what user code may not have; a null selector with an RPL it would change. The load may set the
 * base or not, by the selector and by the processor: U is put back. */
uint64_t sys_load_gs(struct abi_frame *frame)
{
	uint32_t selector = frame->rdi & 0xfffc ? (frame->rdi & 0xffff) | 3 : 0;
	uint64_t gs_base = cpu_rdmsr(MSR_KERNEL_GS_BASE);
	int result;

	thread_current()->gs_base = gs_base;
	cpu_cli();
	result = load_gs(selector);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, gs_base);
	cpu_sti();
	return result;
}
