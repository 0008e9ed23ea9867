/* SPDX-License-Identifier: MIT */
/* user_prctl.S: user programs that set and read FS and GS bases by SYS_PRCTL. */
#include "guest/user.h"

	.section .user.text, "ax"

.macro PRCTL call, argument
	mov	$\call, %edi
	mov	$\argument, %rsi
	mov	$ABI_SYS_PRCTL, %eax
	syscall
.endm

#define DATA ABI_USER_DATA

/* Arguments of macros, each one word. */
	.set	last_base, ABI_TASK_SIZE_MAX - 1
	.set	last_word_but_one_byte, ABI_TASK_SIZE_MAX - 7
	.set	last_pair_but_one_byte, ABI_TASK_SIZE_MAX - 15
	.set	before_prctl, ABI_PRCTL_SET_GS - 1
	.set	after_prctl, ABI_PRCTL_GET_GS_PERCPU + 1
	.set	told, DATA + 16
	.set	room_for_two, ABI_TASK_SIZE_MAX - 0x2001

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

/* {base, stride} at DATA. */
.macro PAIR base, stride
	mov	$\base, %rsi
	mov	%rsi, DATA
	mov	$\stride, %rsi
	mov	%rsi, DATA + 8
.endm

.macro SET_PERCPU base, stride
	PAIR	\base, \stride
	PRCTL	ABI_PRCTL_SET_GS_PERCPU, DATA
.endm

.macro GET_PERCPU
	PRCTL	ABI_PRCTL_GET_GS_PERCPU, told
.endm

/* gs_percpu: a base with a stride: set, told, taken back by every other way of setting GS, and each error. */
PROGRAM gs_percpu
	mov	%rcx, %r15
	SET_GS
	GET_PERCPU						/* ENOENT */
	SET_PERCPU 0x10000, 0x1000
	GET_PERCPU
	mov	DATA + 24, %r13
	SET_PERCPU ABI_TASK_SIZE_MAX, 0				/* EPERM */
	SET_PERCPU room_for_two, 0x1001		/* EOVERFLOW: CPU 1's would not be user space's any more */
	SET_PERCPU 0x10000, 0xffffffffffffe000			/* EOVERFLOW: a stride is no way down */
	PRCTL	ABI_PRCTL_SET_GS_PERCPU, ABI_USER_UNMAPPED	/* EFAULT */
	PRCTL	ABI_PRCTL_SET_GS_PERCPU, last_pair_but_one_byte	/* EFAULT */
	PRCTL	ABI_PRCTL_GET_GS_PERCPU, ABI_USER_UNMAPPED	/* EFAULT */
	GET_PERCPU						/* none of them has changed it */
	PRCTL	ABI_PRCTL_SET_GS, 0x10000			/* what U is already */
	GET_PERCPU						/* ENOENT */
	SET_PERCPU 0, 0x2000					/* no base is a base, too */
	GET_PERCPU
	mov	$ABI_USER_SS, %edi
	mov	$ABI_SYS_LOAD_GS, %eax
	syscall
	GET_PERCPU						/* ENOENT */
	SET_PERCPU room_for_two, 0x1000		/* the last that fits */
	mov	%r15, %rcx
	jrcxz	user_gs_percpu_told
	mov	$0x5000, %edi
	wrgsbase %rdi
	GET_PERCPU						/* ENOENT: the kernel looks, and U stays */
	mov	$0x6000, %edi
	wrgsbase %rdi						/* and again */
user_gs_percpu_told:
	EXIT
END user_gs_percpu
