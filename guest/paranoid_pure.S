/* SPDX-License-Identifier: MIT */
/* paranoid_pure.S: scheme pure: #MC, #DB and NMI that interrupted user code, and the gates of #MC and #DB. From kernel code all is as under
 * scheme ist: a window has A = U here as there, and K is in the stack's slot. */
#include "guest/percpu.h"
#include "guest/regs.h"
#include "guest/stacks.h"

	.section .entry.text, "ax"

/* asm_exc_*_pure: an IST gate: as in paranoid_ist.S, but for where it leaves to from user code. */
.macro PARANOID_PURE name, size
FUNC asm_exc_\name\()_pure
win_\name\()_pure_begin:
	cld
	testb	$3, 8(%rsp)			/* CS */
	jnz	asm_exc_\name\()_from_user_pure
	pushq	$FRAME_NO_ERROR
	PUSH_REGS
	CLEAR_REGS
	mov	$-\size, %rax
	call	paranoid_entry_ist
win_\name\()_pure_end:
	CALL_C	exc_\name
	jmp	paranoid_exit_ist
END asm_exc_\name\()_pure
.endm

PARANOID_PURE machine_check, IST_STACK_SIZE	/* #MC */
PARANOID_PURE debug, IST_DB_STACK_SIZE		/* #DB */

/* asm_exc_*_from_user_pure: the gate jumps here when the frame's CS is the user's. RSP and registers: as in ist_user.S. A = U.
 * K of the IST stack's slot leads to the thread stack, with A = U still; on that stack GS is changed as by any entry from user code.
 *
 * #MC and #DB give U to the thread: their exit does work, after which another thread may run. An NMI's exit does none, so it
 * keeps U in RBX, which C keeps, and writes nothing that is not its own.
 *
 * NMIs may not be unmasked before asm_exc_nmi_moved_pure (nmi.c).
 *
 * good:  two scratch registers; the slot; thread stack; copy the five words; frame; A := K; C; the ordinary exit
 * bad:   C on the IST stack, or anything kept there: as in ist_user.S
 * bad:   an NMI that leaves by the thread's base without having given it U (the user gets an old one)
 */
.macro FROM_USER_PURE name, size, enter, exit
FUNC asm_exc_\name\()_from_user_pure
win_\name\()_from_user_pure_begin:
	pushq	%rdx
	pushq	%rcx
	mov	$-\size, %rdx
	and	%rsp, %rdx			/* the slot */
	mov	8(%rdx), %rcx			/* ~K, or the stack has run over */
	mov	(%rdx), %rdx			/* K */
	not	%rcx
	cmp	%rcx, %rdx
	jne	paranoid_ist_overrun
	mov	%rsp, %rcx			/* RCX: saved RCX, RDX, RIP, CS, RFLAGS, RSP, SS */
	mov	PERCPU_STACK_TOP(%rdx), %rsp
	/* The thread stack, empty, but A = U. The IST stack is only read from now on. */
	pushq	6*8(%rcx)			/* SS */
	pushq	5*8(%rcx)			/* RSP */
	pushq	4*8(%rcx)			/* RFLAGS */
	pushq	3*8(%rcx)			/* CS */
	pushq	2*8(%rcx)			/* RIP */
	pushq	$FRAME_NO_ERROR
	PUSH_REGS rdx=8(%rcx), rcx=(%rcx)
	CLEAR_REGS
PLACE asm_exc_\name\()_moved_pure
	mov	$-THREAD_STACK_SIZE, %rax
	call	\enter
win_\name\()_from_user_pure_end:
	CALL_C	exc_\name
	jmp	\exit
END asm_exc_\name\()_from_user_pure
.endm

/* One line per vector: its stack, who changes GS, and its exit, which does work or not. */
FROM_USER_PURE nmi, IST_STACK_SIZE, paranoid_entry_ist, exit_to_user_gs_pure			/* NMI */
FROM_USER_PURE machine_check, IST_STACK_SIZE, entry_from_user_pure, exit_to_user_work_pure	/* #MC */
FROM_USER_PURE debug, IST_DB_STACK_SIZE, entry_from_user_pure, exit_to_user_work_pure		/* #DB */
