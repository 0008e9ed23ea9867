/* SPDX-License-Identifier: MIT */
/* regs.h: assembler macros that build and undo struct abi_frame. None of them
 * touches GS or leaves the current stack: those instructions are spelled where they happen. */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

#include "guest/abi.h"

/* ABI_NO_ERROR for assembly, as PUSH takes it: an immediate that the CPU sign-extends. */
#define FRAME_NO_ERROR -1

#ifdef __ASSEMBLER__
/* A named place. Global, because a case id names a boundary by the nearest global symbol. Not aligned:
 * padding inside entry text would be boundaries that mean nothing. */
.macro FUNC name
	.globl	\name
	.type	\name, @function
\name:
.endm

/* A place inside of a function that another file must know, or that boundaries are better named by. */
.macro PLACE name
	.globl	\name
\name:
.endm

.macro END name
	.size	\name, . - \name
.endm

/* Needs RSP at the error code. Afterwards RSP is the frame. rdx= and rcx= say where the values of RDX and RCX are, if the
 * register itself is in use as a scratch register. */
.macro PUSH_REGS rdx=%rdx, rcx=%rcx
	pushq	%rdi
	pushq	%rsi
	pushq	\rdx
	pushq	\rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
.endm

/* No value of the interrupted code is left in a register for the kernel to use by mistake. */
.macro CLEAR_REGS
	xor	%edi, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%ecx, %ecx
	xor	%eax, %eax
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
.endm

/* Needs RSP at the frame. Afterwards RSP is at the error code. */
.macro POP_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm

/* Calls handler(frame) with the frame at RSP. Every frame ends 16-aligned and is 8 mod 16 long, so
 * eight bytes are missing to the alignment that C expects at a call. */
.macro CALL_C handler
	mov	%rsp, %rdi
	sub	$8, %rsp
	call	\handler
	add	$8, %rsp
.endm
#endif

#endif
