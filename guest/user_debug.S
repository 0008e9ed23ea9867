/* SPDX-License-Identifier: MIT */
/* user_debug.S: user programs about debug registers: what nobody may watch, and instruction breakpoints, INT3 in the kernel. */
#include "guest/user.h"

	.section .user.text, "ax"

.macro CALL number, argument
	mov	$\argument, %rdi
	mov	$\number, %eax
	syscall
.endm

/* forbidden: everything on the kernel's list is refused, and what is not on it is not; no breakpoint lies on kernel text. */
PROGRAM forbidden
	SET_GS
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_GDT
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_IDT
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_TSS
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_PERCPU
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_THREAD
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_STACKS
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_DEBUG
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN_BASES
	CALL	ABI_SYS_WATCH_KERNEL, ABI_FORBIDDEN	/* there is no such kind */
	CALL	ABI_SYS_WATCH_KERNEL, ABI_WATCH_ALLOWED
	CALL	ABI_SYS_BREAK, entry_SYSCALL_64
	CALL	ABI_SYS_BREAK, do_syscall_64
	CALL	ABI_SYS_WATCH, nmi_stack
	CALL	ABI_SYS_WATCH_KERNEL, ABI_WATCH_NOTHING
	EXIT
END user_forbidden

/* breakpoints: in a loop, where it comes in the first round, and at SYSCALL. The way there is never the kernel's. */
PROGRAM breakpoints
	SET_GS
	CALL	ABI_SYS_BREAK, user_breakpoints_here
	mov	$2, %ecx
user_breakpoints_again:
	nop
user_breakpoints_here:
	mov	%rbp, %rdx
	loop	user_breakpoints_again
	CALL	ABI_SYS_BREAK, user_breakpoints_call	/* one until now */
	mov	$ABI_SYS_ECHO, %eax
user_breakpoints_call:
	syscall
	CALL	ABI_SYS_BREAK, user_breakpoints_never	/* one */
	jmp	user_breakpoints_taken
user_breakpoints_never:
	nop
user_breakpoints_taken:
	CALL	ABI_SYS_BREAK, 0			/* none */
	nop
	EXIT
END user_breakpoints

PROGRAM breakpoint_kernel
	SET_GS
	CALL	ABI_SYS_RAISE, ABI_VECTOR_BP
	EXIT
END user_breakpoint_kernel
