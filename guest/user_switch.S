/* SPDX-License-Identifier: MIT */
/* user_switch.S: the programs of two threads, which give way to each other. The second thread of each is a loop that comes round to the same
 * state, so that it does not matter how often it runs. Until a thread's first SET_GS its bases are 0. */
#include "guest/user.h"

	.section .user.text, "ax"

.macro YIELD
	mov	$ABI_SYS_YIELD, %eax
	syscall
.endm

/* switch: U and FS base of two threads, by the user's own means where it has them, otherwise by system call; each finds its own again. */
FUNC user_switch
	push	%rcx
	SET_GS
	YIELD
	pop	%rcx
	jrcxz	user_switch_ask
	mov	$0x300007000, %rdx
	wrfsbase %rdx
	YIELD
	rdfsbase %rdx
	rdgsbase %r8
	not	%rdi
	wrgsbase %rdi
	YIELD
	rdgsbase %r9
user_switch_ask:
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	YIELD
	EXIT
END user_switch

FUNC user_switch_2
	push	%rcx
	SET_GS
	pop	%rcx
	jrcxz	user_switch_2_again
	wrfsbase %rdi
user_switch_2_again:
	YIELD
	jmp	user_switch_2_again
END user_switch_2
