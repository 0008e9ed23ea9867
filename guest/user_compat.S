/* SPDX-License-Identifier: MIT */
/* user_compat.S: user programs that are 32-bit code for a while. */
#include "guest/user.h"

	.section .user.text, "ax"

#define DATA ABI_USER_DATA
#define BASE 0x0000000012345000
#define STRIDE 0x0000000000001000
#define UPPER_HALF 0xfedcba9800000000
#define FLAGS_PLAIN 0x202
#define FLAGS_RF    0x10202

/* To 32-bit code, on this stack: by a frame that SYSRET could take but for its CS, and for RF where that is asked for. */
.macro TO_32 label, flags=FLAGS_PLAIN
	FRAME_WORDS \label, ABI_USER32_CS, ABI_USER_SS, \flags
	mov	$ABI_SYS_SET_FRAME, %eax
	syscall
.endm

/* Back by an exception, which is 64-bit code's from there on. */
.macro TO_64 label, instruction=ud2
	mov	$\label, %ebx
	\instruction
.endm

/* A part of the program in 32-bit code, and where that ends. */
.macro FUNC_32 name
FUNC \name
	.code32
.endm
.macro END_32 name
	.code64
END \name
.endm

/* The same in both kinds of code. */
.macro CALL_32 number, argument=0
	mov	$\argument, %edi
	mov	$\number, %eax
	int	$ABI_VECTOR_INT80
.endm

.macro PRCTL_32 call, argument
	mov	$\argument, %esi
	CALL_32	ABI_SYS_PRCTL, \call
.endm

/* compat: calls of 32-bit code; what it was refused is then asked for by 64-bit code, by both ways. */
PROGRAM compat
	SET_GS
	TO_32	user_compat_32
END user_compat

FUNC_32 user_compat_32
	push	%edi					/* four bytes */
	pop	%edx
	CALL_32	ABI_SYS_ECHO, 0x87654321
	PRCTL_32 ABI_PRCTL_SET_GS_PERCPU, DATA		/* EINVAL; {RIP, CS} would do as base and stride */
	PRCTL_32 ABI_PRCTL_GET_GS_PERCPU, DATA		/* EINVAL, not ENOENT */
	PRCTL_32 ABI_PRCTL_SET_GS, BASE			/* EINVAL */
	TO_64	user_compat_64
END_32 user_compat_32

FUNC user_compat_64
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
END user_compat_64

/* compat_signal: signals that interrupt 32-bit code. Their handler is 64-bit code; behind it, and where the signal cannot be stored, goes
 * on what must. The first call is made with RF set, which it does not keep. */
PROGRAM compat_signal
	SET_GS
	TO_32	user_compat_signal_32, FLAGS_RF
END user_compat_signal

FUNC_32 user_compat_signal_32
	int	$ABI_VECTOR_INT80				/* SET_FRAME has left 0 in EAX: ECHO */
	CALL_32	ABI_SYS_HANDLER, user_compat_signal_handler
	CALL_32	ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL
	TO_64	user_compat_signal_64, int3
END_32 user_compat_signal_32

FUNC user_compat_signal_64
	mov	%rsp, %r12
	TO_32	user_compat_signal_lose
END user_compat_signal_64

FUNC_32 user_compat_signal_lose
	mov	$ABI_USER_UNMAPPED, %esp
	mov	$user_compat_signal_lost, %ebx
	CALL_32	ABI_SYS_ASK_WORK, ABI_WORK_SIGNAL
	nop						/* never */
END_32 user_compat_signal_lose

FUNC user_compat_signal_lost
	mov	%r12, %rsp
	EXIT
END user_compat_signal_lost

FUNC user_compat_signal_handler
	mov	$ABI_SYS_RESTORE, %eax
	syscall
END user_compat_signal_handler

/* compat_threads: a thread that 32-bit code has made is 32-bit code, and what an exec begins is 64-bit code. */
PROGRAM compat_threads
	SET_GS
	TO_32	user_compat_threads_32
END user_compat_threads

FUNC_32 user_compat_threads_32
	mov	$user_compat_threads_child, %ebx
	CALL_32	ABI_SYS_FORK, ABI_USER_RSP_2
	CALL_32	ABI_SYS_YIELD
	CALL_32	ABI_SYS_EXEC, user_compat_threads_exec
	nop						/* never */
END_32 user_compat_threads_32

FUNC_32 user_compat_threads_child
	CALL_32	ABI_SYS_YIELD
	jmp	user_compat_threads_child
END_32 user_compat_threads_child

FUNC user_compat_threads_exec
	YIELD
	EXIT
END user_compat_threads_exec
