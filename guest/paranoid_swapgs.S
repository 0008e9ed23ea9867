/* SPDX-License-Identifier: MIT */
/* paranoid_swapgs.S: scheme swapgs: #MC and #DB, which cannot know A from CS, and how NMI finds it out. The sign of A
 * tells. */
#include "guest/cpu.h"
#include "guest/regs.h"

	.section .entry.text, "ax"

/* asm_exc_*_swapgs: an IST gate.
 * The CPU has: IF TF NT RF 0 (DF and AC are the interrupted code's), RSP = the top of this vector's IST stack less the
 * five hardware words (and the error code of #DF). All GPRs are the interrupted code's. From CPL 0 A is U or K: the
 * event may have come inside a window, and CS is the kernel's either way.
 *
 * good:  user CS: leave for the thread stack. Kernel CS: save, look at A itself, remember in EBX what was done
 * bad:   swapgs if and only if CS is the user's (in a window: C runs on U)
 * bad:   swapgs on exit without asking EBX (in plain kernel code: A = U afterwards)
 */
.macro PARANOID_SWAPGS name
FUNC asm_exc_\name\()_swapgs
win_\name\()_swapgs_begin:
	cld
	testb	$3, 8(%rsp)			/* CS */
	jnz	asm_exc_\name\()_from_user
	pushq	$FRAME_NO_ERROR
	PUSH_REGS
	CLEAR_REGS
	call	paranoid_entry_swapgs
win_\name\()_swapgs_end:
	CALL_C	exc_\name
	jmp	paranoid_exit_swapgs
END asm_exc_\name\()_swapgs
.endm

PARANOID_SWAPGS machine_check			/* #MC */
PARANOID_SWAPGS debug				/* #DB */

/* #DF: wherever it came from it stays on its stack: no stack but this one can be believed in. The CPU has
 * pushed an error code. */
FUNC asm_exc_double_fault_swapgs
win_double_fault_swapgs_begin:
	cld
	PUSH_REGS
	CLEAR_REGS
	call	paranoid_entry_swapgs
win_double_fault_swapgs_end:
	CALL_C	exc_double_fault
	jmp	paranoid_exit_swapgs
END asm_exc_double_fault_swapgs

/* paranoid_entry_swapgs: called with the frame above the return address, GPRs free.
 * Afterwards A = K. EBX = 1: A was K already, nothing done. EBX = 0: A was U, swapped, so I = U.
 * True only while no user can have a negative U, that is while CR4.FSGSBASE is 0.
 * A fence on both arms: neither may run ahead with the other one's GS. */
FUNC paranoid_entry_swapgs
win_paranoid_entry_swapgs_begin:
	mov	$1, %ebx
	mov	$MSR_GS_BASE, %ecx
	rdmsr					/* EDX = upper half of A */
	test	%edx, %edx
	js	paranoid_kernel_gs
	swapgs
win_paranoid_entry_swapgs_end:
	lfence
	xor	%ebx, %ebx
	ret
paranoid_kernel_gs:
	lfence
	ret
END paranoid_entry_swapgs

/* paranoid_leave_swapgs: called with A = K and EBX as the entry left it (C keeps it). Afterwards A and I are what they were:
 * GS is not for us any more. RAX is kept. */
FUNC paranoid_leave_swapgs
	test	%ebx, %ebx
	jnz	paranoid_leave_swapgs_done
	swapgs
win_paranoid_leave_swapgs_begin:
paranoid_leave_swapgs_done:
	ret
win_paranoid_leave_swapgs_end:
END paranoid_leave_swapgs

/* paranoid_exit_swapgs: RSP = frame on the IST stack, A = K, EBX as the entry left it, AL what C returned. */
FUNC paranoid_exit_swapgs
	call	paranoid_leave_swapgs
	jmp	paranoid_return
END paranoid_exit_swapgs
