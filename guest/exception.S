/* SPDX-License-Identifier: MIT */
/* exception.S: ordinary exceptions and interrupts, from user code or from kernel code that runs on K. */
#include "guest/regs.h"

	.section .entry.text, "ax"

/* asm_exc_*: a gate without IST.
 * The CPU has: IF TF NT RF 0 (DF and AC are the interrupted code's), RSP = the top of the thread stack from CPL 3, or
 * the interrupted stack aligned to 16 from CPL 0; SS RSP RFLAGS CS RIP pushed, and an error code if the vector has
 * one. All GPRs are the interrupted code's.
 * From CPL 3: A = U, I = K. From CPL 0: A = K, I = U, because such an exception may not happen in a window: the RSP
 * could be the user's already. So CS alone tells which it is, but for the instructions of abi_fixup, where RSP is the
 * kernel's and A = U.
 *
 * good:  cld; save; if CS says user: swapgs; C
 * bad:   C with DF = 1 (string instructions run backwards)
 * bad:   swapgs from CPL 0 (A = U in C, and K lost in I)
 */
.macro EXCEPTION name, error:vararg
FUNC asm_exc_\name
win_exc_\name\()_begin:
	cld
	\error
	PUSH_REGS
	CLEAR_REGS
	call	error_entry
win_exc_\name\()_end:
	CALL_C	exc_\name
	jmp	error_return
END asm_exc_\name
.endm

/* One line per vector, with what stands for the error code if the CPU pushes none. */
EXCEPTION breakpoint, pushq $FRAME_NO_ERROR	/* #BP: a trap, RIP is after the INT3 */
EXCEPTION invalid_op, pushq $FRAME_NO_ERROR	/* #UD */
EXCEPTION segment_not_present			/* #NP */
EXCEPTION stack_segment				/* #SS */
EXCEPTION general_protection			/* #GP */
EXCEPTION page_fault				/* #PF */
EXCEPTION interrupt, pushq $FRAME_NO_ERROR	/* the bench's interrupt source */
EXCEPTION reschedule, pushq $FRAME_NO_ERROR	/* what a handler asked for */
EXCEPTION timer, pushq $FRAME_NO_ERROR		/* always asks for a reschedule */
EXCEPTION call, pushq $FRAME_NO_ERROR		/* from another CPU */
EXCEPTION kick, pushq $FRAME_NO_ERROR		/* from another CPU */
EXCEPTION int80, pushq $FRAME_NO_ERROR		/* a system call: a trap, RIP is after the INT */

/* error_entry: called with the frame above the return address, GPRs free. Afterwards A = K, I = U.
 * The fences keep each outcome of the tests from being speculated past with another one's GS.
 *
 * good:  CS the user's, or RIP in abi_fixup: swapgs; other kernel code: nothing
 * good:  a fault of the IRET to user code: C gets the frame of the user code, at the top of the thread stack
 * bad:   an IRET's fault taken for one of kernel code that runs on K (C on U; and no user to signal)
 */
FUNC error_entry
win_error_entry_begin:
	testb	$3, FRAME_CS + 8(%rsp)
	jz	error_entry_kernel
	swapgs
win_error_entry_end:
	lfence
	ret
error_entry_kernel:
	cmpq	$exit_to_user_iretq, FRAME_RIP + 8(%rsp)
	je	error_entry_bad_iret
	cmpq	$load_gs_mov, FRAME_RIP + 8(%rsp)
	je	error_entry_load_gs
	lfence
	ret
error_entry_load_gs:
win_error_entry_load_gs_begin:
	/* A = U, I = K. Where the kernel goes on it swaps back by itself. */
	swapgs
win_error_entry_load_gs_end:
	lfence
	ret
error_entry_bad_iret:
win_error_entry_bad_iret_begin:
	/* A = U, I = K, RSP below the five words that IRET did not take. */
	swapgs
win_error_entry_bad_iret_end:
	lfence
	pop	%r12				/* the return address, while the frame moves up over it */
	CALL_C	fixup_bad_iret
	mov	%rax, %rsp
	push	%r12
	ret
END error_entry

/* error_return: RSP = frame, A = K, I = U, IF = 0, on whichever stack the exception came to.
 * The frame's CS decides again; nothing else of the entry is remembered.
 *
 * good:  user: the exit with swapgs; kernel: restore and iretq, GS untouched
 * bad:   the user's frame through the kernel's exit (K reaches the user in A)
 */
FUNC error_return
	testb	$3, FRAME_CS(%rsp)
	jnz	exit_to_user_work
	jmp	exit_to_kernel_iret
END error_return

/* exit_to_user_work: RSP = frame with the user's CS, on the thread stack, A = K, I = U, IF = 0. C does the work, decides, and
 * leaves IF = 0: it stays 0 to the return instruction. Never for an NMI: the work may enable interrupts, NMIs are masked until the
 * IRET, and SYSRET does not unmask them. */
FUNC exit_to_user_work
	CALL_C	exit_to_user
	test	%al, %al			/* the one decision, made in C */
	jz	exit_to_user_iret
	jmp	exit_to_user_sysret
END exit_to_user_work

/* exit_to_kernel_iret: RSP = frame with the kernel's CS. A = K, I = U, before and after. */
FUNC exit_to_kernel_iret
	POP_REGS
	add	$8, %rsp
	iretq
END exit_to_kernel_iret
