/* SPDX-License-Identifier: MIT */
/* paranoid_return.S: back from #MC and #DB to the kernel code that they interrupted. All schemes come here. */
#include "guest/regs.h"

	.section .entry.text, "ax"

/* paranoid_return: RSP = frame on the IST stack, IF = 0, A and I the interrupted code's: GS is not for us any more.
 * AL = 0: return by IRET, which unmasks NMIs. Else NMIs are to stay masked if they are: C has put RFLAGS and RIP below the
 * interrupted code's RSP, and the frame's RSP points there (nmi.c says when, and that the room is free).
 *
 * good:  the registers; RSP; POPFQ; RET, which leaves the NMI mask alone
 * bad:   IRET to the NMI entry before it has moved its frame: the next NMI overwrites it
 * bad:   RET where RSP may be the user's: a write to an address chosen by the user
 */
FUNC paranoid_return
win_paranoid_return_begin:
	test	%al, %al
	jnz	paranoid_return_masked
	POP_REGS
	add	$8, %rsp
	iretq
paranoid_return_masked:
	POP_REGS
	mov	FRAME_RSP - FRAME_ERROR(%rsp), %rsp
PLACE paranoid_return_bare
	/* The interrupted code's stack again. RFLAGS has IF = TF = 0: so has all code that C sends here. */
	popfq
	ret
PLACE paranoid_return_bare_end
win_paranoid_return_end:
END paranoid_return
