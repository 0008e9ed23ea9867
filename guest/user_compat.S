/* SPDX-License-Identifier: MIT */
/* user_compat.S: a user program that is 32-bit code for a while. */
#include "guest/user.h"

	.section .user.text, "ax"

#define DATA ABI_USER_DATA
#define BASE 0x0000000012345000
#define STRIDE 0x0000000000001000
#define UPPER_HALF 0xfedcba9800000000

/* As user.h has it, by the way of 32-bit code. */
.macro PRCTL_32 call, argument
	mov	$\call, %edi
	mov	$\argument, %esi
	mov	$ABI_SYS_PRCTL, %eax
	int	$ABI_VECTOR_INT80
.endm

/* compat: to 32-bit code by a frame that SYSRET could take but for its CS; calls from there; back by an exception. What it was refused
 * there is then asked for by 64-bit code, by both ways. */
PROGRAM compat
	SET_GS
	mov	$DATA, %edi
	movq	$user_compat_32, (%rdi)
	movq	$ABI_USER32_CS, 8(%rdi)
	movq	$0x202, 16(%rdi)
	mov	%rsp, 24(%rdi)
	movq	$ABI_USER_SS, 32(%rdi)
	mov	$ABI_SYS_SET_FRAME, %eax
	syscall
	.code32
user_compat_32:
	mov	$0x76543210, %edi
	mov	$ABI_SYS_ECHO, %eax
	int	$ABI_VECTOR_INT80
	PRCTL_32 ABI_PRCTL_SET_GS_PERCPU, DATA		/* EINVAL; {RIP, CS} would do as base and stride */
	PRCTL_32 ABI_PRCTL_GET_GS_PERCPU, DATA		/* EINVAL, not ENOENT */
	PRCTL_32 ABI_PRCTL_SET_GS, BASE			/* EINVAL */
	mov	$user_compat_64, %ebx
	ud2
	.code64
user_compat_64:
	PRCTL	ABI_PRCTL_GET_GS_PERCPU, DATA		/* ENOENT: nothing has been set */
	mov	$DATA, %edi
	movq	$BASE, (%rdi)
	movq	$STRIDE, 8(%rdi)
	PRCTL	ABI_PRCTL_SET_GS_PERCPU, DATA
	PRCTL_32 ABI_PRCTL_GET_GS_PERCPU, DATA		/* EINVAL: it is the call that has 32 bits, not the code */
	PRCTL	ABI_PRCTL_GET_GS_PERCPU, DATA
	mov	$UPPER_HALF + ABI_SYS_ECHO, %rax
	mov	$UPPER_HALF, %rdi
	mov	%rdi, %rsi
	int	$ABI_VECTOR_INT80				/* upper halves count for nothing */
	EXIT
END user_compat
