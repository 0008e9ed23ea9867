/* SPDX-License-Identifier: MIT */
/* paranoid_ist.S: scheme ist: #MC and #DB, which cannot know A, and how NMI gets K. It comes from the IST stack's own slot. */
#include "guest/regs.h"
#include "guest/stacks.h"

	.section .entry.text, "ax"

/* asm_exc_*_ist: an IST gate. What the CPU has done, and A and I: as in paranoid_swapgs.S; but U is any canonical
 * value, K itself included, so looking at A tells nothing. CR4.FSGSBASE is 1.
 * size is this vector's stack: -size masks RSP to the slot.
 *
 * good:  user CS: leave for the thread stack. Kernel CS: save, A to RBX always, A := K always; on exit A := RBX always
 * bad:   skip the write if A seems to be K, or the restore if RBX seems to be K
 * bad:   a mask of another stack's size (the slot of a neighbour, or stack content taken for K)
 */
.macro PARANOID_IST name, size
FUNC asm_exc_\name\()_ist
win_\name\()_ist_begin:
	cld
	testb	$3, 8(%rsp)			/* CS */
	jnz	asm_exc_\name\()_from_user
	pushq	$FRAME_NO_ERROR
	PUSH_REGS
	CLEAR_REGS
	mov	$-\size, %rax
	call	paranoid_entry_ist
win_\name\()_ist_end:
	CALL_C	exc_\name
	jmp	paranoid_exit_ist
END asm_exc_\name\()_ist
.endm

PARANOID_IST machine_check, IST_STACK_SIZE	/* #MC */
PARANOID_IST debug, IST_DB_STACK_SIZE		/* #DB */

/* #DF: as in paranoid_swapgs.S, never off its stack. The CPU has pushed an error code. */
FUNC asm_exc_double_fault_ist
win_double_fault_ist_begin:
	cld
	PUSH_REGS
	CLEAR_REGS
	mov	$-IST_STACK_SIZE, %rax
	call	paranoid_entry_ist
win_double_fault_ist_end:
	CALL_C	exc_double_fault
	jmp	paranoid_exit_ist
END asm_exc_double_fault_ist

/* paranoid_entry_ist: called with RAX = -size of this IST stack and the frame above the return address, GPRs
 * free. Afterwards A = K and RBX = what A was; I is not touched. */
FUNC paranoid_entry_ist
win_paranoid_entry_ist_begin:
	and	%rsp, %rax			/* the stack's lowest byte: the slot */
	mov	(%rax), %rdx			/* K */
	mov	8(%rax), %rcx			/* ~K, or the stack has run over */
	not	%rcx
	cmp	%rcx, %rdx
	jne	paranoid_ist_overrun
	rdgsbase %rbx
	wrgsbase %rdx
win_paranoid_entry_ist_end:
	ret
END paranoid_entry_ist

/* paranoid_ist_overrun: the slot does not hold K and ~K. A is not known and GS must not be used, so no C:
 * say it and stop. */
FUNC paranoid_ist_overrun
win_paranoid_ist_overrun_begin:
	mov	$ABI_PANIC_IST_SLOT, %eax
	out	%eax, $ABI_PORT_PANIC
paranoid_ist_halt:
	hlt
	jmp	paranoid_ist_halt
win_paranoid_ist_overrun_end:
END paranoid_ist_overrun

/* paranoid_leave_ist: called with A = K and RBX as the entry left it (C keeps it). Afterwards A is what it was: GS is not for us
 * any more. RAX is kept. */
FUNC paranoid_leave_ist
	wrgsbase %rbx
win_paranoid_leave_ist_begin:
	ret
win_paranoid_leave_ist_end:
END paranoid_leave_ist

/* paranoid_exit_ist: RSP = frame on the IST stack, A = K, RBX as the entry left it, AL what C returned. */
FUNC paranoid_exit_ist
	call	paranoid_leave_ist
	jmp	paranoid_return
END paranoid_exit_ist
