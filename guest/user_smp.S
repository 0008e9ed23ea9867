/* SPDX-License-Identifier: MIT */
/* user_smp.S: user programs of two CPUs. user_NAME runs on CPU 0 and begins, user_NAME_cpu1 on CPU 1. The other one runs where a
 * program says so, where the kernel waits, and where an interrupt is sent. */
#include "guest/user.h"

	.section .user.text, "ax"

/* two_cpus: each kind of entry and exit on each CPU while the other one stands in the middle of its own program. */
.macro VISIT cpu
	SET_GS
	TURN
	mov	$0xfedcba9876543211, %rdi
	mov	$ABI_SYS_ECHO, %eax
	syscall					/* SYSCALL, SYSRET */
	TURN
	mov	$.Lundefined_\cpu, %ebx
	ud2					/* a gate, IRET */
.Lundefined_\cpu:
	TURN
	mov	$ABI_USER_UNMAPPED, %esi
	mov	$.Lloaded_\cpu, %ebx
	mov	(%rsi), %rdx			/* a gate with an error code, IRET */
.Lloaded_\cpu:
	TURN
	mov	$ABI_SYS_YIELD, %eax
	syscall					/* work on the way out */
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	EXIT
.endm

PROGRAM two_cpus
	VISIT 0
END user_two_cpus

FUNC user_two_cpus_cpu1
	VISIT 1
END user_two_cpus_cpu1

/* ipi: each asks for a reschedule of the other, which is in user code, and is itself in the system call when it is asked back. One asks
 * once more than the other: who has done it can be told. */
PROGRAM ipi
	SET_GS
	TURN
	RESCHED_OTHER
	nop
	TURN
	RESCHED_OTHER
	mov	$ABI_SYS_ECHO, %eax
	syscall
	EXIT
END user_ipi

FUNC user_ipi_cpu1
	SET_GS
	TURN
	nop
	RESCHED_OTHER
	TURN
	mov	$ABI_SYS_ECHO, %eax
	syscall
	EXIT
END user_ipi_cpu1

/* remote_gs: each sets the other one's U, and each looks at its own. The empty turns keep a call apart from the system calls that set
 * or return U: in those it would be a race. */
.macro SET_GS_OTHER value
	mov	$\value, %rdi
	mov	$ABI_SYS_SET_GS_OTHER, %eax
	syscall
.endm

PROGRAM remote_gs
	SET_GS
	TURN
	TURN
	SET_GS_OTHER 0x3000
	TURN
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	SET_GS_OTHER ABI_TASK_SIZE_MAX		/* refused */
	EXIT
END user_remote_gs

FUNC user_remote_gs_cpu1
	SET_GS
	TURN
	TURN
	nop
	SET_GS_OTHER 0x200003000
	TURN
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	EXIT
END user_remote_gs_cpu1

/* boot: both come up. */
PROGRAM boot
	SET_GS
	EXIT
END user_boot

FUNC user_boot_cpu1
	SET_GS
	EXIT
END user_boot_cpu1

/* migrate: CPU 1's own thread ends at once. The other one goes there, makes each kind of entry, and comes back. */
.macro MIGRATE cpu
	mov	$\cpu, %edi
	mov	$ABI_SYS_MIGRATE, %eax
	syscall
.endm

PROGRAM migrate
	SET_GS
	TURN
	MIGRATE 1
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	mov	$user_migrate_undefined, %ebx
	ud2
user_migrate_undefined:
	MIGRATE 0
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	mov	$user_migrate_again, %ebx
	ud2
user_migrate_again:
	MIGRATE 2				/* there is none */
	EXIT
END user_migrate

FUNC user_migrate_cpu1
	SET_GS
	EXIT
END user_migrate_cpu1

/* gs_moves: what a thread has in GS goes with it, and what lies in the GS of the CPU that it comes to does not stay: CPU 1's own thread has left a
 * selector there, later the one that moves does itself. A stride, which takes the selector back, is added anew. */
.macro CALL_KERNEL number, argument
	mov	$\argument, %edi
	mov	$\number, %eax
	syscall
.endm

PROGRAM gs_moves
	SET_GS
	TURN
	MIGRATE 1				/* has no selector */
	CALL_KERNEL ABI_SYS_LOAD_GS, ABI_USER_SS
	MIGRATE 0				/* has one */
	mov	$0x10000, %esi
	mov	%rsi, ABI_USER_DATA
	mov	$0x1000, %esi
	mov	%rsi, ABI_USER_DATA + 8
	mov	$ABI_USER_DATA, %esi
	CALL_KERNEL ABI_SYS_PRCTL, ABI_PRCTL_SET_GS_PERCPU
	MIGRATE 1				/* has none again, and another U */
	CALL_KERNEL ABI_SYS_GET_GS, 0
	MIGRATE 0
	EXIT
END user_gs_moves

FUNC user_gs_moves_cpu1
	SET_GS
	CALL_KERNEL ABI_SYS_LOAD_GS, ABI_USER_SS
	EXIT
END user_gs_moves_cpu1
