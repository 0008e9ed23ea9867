/* SPDX-License-Identifier: MIT */
/* user_smp_switch.S: the program of two CPUs with two threads each, of which a reschedule that the other CPU asks for takes one off its
 * CPU. The second thread of each is a loop that comes round to the same state; while its loop is new the first one gives way three times, so that
 * one that is preempted anywhere in it has its turn again before anything is sent to the other CPU. */
#include "guest/user.h"

	.section .user.text, "ax"

/* U := RDI, and where user code can, FS base := RSP: no two threads have the same. */
.macro SET_BOTH
	push	%rcx
	SET_GS
	pop	%rcx
	jrcxz	.Lboth_\@
	wrfsbase %rsp
.Lboth_\@:
.endm

/* ipi_switch: CPU 0 asks twice: a first thread in user code, whose turn the second one's is then, and that one. CPU 1 asks back while the
 * thread of CPU 0 is in its second system call. */
PROGRAM ipi_switch
	SET_BOTH
	TURN
	RESCHED_OTHER
	RESCHED_OTHER
	YIELD
	YIELD
	EXIT
END user_ipi_switch

FUNC user_ipi_switch_2
	SET_BOTH
user_ipi_switch_2_again:
	YIELD
	jmp	user_ipi_switch_2_again
END user_ipi_switch_2

FUNC user_ipi_switch_cpu1
	SET_BOTH
	TURN
	nop
	YIELD
	YIELD
	YIELD
	RESCHED_OTHER
	YIELD
	EXIT
END user_ipi_switch_cpu1

FUNC user_ipi_switch_cpu1_2
	SET_BOTH
	TURN
user_ipi_switch_cpu1_2_again:
	YIELD
	jmp	user_ipi_switch_cpu1_2_again
END user_ipi_switch_cpu1_2
