/* SPDX-License-Identifier: MIT */
/* usercopy.S: the two kernel instructions that may fault on user memory, and where it goes on then. */
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

/* put_user(pointer, value): 0, or -ABI_EFAULT with nothing written. A = K, thread stack. */
FUNC put_user
put_user_store:
	mov	%rsi, (%rdi)
	xor	%eax, %eax
	ret
put_user_fault:
	mov	$-ABI_EFAULT, %eax
	ret
END put_user

	.section .extable, "a"
	.quad	get_user_load, get_user_fault
	.quad	put_user_store, put_user_fault
