/* SPDX-License-Identifier: MIT */
/* user.h: how every user program begins and ends. */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include "guest/regs.h"

#ifdef __ASSEMBLER__
/* U := RDI, by the user's own means or by asking the kernel. RDI, RSI and what is on the stack are kept. */
.macro SET_GS
	jrcxz	.Lask_\@
	wrgsbase %rdi
	jmp	.Lset_\@
.Lask_\@:
	mov	$ABI_SYS_SET_GS, %eax
	syscall
.Lset_\@:
.endm

/* A wrong value that a program has seen cannot be told here: comparing needs flags. The bench has looked. */
.macro EXIT
	mov	$0, %edi
	mov	$ABI_SYS_EXIT, %eax
	syscall
.Lexited_\@:
	jmp	.Lexited_\@
.endm
#endif

#endif
