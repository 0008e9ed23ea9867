/* SPDX-License-Identifier: MIT */
/* user_switch.S: the programs of two threads, which give way to each other. The second thread of each is a loop that comes round to the same
 * state, so that it does not matter how often it runs. Until a thread's first SET_GS its bases are 0. */
#include "guest/user.h"

	.section .user.text, "ax"

/* switch: U and FS base of two threads, by the user's own means where it has them, otherwise by system call; each finds its own again. */
PROGRAM switch
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

.macro CALL1 number, argument
	mov	$\argument, %rdi
	mov	$\number, %eax
	syscall
.endm

/* tls: selectors in FS and GS, of a descriptor of the thread's own and of one that all have; then the descriptor is taken away, and what is loaded
 * from it is null at the next switch. A selector that SYS_PRCTL takes back does not come back, whenever the thread is switched. */
PROGRAM tls
	SET_GS
	CALL1	ABI_SYS_SET_TLS, (1<<32)	/* refused */
	CALL1	ABI_SYS_LOAD_FS, ABI_TLS	/* not there yet */
	CALL1	ABI_SYS_SET_TLS, 0xfe123450
	CALL1	ABI_SYS_LOAD_FS, ABI_TLS
	YIELD
	CALL1	ABI_SYS_LOAD_GS, ABI_USER_SS
	YIELD
	CALL1	ABI_SYS_LOAD_GS, ABI_TLS
	CALL1	ABI_SYS_SET_TLS, ABI_TLS_NONE
	YIELD
	CALL1	ABI_SYS_LOAD_GS, ABI_USER_SS
	mov	$0x300008000, %rsi
	CALL1	ABI_SYS_PRCTL, ABI_PRCTL_SET_GS
	YIELD
	EXIT
END user_tls

FUNC user_tls_2
	SET_GS
	CALL1	ABI_SYS_SET_TLS, 0x89abcde0
	CALL1	ABI_SYS_LOAD_GS, ABI_TLS
user_tls_2_again:
	YIELD
	jmp	user_tls_2_again
END user_tls_2

/* fork: the child has the parent's U and FS base, whether they were set by instruction or by system call, and keeps them while the parent
 * changes its own. There is no room for another child. */
PROGRAM fork
	push	%rcx
	SET_GS
	pop	%rcx
	jrcxz	user_fork_now
	mov	$0x300007000, %rdx
	wrfsbase %rdx
user_fork_now:
	CALL1	ABI_SYS_LOAD_FS, ABI_USER_SS
	mov	$user_fork_child, %ebx
	CALL1	ABI_SYS_FORK, ABI_USER_RSP_2
	YIELD
	CALL1	ABI_SYS_SET_GS, 0x23000
	CALL1	ABI_SYS_LOAD_FS, 0
	YIELD
	CALL1	ABI_SYS_FORK, ABI_USER_RSP_2
	EXIT
user_fork_child:
	mov	$ABI_SYS_GET_GS, %eax
	syscall
user_fork_again:
	YIELD
	jmp	user_fork_again
END user_fork

/* exec: nothing of FS and GS is left of what the thread was before, selectors and descriptor neither. */
PROGRAM exec
	push	%rcx
	SET_GS
	pop	%rcx
	jrcxz	user_exec_now
	mov	$0x300007000, %rdx
	wrfsbase %rdx
user_exec_now:
	CALL1	ABI_SYS_SET_TLS, 0xfe123450
	CALL1	ABI_SYS_LOAD_FS, ABI_TLS
	CALL1	ABI_SYS_LOAD_GS, ABI_USER_SS
	CALL1	ABI_SYS_EXEC, -1		/* refused */
	CALL1	ABI_SYS_EXEC, user_exec_anew
	jmp	user_exec_anew			/* never: the kernel goes there by itself */
user_exec_anew:
	CALL1	ABI_SYS_LOAD_FS, ABI_TLS	/* it is gone */
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	EXIT
END user_exec

/* peek: the bases of a thread that does not run are read and written by another, which has no part in its selectors. The second thread's FS
 * selector has lost its descriptor. */
PROGRAM peek
	CALL1	ABI_SYS_PEEK_GS, 0		/* not begun: 0 */
	CALL1	ABI_SYS_POKE_FS, 0x200009000
	YIELD
	CALL1	ABI_SYS_PEEK_GS, 0
	CALL1	ABI_SYS_PEEK_FS, 0
	CALL1	ABI_SYS_POKE_GS, ABI_TASK_SIZE_MAX	/* refused */
	CALL1	ABI_SYS_POKE_GS, (ABI_TASK_SIZE_MAX-1)
	CALL1	ABI_SYS_POKE_FS, ABI_TASK_SIZE_MAX	/* refused */
	CALL1	ABI_SYS_POKE_FS, 0x20000a000
	CALL1	ABI_SYS_PEEK_FS, 0		/* without FSGSBASE the selector hides what was written */
	YIELD
	CALL1	ABI_SYS_PEEK_GS, 0
	CALL1	ABI_SYS_PEEK_FS, 0
	EXIT
END user_peek

FUNC user_peek_2
	SET_GS
	CALL1	ABI_SYS_LOAD_GS, ABI_USER_SS
	CALL1	ABI_SYS_SET_TLS, 0x89abcde0
	CALL1	ABI_SYS_LOAD_FS, ABI_TLS
	CALL1	ABI_SYS_SET_TLS, ABI_TLS_NONE
user_peek_2_again:
	YIELD
	jmp	user_peek_2_again
END user_peek_2
