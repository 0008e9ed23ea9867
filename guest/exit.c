/* SPDX-License-Identifier: MIT */
/* exit.c: the last C code before user code runs again: what is still to do, and by which instruction it goes back. */
#include "guest/cpu.h"
#include "guest/exit.h"
#include "guest/thread.h"
#include "guest/work.h"

/* The flags are looked at again with IF = 0 each time: an interrupt that asks for more may come while work is done. */
__attribute__((section(".entry.text"))) void exit_to_user_loop(struct abi_frame *frame __attribute__((unused)))
{
	while (thread_current()->work) {
		cpu_sti();
		work_do();
		cpu_cli();
	}
}

/* SYSRET takes RIP from RCX and RFLAGS from R11, has fixed CS and SS, faults at CPL 0 on a RIP that is not
 * canonical, cannot set RF, and with TF traps before the user's next instruction. */
bool exit_by_sysret(const struct abi_frame *frame)
{
	return frame->rcx == frame->rip && frame->r11 == frame->rflags &&
	       frame->cs == ABI_USER_CS && frame->ss == ABI_USER_SS &&
	       frame->rip < ABI_TASK_SIZE_MAX && !(frame->rflags & (RFLAGS_RF | RFLAGS_TF));
}
