/* SPDX-License-Identifier: MIT */
/* user_percpu.S: user programs with a GS base that is another one on each CPU, and counters that are reached by it. */
#include "guest/user.h"

	.section .user.text, "ax"

#define DATA ABI_USER_DATA

/* Arguments of macros, each one word. */
	.set	told, DATA + 16
	.set	told_child, DATA + 48
	.set	room_for_two, ABI_TASK_SIZE_MAX - 0x2001
	.set	last_pair_but_one_byte, ABI_TASK_SIZE_MAX - 15
	.set	counter, DATA + 0x100			/* CPU 0's; a line for each */
	.set	counter_stride, 0x40

.macro CALL number, argument
	mov	$\argument, %rdi
	mov	$\number, %eax
	syscall
.endm

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

/* gs_migrate: U is the base and as many strides as the number of the CPU, whatever way the thread goes there and back. What WRGSBASE sets is
 * no stride's, unless it is what U is already. RDI, the base asked for, is kept in R14. */
PROGRAM gs_migrate
	mov	%rdi, %r14
	mov	%rcx, %r15
	SET_GS
	TURN						/* CPU 1's own thread ends */
	SET_PERCPU 0x10000, 0x1000
	CALL	ABI_SYS_MIGRATE, 1
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_MIGRATE
	GET_PERCPU					/* as they were set */
	mov	told, %r13
	SET_PERCPU 0, 0x2000
	CALL	ABI_SYS_MIGRATE, 1			/* no base is a base, too */
	mov	%r15, %rcx
	jrcxz	user_gs_migrate_told
	rdgsbase %rdx
	wrgsbase %rdx					/* the stride holds */
	CALL	ABI_SYS_MIGRATE, 0
	CALL	ABI_SYS_MIGRATE, 1
	wrgsbase %r14
	CALL	ABI_SYS_ASK_WORK, ABI_WORK_MIGRATE	/* U stays */
	GET_PERCPU					/* ENOENT */
user_gs_migrate_told:
	EXIT
END user_gs_migrate

FUNC user_gs_migrate_cpu1
	SET_GS
	EXIT
END user_gs_migrate_cpu1

/* gs_inherit: the child has base and stride of its parent, and keeps them while the parent gets others and begins anew without. */
PROGRAM gs_inherit
	SET_GS
	SET_PERCPU 0x10000, 0x1000
	mov	$user_gs_inherit_child, %ebx
	CALL	ABI_SYS_FORK, ABI_USER_RSP_2
	YIELD
	GET_PERCPU					/* as they were set */
	mov	told, %r13
	SET_PERCPU 0, 0x2000				/* on CPU 0 that is what EXEC sets */
	CALL	ABI_SYS_EXEC, user_gs_inherit_anew
	jmp	user_gs_inherit_anew			/* never: the kernel goes there by itself */
user_gs_inherit_anew:
	GET_PERCPU					/* ENOENT */
	CALL	ABI_SYS_POKE_GS, 0x30000		/* now the child has none either */
	YIELD
	EXIT
user_gs_inherit_child:
	PRCTL	ABI_PRCTL_GET_GS_PERCPU, told_child
	mov	told_child, %r13
	mov	told_child + 8, %r14
	YIELD
	jmp	user_gs_inherit_child
END user_gs_inherit

/* counters: two threads count on one CPU, by one instruction. */
PROGRAM counters
	SET_GS
	SET_PERCPU counter, counter_stride
	mov	$user_counters_child, %ebx
	CALL	ABI_SYS_FORK, ABI_USER_RSP_2
	incq	%gs:0
	incq	%gs:0
	YIELD
	incq	%gs:0
	mov	counter, %r12
	EXIT
user_counters_child:
	incq	%gs:0
	YIELD
	jmp	user_counters_child
END user_counters

/* counters_steps: each CPU's is counted up by one instruction. Between the two POPFQ the thread goes to the other CPU behind each of its
 * instructions, by its single step. */
PROGRAM counters_steps
	SET_GS
	TURN						/* CPU 1's own thread ends */
	SET_PERCPU counter, counter_stride
	CALL	ABI_SYS_STEPS, 2
	pushq	$(1<<9|1<<8|2)				/* IF, TF */
	popfq
	incq	%gs:0
	incq	%gs:0
	incq	%gs:0
	nop
	incq	%gs:0
	pushq	$(1<<9|2)
	popfq
	CALL	ABI_SYS_STEPS, 0
	mov	counter, %r12
	mov	counter + counter_stride, %r13
	EXIT
END user_counters_steps

FUNC user_counters_steps_cpu1
	SET_GS
	EXIT
END user_counters_steps_cpu1

/* counters_migrate: the same where nothing but the timer takes the thread to the other CPU. */
PROGRAM counters_migrate
	SET_GS
	TURN
	SET_PERCPU counter, counter_stride
	incq	%gs:0
	incq	%gs:0
	GET_PERCPU
	incq	%gs:0
	mov	counter, %r12
	mov	counter + counter_stride, %r13
	EXIT
END user_counters_migrate

FUNC user_counters_migrate_cpu1
	SET_GS
	EXIT
END user_counters_migrate_cpu1
