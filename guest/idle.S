/* SPDX-License-Identifier: MIT */
/* idle.S: leaving a thread's stack for the CPU's own, and the way back to user code of a thread that has come. */
#include "guest/regs.h"

	.section .entry.text, "ax"
/* idle_enter(top, then, argument): A = K, IF = 0, on a thread's stack, of which nothing is needed any more: then(argument) on the
 * stack that ends at top. It does not return.
 *
 * bad:   anything kept on the thread's stack, or IF = 1: another CPU may have it once `then` has told of it
 */
FUNC idle_enter
	mov	%rdi, %rsp
	mov	%rdx, %rdi
	call	*%rsi
	ud2
END idle_enter

/* thread_enter(frame): A = K, I = U, IF = 0, on the idle stack; per-CPU area and TSS name the thread's. frame is the last of it. */
FUNC thread_enter
	mov	%rdi, %rsp
	jmp	exit_to_user_work
END thread_enter

/* The same under scheme pure: I = poison, and the thread has U. */
FUNC thread_enter_pure
	mov	%rdi, %rsp
	jmp	exit_to_user_work_pure
END thread_enter_pure
