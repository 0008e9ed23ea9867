/* SPDX-License-Identifier: MIT */
/* user_events.S: user programs that bring NMIs, machine checks and debug exceptions with them, from user code and from the kernel. Their
 * handlers are part of the golden run, and other events can come inside of them. */
#include "guest/stacks.h"
#include "guest/user.h"

	.section .user.text, "ax"

/* The user's own event: it comes at the boundary after the OUT. */
.macro RAISE vector
	mov	$\vector, %eax
	out	%al, $ABI_PORT_IPI
.endm

/* The same by the kernel, which it interrupts in the middle of the system call. */
.macro RAISE_IN_KERNEL vector
	mov	$\vector, %edi
	mov	$ABI_SYS_RAISE, %eax
	syscall
.endm

/* nmi: the last one's body faults, and from the IRET of that on NMIs are unmasked in its handler. */
FUNC user_nmi
	SET_GS
	RAISE	ABI_VECTOR_NMI
	RAISE_IN_KERNEL ABI_VECTOR_NMI
	RAISE_IN_KERNEL ABI_VECTOR_NMI + ABI_RAISE_FAULT
	mov	%rsp, %r12			/* a lie about where the kernel is: SYSCALL keeps RSP */
	mov	$nmi_stack + IST_STACK_SIZE, %rsp
	mov	$ABI_SYS_ECHO, %eax
	syscall
	mov	%r12, %rsp
	EXIT
END user_nmi

/* nmi_again: an NMI that is interrupted by another one, after its body has faulted. */
FUNC user_nmi_again
	SET_GS
	RAISE_IN_KERNEL ABI_VECTOR_NMI + ABI_RAISE_FAULT + ABI_RAISE_AGAIN
	EXIT
END user_nmi_again

FUNC user_machine_check
	SET_GS
	RAISE	ABI_VECTOR_MC
	RAISE_IN_KERNEL ABI_VECTOR_MC
	EXIT
END user_machine_check

FUNC user_debug
	SET_GS
	RAISE	ABI_VECTOR_DB
	RAISE_IN_KERNEL ABI_VECTOR_DB
	EXIT
END user_debug
