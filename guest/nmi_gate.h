/* SPDX-License-Identifier: MIT */
/* nmi_gate.h: the NMI gate of one scheme. nmi.S includes it once for each, so that each instruction keeps its own line: GATE, ENTER and
 * LEAVE name this scheme's gate and routines, FROM_USER where it goes from user code, NMI(place) a place of this gate, WIN(edge) the edge of a window. */

/* asm_exc_nmi_*: an IST gate. What the CPU has done, and A and I: as in paranoid_*.S. NMIs are masked.
 *
 * good:  user CS: leave for the thread stack. Latch not 0: add to it, IRET. RIP at the last two instructions: take over
 * good:  else move the words, then set the latch; save; A := K; C; A back; restore; latch less one; again, or IRET
 * bad:   the latch set before the words are moved, or taken down before the registers are restored
 * bad:   the five words used where the CPU has put them: the next NMI puts its own there
 * bad:   an NMI on the way out not told from one that interrupts user or kernel code: it moves its words onto those in use
 */
FUNC GATE
WIN(begin):
	cld
	testb	$3, 8(%rsp)			/* CS */
	jnz	FROM_USER
	pushq	%rdx
	mov	$-IST_STACK_SIZE, %rdx
	and	%rsp, %rdx			/* the slot */
	cmpq	$0, NMI_LATCH(%rdx)
	jne	NMI(owed)
	cmpq	$NMI(last), 8(%rsp)		/* RIP */
	je	NMI(take_over)
	cmpq	$NMI(iretq), 8(%rsp)
	je	NMI(take_over)
	sub	$NMI_ROOM, %rsp
	pushq	NMI_ROOM + 5*8(%rsp)		/* SS; each push brings the next one here */
	pushq	NMI_ROOM + 5*8(%rsp)		/* RSP */
	pushq	NMI_ROOM + 5*8(%rsp)		/* RFLAGS */
	pushq	NMI_ROOM + 5*8(%rsp)		/* CS */
	pushq	NMI_ROOM + 5*8(%rsp)		/* RIP */
	movq	$1, NMI_LATCH(%rdx)
	mov	NMI_ROOM + 5*8(%rsp), %rdx
PLACE NMI(again)
	/* RSP = the moved words, the latch is 1 or more, all GPRs are the interrupted code's, A and I too. From the second round on
	 * NMIs may be unmasked. */
	pushq	$FRAME_NO_ERROR
	PUSH_REGS
	CLEAR_REGS
	mov	$-IST_STACK_SIZE, %rax		/* for schemes ist and pure */
	call	ENTER
WIN(end):
	CALL_C	exc_nmi
	call	LEAVE
WIN(exit_begin):
	POP_REGS
	add	$8, %rsp
	decq	NMI_LATCH_FROM_MOVED(%rsp)
PLACE NMI(last)
	jnz	NMI(again)
PLACE NMI(iretq)
	iretq
WIN(exit_end):
PLACE NMI(owed)
WIN(owed_begin):
	/* RDX = the slot. The other one will do it. */
	incq	NMI_LATCH(%rdx)
	popq	%rdx
	iretq
NMI(take_over):
	/* RDX = the slot, the latch is 0, the words of the one that was going are still where it moved them. */
	movq	$1, NMI_LATCH(%rdx)
	mov	(%rsp), %rdx
	sub	$NMI_MOVED - NMI_SCRATCH, %rsp
	jmp	NMI(again)
PLACE NMI(end)
WIN(owed_end):
END GATE
