/* SPDX-License-Identifier: MIT */
/* setframe.c: frames that are given from user memory or from outside: how user code goes on is then no longer what it came with. */
#include <stdbool.h>

#include "guest/cpu.h"
#include "guest/setframe.h"
#include "guest/usercopy.h"

/* CS and SS are not looked at: no check here could be as good as IRET's own. RPL 3 keeps them from being the kernel's. */
static bool take_words(struct abi_frame *frame, uint64_t pointer, uint64_t flags, uint64_t rip_limit)
{
	uint64_t word[5];

	if (pointer > ABI_TASK_SIZE_MAX - sizeof(word))
		return false;
	for (unsigned n = 0; n < 5; n++)
		if (get_user(pointer + 8 * n, &word[n]))
			return false;
	if (word[0] > rip_limit)
		return false;
	frame->rip = word[0];
	frame->cs = (word[1] & 0xffff) | 3;
	frame->rflags = (word[2] & flags) | RFLAGS_IF | RFLAGS_FIXED;
	frame->rsp = word[3];
	frame->ss = (word[4] & 0xffff) | 3;
	return true;
}

uint64_t sys_sigreturn(struct abi_frame *frame)
{
	return take_words(frame, frame->rdi, ABI_SIGRETURN_FLAGS, ABI_TASK_SIZE_MAX - 1) ? 0 : -ABI_EFAULT;
}

/* A return that the thread itself cannot ask for: all that SYSRET needs is there, and RIP alone says whether it may be. */
uint64_t sys_set_rip(struct abi_frame *frame)
{
	frame->rip = frame->rdi;
	frame->rcx = frame->rdi;
	frame->r11 = frame->rflags;
	return 0;
}

/* The same with each of the five words: one of them may be all that speaks against SYSRET. */
uint64_t sys_set_frame(struct abi_frame *frame)
{
	if (!take_words(frame, frame->rdi, ABI_SET_FRAME_FLAGS, ~0ull))
		return -ABI_EFAULT;
	frame->rcx = frame->rip;
	frame->r11 = frame->rflags;
	return 0;
}
