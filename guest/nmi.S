/* SPDX-License-Identifier: MIT */
/* nmi.S: the NMI gate, and NMIs that come while another one has not left the NMI stack. */
#include "guest/regs.h"
#include "guest/stacks.h"

	.section .entry.text, "ax"

/* An NMI's IRET is not the only one that unmasks NMIs: any exception in its handler ends with one, too. The next NMI then begins
 * at the top of a stack that is in use. So that this costs nothing:
 *
 *  - the five words are moved down, out of the next NMI's way, before anything may fault;
 *  - a word in the stack's slot, the latch, says how many NMIs have arrived and are not done with. It is found from RSP alone:
 *    neither GS nor any register can be trusted yet. An NMI that finds it set adds itself and leaves; the one that is
 *    there goes round again, with the same five words;
 *  - between taking the last one off the latch and the IRET nothing is left of an NMI but its five words. One that comes there
 *    takes them over. RIP tells, not RSP: user code chooses RSP, and SYSCALL leaves it as it is.
 *
 * Until the five words are moved nothing may unmask NMIs. #MC and #DB can come there: they return without an IRET (nmi.c).
 *
 * From the top of the stack downwards: */
#define NMI_WORDS	(5 * 8)			/* the CPU's five words */
#define NMI_SCRATCH	(NMI_WORDS + 8)		/* RDX */
#define NMI_MOVED	(NMI_SCRATCH + 5 * 8)	/* the five words again: the frame is built below them */

/* The latch, with RSP at the moved words. */
#define NMI_LATCH_FROM_MOVED (NMI_MOVED - IST_STACK_SIZE + NMI_LATCH)

/* asm_exc_nmi_*: an IST gate. What the CPU has done, and A and I: as in paranoid_swapgs.S and paranoid_ist.S. NMIs are masked.
 *
 * good:  user CS: leave for the thread stack. Latch not 0: add to it, IRET. RIP at the last two instructions: take over
 * good:  else move the words, then set the latch; save; A := K; C; A back; restore; latch less one; again, or IRET
 * bad:   the latch set before the words are moved, or taken down before the registers are restored
 * bad:   the five words used where the CPU has put them: the next NMI puts its own there
 * bad:   an NMI on the way out not told from one that interrupts user or kernel code: it moves its words onto those in use
 */
.macro NMI_GATE scheme
FUNC asm_exc_nmi_\scheme
win_nmi_\scheme\()_begin:
	cld
	testb	$3, 8(%rsp)			/* CS */
	jnz	asm_exc_nmi_from_user
	pushq	%rdx
	mov	$-IST_STACK_SIZE, %rdx
	and	%rsp, %rdx			/* the slot */
	cmpq	$0, NMI_LATCH(%rdx)
	jne	nmi_\scheme\()_owed
	cmpq	$nmi_\scheme\()_last, 8(%rsp)	/* RIP */
	je	nmi_\scheme\()_take_over
	cmpq	$nmi_\scheme\()_iretq, 8(%rsp)
	je	nmi_\scheme\()_take_over
	pushq	5*8(%rsp)			/* SS; each push brings the next one here */
	pushq	5*8(%rsp)			/* RSP */
	pushq	5*8(%rsp)			/* RFLAGS */
	pushq	5*8(%rsp)			/* CS */
	pushq	5*8(%rsp)			/* RIP */
	movq	$1, NMI_LATCH(%rdx)
	mov	5*8(%rsp), %rdx
PLACE nmi_\scheme\()_again
	/* RSP = the moved words, the latch is 1 or more, all GPRs are the interrupted code's, A and I too. From the second round on
	 * NMIs may be unmasked. */
	pushq	$FRAME_NO_ERROR
	PUSH_REGS
	CLEAR_REGS
	mov	$-IST_STACK_SIZE, %rax		/* for scheme ist */
	call	paranoid_entry_\scheme
win_nmi_\scheme\()_end:
	CALL_C	exc_nmi
	call	paranoid_leave_\scheme
win_nmi_\scheme\()_exit_begin:
	POP_REGS
	add	$8, %rsp
	decq	NMI_LATCH_FROM_MOVED(%rsp)
PLACE nmi_\scheme\()_last
	jnz	nmi_\scheme\()_again
PLACE nmi_\scheme\()_iretq
	iretq
win_nmi_\scheme\()_exit_end:
PLACE nmi_\scheme\()_owed
win_nmi_\scheme\()_owed_begin:
	/* RDX = the slot. The other one will do it. */
	incq	NMI_LATCH(%rdx)
	popq	%rdx
	iretq
nmi_\scheme\()_take_over:
	/* RDX = the slot, the latch is 0, the words of the one that was going are still where it moved them. */
	movq	$1, NMI_LATCH(%rdx)
	mov	(%rsp), %rdx
	sub	$NMI_MOVED - NMI_SCRATCH, %rsp
	jmp	nmi_\scheme\()_again
PLACE nmi_\scheme\()_end
win_nmi_\scheme\()_owed_end:
END asm_exc_nmi_\scheme
.endm

NMI_GATE swapgs
NMI_GATE ist
