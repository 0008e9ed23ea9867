/* SPDX-License-Identifier: MIT */
/* user_exit.S: user programs about the way back to user code: each outcome of the kernel's decision, single steps, context tracking. */
#include "guest/user.h"

	.section .user.text, "ax"

#define FLAGS_PLAIN 0x202
#define FLAGS_TF    0x302
#define FLAGS_RF    0x10202

/* To the next instruction by a frame, and the call that takes it. If IRET refuses, RIP comes from RBX instead. */
.macro GIVE_FRAME call, cs, ss, flags
	FRAME_WORDS .Lgiven_\@, \cs, \ss, \flags
	mov	$.Lrefused_\@, %ebx
	mov	$\call, %eax
	syscall
.Lgiven_\@:
	nop
.Lrefused_\@:
.endm

.macro SET_FLAGS flags
	mov	$\flags, %eax
	push	%rax
	popfq
.endm

/* decision: SYSRET, and each reason against it alone. */
PROGRAM decision
	SET_GS
	mov	$ABI_SYS_ECHO, %eax
	syscall						/* SYSRET */
	mov	$user_decision_jumped, %edi
	mov	$ABI_SYS_JUMP, %eax
	syscall						/* RCX is the next instruction, RIP is not */
	nop						/* never */
user_decision_jumped:
	mov	$user_decision_next, %edi
	mov	$ABI_SYS_JUMP, %eax
	syscall						/* and now it is: SYSRET */
user_decision_next:
	GIVE_FRAME ABI_SYS_SIGRETURN, ABI_USER_CS, ABI_USER_SS, 0x602	/* R11 has no DF */
	cld
	GIVE_FRAME ABI_SYS_SET_FRAME, ABI_USER_CS, ABI_USER_SS, FLAGS_PLAIN	/* SYSRET */
	GIVE_FRAME ABI_SYS_SET_FRAME, ABI_ABSENT_CS, ABI_USER_SS, FLAGS_PLAIN	/* CS, and then its fault: RCX */
	GIVE_FRAME ABI_SYS_SET_FRAME, ABI_USER_CS, ABI_ABSENT_SS, FLAGS_PLAIN	/* SS */
	GIVE_FRAME ABI_SYS_SET_FRAME, ABI_USER_CS, ABI_USER_SS, FLAGS_RF	/* RF */
	mov	$1 << 47, %rdi
	mov	$user_decision_refused, %ebx
	mov	$ABI_SYS_SET_RIP, %eax
	syscall						/* RIP */
	nop						/* never */
user_decision_refused:
	mov	$user_decision_undefined, %ebx
	mov	%rbx, %rcx
	pushfq
	pop	%r11
	ud2						/* an exception, which finds all that SYSRET needs */
user_decision_undefined:
	EXIT
END user_decision

/* step: behind POP RCX is RIP and R11 is RFLAGS, TF among them: by SYSRET the step to the next instruction would be interrupted before that is
 * made, again and again. Then across a system call that returns by itself, one whose return is given, and a fault. */
PROGRAM step
	SET_GS
	SET_FLAGS FLAGS_TF
	mov	$user_step_stuck, %ecx			/* the first single step */
	pushfq
	pop	%r11
user_step_stuck:
	nop
	mov	$ABI_SYS_ECHO, %eax
	syscall						/* none: TF is 0 in the kernel, and 1 again behind it */
	mov	$user_step_faulted, %ebx
	ud2						/* none: it does not complete */
user_step_faulted:
	nop
	SET_FLAGS FLAGS_PLAIN				/* POPFQ is the last one */
	mov	$ABI_SYS_STEPS, %eax
	syscall
	GIVE_FRAME ABI_SYS_SET_FRAME, ABI_USER_CS, ABI_USER_SS, FLAGS_TF
	SET_FLAGS FLAGS_PLAIN
	GIVE_FRAME ABI_SYS_SIGRETURN, ABI_USER_CS, ABI_USER_SS, FLAGS_TF
	SET_FLAGS FLAGS_PLAIN
	mov	$ABI_SYS_STEPS, %eax
	syscall
	EXIT
END user_step

.macro RAISE vector
	mov	$\vector, %eax
	out	%al, $ABI_PORT_IPI
.endm

/* context: faults where the context must not be asked: in the body of an NMI that has interrupted user code, and of one in a system
 * call; besides, what user and kernel code has. */
PROGRAM context
	SET_GS
	mov	$1, %edi
	mov	$ABI_SYS_NMI_FAULTS, %eax
	syscall
	RAISE	ABI_VECTOR_NMI
	mov	$ABI_VECTOR_NMI, %edi
	mov	$ABI_SYS_RAISE, %eax
	syscall						/* and no more of them fault */
	RAISE	ABI_VECTOR_MC
	RAISE	ABI_VECTOR_DB
	mov	$ABI_USER_UNMAPPED, %edi
	mov	$ABI_SYS_READ, %eax
	syscall						/* #PF in the kernel */
	mov	$user_context_undefined, %ebx
	ud2
user_context_undefined:
	EXIT
END user_context
