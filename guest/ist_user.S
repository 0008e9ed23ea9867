/* SPDX-License-Identifier: MIT */
/* ist_user.S: NMI, #MC and #DB that interrupted user code: off the IST stack at once. All schemes but pure come here. */
#include "guest/percpu.h"
#include "guest/regs.h"

	.section .entry.text, "ax"

/* asm_exc_*_from_user: the gate jumps here when the frame's CS is the user's.
 * RSP = the five hardware words at the top of this vector's IST stack; IF = 0, DF = 0; all GPRs are the user's;
 * A = U and I = K without any doubt, because at CPL 3 they always are. The thread stack is empty.
 *
 * NMIs may not be unmasked before asm_exc_nmi_moved (nmi.c).
 *
 * good:  swapgs; one scratch register; thread stack; copy the five words; frame; C; the ordinary exit
 * bad:   C on the IST stack: the next event of this vector, once IRET has unmasked it, would overwrite it
 * bad:   anything kept on the IST stack after the switch: the next event of this vector begins at its top again
 */
.macro FROM_USER name, exit
FUNC asm_exc_\name\()_from_user
win_\name\()_from_user_begin:
	swapgs
win_\name\()_from_user_end:
	lfence					/* the branch that led here must not be guessed past */
	pushq	%rdx
	mov	%rsp, %rdx			/* RDX: saved RDX, RIP, CS, RFLAGS, RSP, SS */
	mov	%gs:PERCPU_STACK_TOP, %rsp
	/* A = K, I = U, thread stack. The IST stack is only read from now on. */
	pushq	5*8(%rdx)			/* SS */
	pushq	4*8(%rdx)			/* RSP */
	pushq	3*8(%rdx)			/* RFLAGS */
	pushq	2*8(%rdx)			/* CS */
	pushq	1*8(%rdx)			/* RIP */
	pushq	$FRAME_NO_ERROR
	PUSH_REGS rdx=(%rdx)
	CLEAR_REGS
PLACE asm_exc_\name\()_moved
	CALL_C	exc_\name
	jmp	\exit
END asm_exc_\name\()_from_user
.endm

/* One line per vector, with its exit: an NMI does no work, its IRET is what unmasks NMIs. */
FROM_USER nmi, exit_to_user_iret		/* NMI */
FROM_USER machine_check, exit_to_user_work	/* #MC */
FROM_USER debug, exit_to_user_work		/* #DB */
