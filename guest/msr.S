/* SPDX-License-Identifier: MIT */
/* msr.S: the one WRMSR that may fault, and where the kernel goes on then. */
#include "guest/regs.h"

	.text
/* msr_write_safe(msr, value): 0, or -ABI_EINVAL if the CPU refuses. A = K, any stack. */
FUNC msr_write_safe
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
msr_write:
	wrmsr
	xor	%eax, %eax
	ret
msr_write_refused:
	mov	$-ABI_EINVAL, %eax
	ret
END msr_write_safe

	.section .extable, "a"
	.quad	msr_write, msr_write_refused
