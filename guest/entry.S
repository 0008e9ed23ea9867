/* SPDX-License-Identifier: MIT */
/* entry.S: the SYSCALL entry and the two ways back to user code, SYSRET and IRET.
 *
 * A is the active GS base, I the inactive one, K the kernel's value, U the user's. win_*_begin/end mark the
 * windows: boundaries at CPL 0 where A is, or may be, not K. An event there must be an IST one. */
#include "guest/percpu.h"
#include "guest/regs.h"

	.section .entry.text, "ax"

/* entry_SYSCALL_64
 * The CPU has: RCX = user RIP, R11 = user RFLAGS, RFLAGS less FMASK (so IF DF TF NT AC are 0), CS and SS the
 * kernel's. It has saved nothing else and switched nothing: RSP is the user's, A = U, I = K. RAX is the number.
 *
 * good:  swapgs; user RSP to its per-CPU place; thread stack from its per-CPU place; frame
 * bad:   any %gs: access before swapgs     (address chosen by the user)
 * bad:   a push before the stack is ours   (write to an address chosen by the user, at CPL 0)
 */
FUNC entry_SYSCALL_64
win_syscall_entry_begin:
	swapgs
win_syscall_entry_end:
	/* A = K, I = U, RSP still the user's: an IST event is safe, any other would push to user memory. */
	mov	%rsp, %gs:PERCPU_USER_RSP
	mov	%gs:PERCPU_STACK_TOP, %rsp
	/* The thread stack, empty: from here on every kind of event may come. */
	pushq	$ABI_USER_SS
	pushq	%gs:PERCPU_USER_RSP
	pushq	%r11				/* RFLAGS */
	pushq	$ABI_USER_CS
	pushq	%rcx				/* RIP */
	pushq	%rax				/* error: the number, which the result will not overwrite */
	PUSH_REGS
	CLEAR_REGS
	CALL_C	do_syscall_64
	test	%al, %al			/* the one decision, made in C */
	jz	exit_to_user_iret
	jmp	exit_to_user_sysret
END entry_SYSCALL_64

/* exit_to_user_sysret
 * On entry: RSP = frame on the thread stack, A = K, I = U, IF = 0. C has found RCX = RIP and R11 = RFLAGS in
 * the frame, RIP below ABI_TASK_SIZE_MAX, CS and SS the user's.
 *
 * good:  registers; user RSP; swapgs; sysretq
 * bad:   a %gs: access after swapgs (user memory), or a second swapgs (A = K would reach the user)
 * bad:   sysretq to RCX that is not canonical (#GP at CPL 0, some CPUs, with the user's RSP and GS)
 */
FUNC exit_to_user_sysret
	POP_REGS
	mov	FRAME_RSP - FRAME_ERROR(%rsp), %rsp
	/* A = K, I = U, RSP the user's: IST events only from here to the end. */
	swapgs
win_sysret_exit_begin:
	sysretq
win_sysret_exit_end:
END exit_to_user_sysret

/* exit_to_user_iret
 * On entry: RSP = frame with the user's CS, on the thread stack, A = K, I = U, IF = 0.
 * The frame's five words are the last of the thread stack. IRET faults if it cannot load CS or SS: at CPL 0, with A = U.
 * error_entry knows its address.
 *
 * good:  registers; drop the error code; swapgs; iretq
 * bad:   swapgs twice or never: A = K and I = U at CPL 3, so the user reads K and the next entry runs on U
 * bad:   a second iretq to user code at an address that error_entry does not know (its fault: C on U)
 */
FUNC exit_to_user_iret
	POP_REGS
	add	$8, %rsp
	swapgs
win_iret_exit_begin:
	/* A = U, I = K, RSP = the five words that IRET takes, still on the thread stack. */
PLACE exit_to_user_iretq
	iretq
win_iret_exit_end:
END exit_to_user_iret
