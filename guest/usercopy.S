/* SPDX-License-Identifier: MIT */
/* usercopy.S: the one kernel instruction that may fault on user memory, and where it goes on then. */
#include "guest/regs.h"

	.text
/* get_user(pointer, to): 0, or -ABI_EFAULT with *to unchanged. A = K, thread stack. */
FUNC get_user
get_user_load:
	mov	(%rdi), %rdx
	mov	%rdx, (%rsi)
	xor	%eax, %eax
	ret
get_user_fault:
	mov	$-ABI_EFAULT, %eax
	ret
END get_user

	.section .extable, "a"
	.quad	get_user_load, get_user_fault
