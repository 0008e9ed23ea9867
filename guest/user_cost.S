/* SPDX-License-Identifier: MIT */
/* user_cost.S: each way into the kernel and out of it, with as little as can be done there: what is counted is the way's. U stays 0,
 * because setting it by a system call would be counted, too. The second thread is there to be switched to. */
#include "guest/user.h"

	.section .user.text, "ax"

.macro CALL_KERNEL number, argument
	mov	$\argument, %edi
	mov	$\number, %eax
	syscall
.endm

PROGRAM cost
	CALL_KERNEL ABI_SYS_ECHO, 1			/* SYSCALL to SYSRET */
	CALL_KERNEL ABI_SYS_JUMP, user_cost_jumped	/* SYSCALL to IRET */
	nop						/* never: the kernel returns behind it */
user_cost_jumped:
	mov	$user_cost_undefined, %ebx
	ud2						/* an exception */
user_cost_undefined:
	mov	$ABI_VECTOR_NMI, %eax
	out	%al, $ABI_PORT_IPI			/* NMI-like, from user code */
	mov	$ABI_VECTOR_MC, %eax
	out	%al, $ABI_PORT_IPI
	mov	$ABI_VECTOR_DB, %eax
	out	%al, $ABI_PORT_IPI
	CALL_KERNEL ABI_SYS_RAISE, ABI_VECTOR_NMI	/* and from the kernel */
	CALL_KERNEL ABI_SYS_RAISE, ABI_VECTOR_MC
	CALL_KERNEL ABI_SYS_RAISE, ABI_VECTOR_DB
	CALL_KERNEL ABI_SYS_YIELD, 0			/* a switch, there and back */
	EXIT
END user_cost

FUNC user_cost_2
	CALL_KERNEL ABI_SYS_YIELD, 0
	jmp	user_cost_2
END user_cost_2
