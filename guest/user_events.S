/* SPDX-License-Identifier: MIT */
/* user_events.S: user programs that bring NMIs, machine checks and debug exceptions with them, from user code and from the kernel. Their
 * handlers are part of the golden run, and other events can come inside of them. */
#include "guest/stacks.h"
#include "guest/user.h"

	.section .user.text, "ax"

/* The user's own event: it comes at the boundary after the OUT. */
.macro RAISE vector
	mov	$\vector, %eax
	out	%al, $ABI_PORT_IPI
.endm

/* The same by the kernel, which it interrupts in the middle of the system call. */
.macro RAISE_IN_KERNEL vector
	mov	$\vector, %edi
	mov	$ABI_SYS_RAISE, %eax
	syscall
.endm

/* nmi: the last one's body faults, and from the IRET of that on NMIs are unmasked in its handler. */
PROGRAM nmi
	SET_GS
	RAISE	ABI_VECTOR_NMI
	RAISE_IN_KERNEL ABI_VECTOR_NMI
	RAISE_IN_KERNEL ABI_VECTOR_NMI + ABI_RAISE_FAULT
	mov	%rsp, %r12			/* a lie about where the kernel is: SYSCALL keeps RSP */
	mov	$nmi_stack + IST_STACK_SIZE, %rsp
	mov	$ABI_SYS_ECHO, %eax
	syscall
	mov	%r12, %rsp
	EXIT
END user_nmi

/* nmi_again: an NMI that is interrupted by another one, after its body has faulted. */
PROGRAM nmi_again
	SET_GS
	RAISE_IN_KERNEL ABI_VECTOR_NMI + ABI_RAISE_FAULT + ABI_RAISE_AGAIN
	EXIT
END user_nmi_again

PROGRAM machine_check
	SET_GS
	RAISE	ABI_VECTOR_MC
	RAISE_IN_KERNEL ABI_VECTOR_MC
	EXIT
END user_machine_check

PROGRAM debug
	SET_GS
	RAISE	ABI_VECTOR_DB
	RAISE_IN_KERNEL ABI_VECTOR_DB
	EXIT
END user_debug

/* What is watched from here on; the syscall returns how often what was watched before has been touched. */
.macro WATCH address
	mov	$\address, %edi
	mov	$ABI_SYS_WATCH, %eax
	syscall
.endm

/* watch: each kind of access to the watched word, whole and in part, and its neighbours; then by the kernel for the user. */
PROGRAM watch
	SET_GS
	mov	$debug_stack, %rdi		/* refused: K in its slot is read on the way into each #DB */
	mov	$ABI_SYS_WATCH, %eax
	syscall
	WATCH	ABI_USER_DATA + 8
	mov	%rbx, (%rdi)
	mov	-4(%rdi), %rdx			/* its first half */
	mov	7(%rdi), %edx			/* its last byte */
	mov	%rbp, 8(%rdi)			/* beside it: no hit */
	mov	-8(%rdi), %rdx
	mov	%rsp, %r12
	lea	8(%rdi), %rsp
	push	%rbx
	pop	%rdx
	mov	%r12, %rsp
	mov	$ABI_SYS_READ, %eax
	syscall
	WATCH	ABI_USER_STACK			/* 6 hits */
	mov	%rbp, ABI_USER_DATA + 8		/* no more */
	mov	%rbp, (%rdi)
	WATCH	0				/* 1 hit */
	mov	%rbx, ABI_USER_STACK		/* nothing is watched */
	EXIT
END user_watch
