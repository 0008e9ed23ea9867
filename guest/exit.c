/* SPDX-License-Identifier: MIT */
/* exit.c: the last C code before user code runs again: what is still to do, and by which instruction it goes back. */
#include <stddef.h>

#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/exit.h"
#include "guest/fsgs.h"
#include "guest/percpu.h"
#include "guest/thread.h"
#include "guest/work.h"

/* "Canonical and the user's" is a comparison with one number as long as addresses have so many bits. Wider ones need a look at
 * exit_refusal(), at the tables of boot.S and at the end of user space, where SYSCALL could leave a RIP beyond it. */
_Static_assert(ABI_VIRTUAL_BITS == 12 + 9 * ABI_PAGE_TABLE_LEVELS, "the page tables translate another width");
_Static_assert(ABI_TASK_SIZE_MAX == (1ull << (ABI_VIRTUAL_BITS - 1)) - 4096, "user space ends elsewhere");

#define ENTRY_TEXT __attribute__((section(".entry.text")))

#define COUNTER(number, name) \
	[number] = { offsetof(struct percpu, exits) + (number) * sizeof(uint64_t), name }

const struct abi_exit abi_exits[ABI_EXITS] = {
	COUNTER(ABI_EXIT_SYSRET, "by SYSRET"),
	COUNTER(ABI_EXIT_IRET, "by IRET"),
	COUNTER(ABI_EXIT_RCX, "RCX is not RIP"),
	COUNTER(ABI_EXIT_R11, "R11 is not RFLAGS"),
	COUNTER(ABI_EXIT_CS, "CS is not SYSRET's"),
	COUNTER(ABI_EXIT_SS, "SS is not SYSRET's"),
	COUNTER(ABI_EXIT_RIP, "RIP is out of user space"),
	COUNTER(ABI_EXIT_RF, "RF is set"),
	COUNTER(ABI_EXIT_TF, "TF is set"),
};

/* The flags are looked at again with IF = 0 each time: an interrupt that asks for more may come while work is done. */
static ENTRY_TEXT void work_loop(struct abi_frame *frame)
{
	while (thread_current()->work) {
		cpu_sti();
		work_do(frame);
		cpu_cli();
	}
}

/* Why SYSRET may not take this frame back, the first reason in the order of abi.h; ABI_EXIT_SYSRET if there is none. SYSRET takes RIP
 * from RCX and RFLAGS from R11, has fixed CS and SS, faults at CPL 0 on a RIP that is not canonical, cannot set RF, and
 * with TF traps before the user's next instruction. */
static ENTRY_TEXT unsigned exit_refusal(const struct abi_frame *frame)
{
	if (frame->rcx != frame->rip)
		return ABI_EXIT_RCX;
	if (frame->r11 != frame->rflags)
		return ABI_EXIT_R11;
	if (frame->cs != ABI_USER_CS)
		return ABI_EXIT_CS;
	if (frame->ss != ABI_USER_SS)
		return ABI_EXIT_SS;
	if (frame->rip >= ABI_TASK_SIZE_MAX)
		return ABI_EXIT_RIP;
	if (frame->rflags & RFLAGS_RF)
		return ABI_EXIT_RF;
	if (frame->rflags & RFLAGS_TF)
		return ABI_EXIT_TF;
	return ABI_EXIT_SYSRET;
}

ENTRY_TEXT bool exit_to_user(struct abi_frame *frame)
{
	uint64_t *count = percpu_this()->exits;
	unsigned refusal;

	work_loop(frame);
	if (thread_current()->gs_due)
		fsgs_exit(thread_current());
	refusal = exit_refusal(frame);
	count[refusal]++;
	if (refusal != ABI_EXIT_SYSRET)
		count[ABI_EXIT_IRET]++;
	context_leave();
	return refusal == ABI_EXIT_SYSRET;
}
