/* SPDX-License-Identifier: MIT */
/* switch.S: from one thread to the next: kernel stack and callee-saved registers; and what C has no word for in the
 * saving and loading of FS and GS. */
#include "guest/regs.h"
#include "guest/thread.h"

#define TSS_RSP0 4

	.section .entry.text, "ax"

/* switch_to(prev, next): returns on the next thread's stack, where that one had called it, or at thread_start.
 * On entry: A = K, I = U of the next thread already, IF = 0, RSP = the previous thread's kernel stack. An event here is from CPL 0
 * and IST, so it needs neither stack_top nor RSP0; both must be the next thread's before anything comes from CPL 3.
 *
 * good:  callee-saved registers; RSP; stack_top, RSP0 and current of this CPU; callee-saved registers
 * bad:   stack_top as it was (the next SYSCALL builds its frame on the previous thread's stack, over what waits there)
 * bad:   RSP0 as it was (so does the next exception)
 * bad:   current as it was (FS and GS are saved to, and work is done for, the wrong thread)
 */
FUNC switch_to
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, THREAD_KERNEL_SP(%rdi)
	mov	THREAD_KERNEL_SP(%rsi), %rsp
	mov	THREAD_STACK_TOP(%rsi), %rax
	mov	%rax, %gs:PERCPU_STACK_TOP
	mov	%gs:PERCPU_TSS, %rdx
	mov	%rax, TSS_RSP0(%rdx)
	mov	%rsi, %gs:PERCPU_CURRENT
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
END switch_to

/* thread_start: where a new thread's first switch_to returns to. RSP = its frame, at the top of its kernel stack; A = K, I = U,
 * IF = 0. Work may have been asked for since it was made. */
FUNC thread_start
	jmp	exit_to_user_work
END thread_start

/* The same under scheme pure: I = poison, and the thread has U. */
FUNC thread_start_pure
	jmp	exit_to_user_work_pure
END thread_start_pure

/* read_inactive_gs(): U. write_inactive_gs(base): U := base. Without an MSR, which is what FSGSBASE is there for.
 * On entry: A = K, I = U, IF = 0, because an interrupt between the two swapgs would find the kernel's CS and A = U. Any stack.
 *
 * good:  swapgs; access; swapgs
 * bad:   the access without the swapgs (reads K, which then reaches the user; or K is lost)
 * bad:   IF = 1 (an interrupt's C half on U)
 */
FUNC read_inactive_gs
	swapgs
win_read_inactive_gs_begin:
	rdgsbase %rax
	swapgs
win_read_inactive_gs_end:
	ret
END read_inactive_gs

FUNC write_inactive_gs
	swapgs
win_write_inactive_gs_begin:
	wrgsbase %rdi
	swapgs
win_write_inactive_gs_end:
	ret
END write_inactive_gs

/* load_fs(selector): 0, or -ABI_EINVAL with FS null if it cannot be loaded. A = K all along: its fault is like any of the kernel's.
 * The base is then the descriptor's, or for a null selector 0 or what it was: for the caller to put right. */
FUNC load_fs
	xor	%eax, %eax
load_fs_mov:
	mov	%edi, %fs
	ret
load_fs_bad:
	mov	$-ABI_EINVAL, %eax
	xor	%edi, %edi
	mov	%edi, %fs
	ret
END load_fs

	.section .extable, "a"
	.quad	load_fs_mov, load_fs_bad
