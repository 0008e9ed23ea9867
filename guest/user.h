/* SPDX-License-Identifier: MIT */
/* user.h: how every user program begins and ends. */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include "guest/regs.h"

#ifdef __ASSEMBLER__
/* A program of this name; on CPU 1 its thread begins at user_NAME_cpu1, a second thread at user_NAME_2, and on CPU 1 at user_NAME_cpu1_2, if there
 * is such a symbol. */
.macro PROGRAM name
	.pushsection .programs, "a"
	.weak	user_\name\()_cpu1, user_\name\()_2, user_\name\()_cpu1_2
	.quad	.Lprogram_\name, user_\name, user_\name\()_cpu1, user_\name\()_2, user_\name\()_cpu1_2
	.popsection
	.pushsection .rodata
.Lprogram_\name:
	.asciz	"\name"
	.popsection
FUNC user_\name
.endm

/* U := RDI, by the user's own means or by asking the kernel. RDI, RSI and what is on the stack are kept. */
.macro SET_GS
	jrcxz	.Lask_\@
	wrgsbase %rdi
	jmp	.Lset_\@
.Lask_\@:
	mov	$ABI_SYS_SET_GS, %eax
	syscall
.Lset_\@:
.endm

/* SYS_PRCTL; arguments of one word. */
.macro PRCTL call, argument
	mov	$\call, %edi
	mov	$\argument, %rsi
	mov	$ABI_SYS_PRCTL, %eax
	syscall
.endm

/* Five words at RDI, which is ABI_USER_DATA: user code goes on there, with this RSP as it is. For the calls that take a frame. */
.macro FRAME_WORDS rip, cs, ss, flags
	mov	$ABI_USER_DATA, %edi
	movq	$\rip, (%rdi)
	movq	$\cs, 8(%rdi)
	movq	$\flags, 16(%rdi)
	mov	%rsp, 24(%rdi)
	movq	$\ss, 32(%rdi)
.endm

/* The turn of this CPU's other thread. */
.macro YIELD
	mov	$ABI_SYS_YIELD, %eax
	syscall
.endm

.macro RESCHED_OTHER
	mov	$ABI_SYS_RESCHED_OTHER, %eax
	syscall
.endm

/* The other CPU's turn. */
.macro TURN
	out	%al, $ABI_PORT_SPIN
.endm

/* A wrong value that a program has seen cannot be told here: comparing needs flags. The bench has looked. */
.macro EXIT
	mov	$0, %edi
	mov	$ABI_SYS_EXIT, %eax
	syscall
.Lexited_\@:
	jmp	.Lexited_\@
.endm
#endif

#endif
