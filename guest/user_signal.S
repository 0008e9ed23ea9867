/* SPDX-License-Identifier: MIT */
/* user_signal.S: a user program that sends signals to itself: by system calls, by single steps, and where they cannot be stored. */
#include "guest/user.h"

	.section .user.text, "ax"

#define FLAGS_PLAIN 0x202
#define FLAGS_TF    0x302

.macro CALL number, argument
	mov	$\argument, %edi
	mov	$\number, %eax
	syscall
.endm

.macro SET_FLAGS flags
	mov	$\flags, %eax
	push	%rax
	popfq
.endm

/* A signal while RSP is this one. Nothing can be stored there, or not all. */
.macro LOSE rsp
	mov	%rsp, %r12
	mov	$\rsp, %esp
	mov	$.Llost_\@, %ebx
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL
	nop					/* never */
.Llost_\@:
	mov	%r12, %rsp
.endm

PROGRAM signal
	SET_GS
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL	/* nobody wants it */
	CALL	ABI_SYS_HANDLER, user_signal_handler
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL
	std
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_RESCHED + ABI_WORK_SIGNAL + ABI_WORK_NOTIFY
	cld
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_NOTIFY	/* one until now */
	LOSE	ABI_USER_UNMAPPED
	LOSE	ABI_USER_STACK + 0x1000 + ABI_SIGNAL_GAP + 0x20
	CALL	ABI_SYS_STEPS, 1			/* from now on each single step sends one */
	SET_FLAGS FLAGS_TF
	mov	$user_signal_stuck, %ecx
	pushfq
	pop	%r11
user_signal_stuck:
	nop					/* RCX is RIP, R11 is RFLAGS, TF among them */
	mov	$ABI_SYS_ECHO, %eax
	syscall
	nop
	SET_FLAGS FLAGS_PLAIN
	CALL	ABI_SYS_STEPS, 0
	EXIT
END user_signal

/* RDI and RSP are the stored words. */
PROGRAM signal_handler
	mov	(%rdi), %rdx
	mov	$ABI_SYS_RESTORE, %eax
	syscall
END user_signal_handler
