/* SPDX-License-Identifier: MIT */
/* paranoid_lsl.S: scheme lsl: #MC and #DB, which cannot know A, and how NMI gets K. This CPU's number is the limit of a segment, and
 * a table has K for each number. */
#include "guest/percpu.h"
#include "guest/regs.h"

	.section .entry.text, "ax"

/* asm_exc_*_lsl: an IST gate. What the CPU has done, and A and I: as in paranoid_ist.S, for the same reason: looking at A tells
 * nothing. CR4.FSGSBASE is 1. No stack needs a slot.
 *
 * good:  user CS: leave for the thread stack. Kernel CS: save, A to RBX always, A := K always; on exit A := RBX always
 * bad:   the number from where user code, another CPU or a hypervisor can change it (another CPU's K)
 * bad:   the limit used without the mask: the node's bits are part of it (no entry of the table)
 */
.macro PARANOID_LSL name
FUNC asm_exc_\name\()_lsl
win_\name\()_lsl_begin:
	cld
	testb	$3, 8(%rsp)			/* CS */
	jnz	asm_exc_\name\()_from_user
	pushq	$FRAME_NO_ERROR
	PUSH_REGS
	CLEAR_REGS
	call	paranoid_entry_lsl
win_\name\()_lsl_end:
	CALL_C	exc_\name
	jmp	paranoid_exit_lsl
END asm_exc_\name\()_lsl
.endm

PARANOID_LSL machine_check			/* #MC */
PARANOID_LSL debug				/* #DB */

/* #DF: as in paranoid_swapgs.S, never off its stack. The CPU has pushed an error code. */
FUNC asm_exc_double_fault_lsl
win_double_fault_lsl_begin:
	cld
	PUSH_REGS
	CLEAR_REGS
	call	paranoid_entry_lsl
win_double_fault_lsl_end:
	CALL_C	exc_double_fault
	jmp	paranoid_exit_lsl
END asm_exc_double_fault_lsl

/* paranoid_entry_lsl: called with the frame above the return address, GPRs free. Afterwards A = K and RBX = what A was; I is not
 * touched. The segment is in this CPU's GDT, so nobody but this CPU answers; the table is the same for all. */
FUNC paranoid_entry_lsl
win_paranoid_entry_lsl_begin:
	mov	$ABI_CPU_NUMBER, %eax
	lsl	%eax, %eax			/* node and number */
	and	$(1 << CPU_NUMBER_BITS) - 1, %eax
	mov	percpu_bases(, %rax, 8), %rdx	/* K */
	rdgsbase %rbx
	wrgsbase %rdx
win_paranoid_entry_lsl_end:
	ret
END paranoid_entry_lsl

/* paranoid_leave_lsl: called with A = K and RBX as the entry left it (C keeps it). Afterwards A is what it was: GS is not for us
 * any more. RAX is kept. */
FUNC paranoid_leave_lsl
	wrgsbase %rbx
win_paranoid_leave_lsl_begin:
	ret
win_paranoid_leave_lsl_end:
END paranoid_leave_lsl

/* paranoid_exit_lsl: RSP = frame on the IST stack, A = K, RBX as the entry left it, AL what C returned. */
FUNC paranoid_exit_lsl
	call	paranoid_leave_lsl
	jmp	paranoid_return
END paranoid_exit_lsl
