/* SPDX-License-Identifier: MIT */
/* user_prctl.S: user programs that set and read FS and GS bases by SYS_PRCTL. */
#include "guest/user.h"

	.section .user.text, "ax"

#define DATA ABI_USER_DATA

/* Arguments of macros, each one word. */
	.set	last_base, ABI_TASK_SIZE_MAX - 1
	.set	last_word_but_one_byte, ABI_TASK_SIZE_MAX - 7
	.set	before_prctl, ABI_PRCTL_SET_GS - 1
	.set	after_prctl, ABI_PRCTL_GET_GS_PERCPU + 1

/* prctl: each call, each of its errors, and that a base set otherwise is told truly. RDI, the base asked for, is kept in R12. */
PROGRAM prctl
	mov	%rdi, %r12
	SET_GS
	PRCTL	ABI_PRCTL_GET_GS, DATA
	mov	DATA, %r13
	PRCTL	ABI_PRCTL_SET_FS, 0x0000700012345678
	PRCTL	ABI_PRCTL_GET_FS, DATA
	mov	DATA, %r14
	PRCTL	ABI_PRCTL_SET_FS, ABI_TASK_SIZE_MAX		/* EPERM */
	PRCTL	ABI_PRCTL_SET_GS, ABI_TASK_SIZE_MAX		/* EPERM */
	PRCTL	ABI_PRCTL_SET_GS, ABI_KERNEL_VIRT		/* EPERM */
	PRCTL	ABI_PRCTL_GET_GS, ABI_USER_UNMAPPED		/* EFAULT, by a fault in the kernel */
	PRCTL	ABI_PRCTL_GET_FS, last_word_but_one_byte		/* EFAULT, without */
	PRCTL	before_prctl, 0				/* EINVAL */
	PRCTL	after_prctl, 0			/* EINVAL */
	mov	$ABI_USER_SS, %edi				/* a selector, which the next call takes back */
	mov	$ABI_SYS_LOAD_GS, %eax
	syscall
	PRCTL	ABI_PRCTL_SET_GS, last_base
	PRCTL	ABI_PRCTL_GET_GS, DATA
	mov	DATA, %r13
	EXIT
END user_prctl
