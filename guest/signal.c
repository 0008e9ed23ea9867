/* SPDX-License-Identifier: MIT */
/* signal.c: signals: the frame is exchanged for that of a handler, and brought back. */
#include <stdbool.h>
#include <stddef.h>

#include "guest/cpu.h"
#include "guest/report.h"
#include "guest/setframe.h"
#include "guest/signal.h"
#include "guest/thread.h"
#include "guest/usercopy.h"

#define WORDS (sizeof(struct abi_signal) / sizeof(uint64_t))

/* Word by word: what was stored before one that faults stays. */
static bool store(uint64_t to, const struct abi_signal *what)
{
	const uint64_t *word = (const uint64_t *)what;

	if (to > ABI_TASK_SIZE_MAX - sizeof(*what))
		return false;
	for (unsigned n = 0; n < WORDS; n++)
		if (put_user(to + sizeof(uint64_t) * n, word[n]))
			return false;
	return true;
}

/* The user's fault, which comes back to it like one: abi.h. Its SS is good: user code has run with it. */
static void lose(struct abi_frame *frame)
{
	if (frame->rbx >= ABI_TASK_SIZE_MAX)
		report_trap("a signal that cannot be stored", frame);
	frame->rip = frame->rbx;
	frame->cs = ABI_USER_CS;
	frame->rax = -ABI_EFAULT;
}

void signal_deliver(struct abi_frame *frame)
{
	const struct abi_signal words = {
		frame->rip, frame->cs, frame->rflags, frame->rsp, frame->ss, frame->rax, frame->rcx, frame->r11, frame->rdi,
	};
	uint64_t handler = thread_current()->handler, to = (frame->rsp - ABI_SIGNAL_GAP - sizeof(words)) & ~15ull;

	if (!handler)
		return;
	if (!store(to, &words)) {
		lose(frame);
		return;
	}
	frame->rip = handler;
	frame->cs = ABI_USER_CS;
	frame->rdi = frame->rsp = to;
	frame->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
}

uint64_t sys_handler(struct abi_frame *frame)
{
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EFAULT;
	thread_current()->handler = frame->rdi;
	return 0;
}

/* All that SYSRET needs is there again if it was before: nobody has to remember how the thread came. */
uint64_t sys_restore(struct abi_frame *frame)
{
	uint64_t word[4], pointer = frame->rdi;

	if (pointer > ABI_TASK_SIZE_MAX - sizeof(struct abi_signal))
		return -ABI_EFAULT;
	for (unsigned n = 0; n < 4; n++)
		if (get_user(pointer + offsetof(struct abi_signal, rax) + sizeof(uint64_t) * n, &word[n]))
			return -ABI_EFAULT;
	if (sys_sigreturn(frame))
		return -ABI_EFAULT;
	frame->rcx = word[1];
	frame->r11 = word[2];
	frame->rdi = word[3];
	return word[0];
}
