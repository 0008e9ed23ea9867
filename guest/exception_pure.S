/* SPDX-License-Identifier: MIT */
/* exception_pure.S: scheme pure: ordinary exceptions and interrupts, from user code or from kernel code that runs on K. */
#include "guest/regs.h"
#include "guest/stacks.h"

	.section .entry.text, "ax"

/* asm_exc_*_pure: a gate without IST. What the CPU has done: as in exception.S.
 * From CPL 3: A = U. From CPL 0: A = K, because such an exception may not happen in a window. So CS alone tells which it is, but
 * for the IRET to user code, where A = U. I is poison, from anywhere.
 *
 * good:  cld; save; if CS says user: K from the thread stack's slot, U to the thread; C
 * bad:   C with A = U; the thread given K from CPL 0 (the user reads it at the next exit)
 */
.macro EXCEPTION_PURE name, error:vararg
FUNC asm_exc_\name\()_pure
win_exc_\name\()_pure_begin:
	cld
	\error
	PUSH_REGS
	CLEAR_REGS
	call	error_entry_pure
win_exc_\name\()_pure_end:
	CALL_C	exc_\name
	jmp	error_return_pure
END asm_exc_\name\()_pure
.endm

/* The same vectors as in exception.S. */
EXCEPTION_PURE breakpoint, pushq $FRAME_NO_ERROR	/* #BP */
EXCEPTION_PURE invalid_op, pushq $FRAME_NO_ERROR	/* #UD */
EXCEPTION_PURE segment_not_present			/* #NP */
EXCEPTION_PURE stack_segment				/* #SS */
EXCEPTION_PURE general_protection			/* #GP */
EXCEPTION_PURE page_fault				/* #PF */
EXCEPTION_PURE interrupt, pushq $FRAME_NO_ERROR		/* the bench's interrupt source */
EXCEPTION_PURE reschedule, pushq $FRAME_NO_ERROR	/* what a handler asked for */
EXCEPTION_PURE timer, pushq $FRAME_NO_ERROR		/* always asks for a reschedule */
EXCEPTION_PURE call, pushq $FRAME_NO_ERROR		/* what another CPU asked for */
EXCEPTION_PURE kick, pushq $FRAME_NO_ERROR
EXCEPTION_PURE int80, pushq $FRAME_NO_ERROR		/* a system call of 32-bit code */

/* error_entry_pure: called with the frame above the return address, GPRs free. Afterwards A = K, and the thread has U.
 * The fence keeps the arm that trusts A from being speculated into with the user's; the other one writes A in any case.
 *
 * good:  CS the user's, or RIP the IRET to user code: A := K, U to the thread; other kernel code: nothing
 * good:  a fault of the IRET: C gets the frame of the user code, at the top of the thread stack
 * bad:   an IRET's fault taken for one of kernel code that runs on K (C on U; and no user to signal)
 */
FUNC error_entry_pure
win_error_entry_pure_begin:
	mov	$-THREAD_STACK_SIZE, %rax
	testb	$3, FRAME_CS + 8(%rsp)
	jnz	entry_from_user_pure
	cmpq	$exit_to_user_iretq_pure, FRAME_RIP + 8(%rsp)
	je	error_entry_bad_iret_pure
win_error_entry_pure_end:
	lfence
	ret
error_entry_bad_iret_pure:
win_error_entry_bad_iret_pure_begin:
	/* A = U, RSP below the five words that IRET did not take, on the thread stack. U is kept anew: an NMI's exit came here without
	 * the thread having it. */
	call	entry_from_user_pure
win_error_entry_bad_iret_pure_end:
	pop	%r12				/* the return address, while the frame moves up over it */
	CALL_C	fixup_bad_iret
	mov	%rax, %rsp
	push	%r12
	ret
END error_entry_pure

/* error_return_pure: RSP = frame, A = K, IF = 0, on whichever stack the exception came to.
 *
 * good:  user: the exit that writes U; kernel: restore and iretq, GS untouched
 */
FUNC error_return_pure
	testb	$3, FRAME_CS(%rsp)
	jz	exit_to_kernel_iret
	jmp	exit_to_user_work_pure
END error_return_pure

/* exit_to_user_work_pure: as exit_to_user_work. */
FUNC exit_to_user_work_pure
	CALL_C	exit_to_user
	test	%al, %al			/* the one decision, made in C */
	jz	exit_to_user_iret_pure
	jmp	exit_to_user_sysret_pure
END exit_to_user_work_pure

/* load_gs_pure(selector): as load_gs. On entry: A = K, thread stack, IF = 0; from a system call, or on the way out while the context is still the
 * kernel's. U is not in any base, so nothing is swapped away; but a load takes K out of A.
 *
 * good:  K to RDX; load; A := RDX
 * good:  the load faults: A is still K, C on K, back by IRET to load_gs_pure_bad; null; A := RDX
 * bad:   C before A := RDX (on the descriptor's base)
 */
FUNC load_gs_pure
	xor	%eax, %eax
	rdgsbase %rdx
PLACE load_gs_pure_mov
	mov	%edi, %gs
load_gs_pure_loaded:
win_load_gs_pure_begin:
	/* A is what the load has left, RDX = K. */
	wrgsbase %rdx
win_load_gs_pure_end:
	ret
PLACE load_gs_pure_bad
	mov	$-ABI_EINVAL, %eax
	xor	%edi, %edi
	mov	%edi, %gs
win_load_gs_pure_bad_begin:
	jmp	load_gs_pure_loaded
win_load_gs_pure_bad_end:
END load_gs_pure

	.section .extable, "a"
	.quad	load_gs_pure_mov, load_gs_pure_bad
