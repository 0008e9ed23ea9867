/* SPDX-License-Identifier: MIT */
/* breakpoint.S: the one INT3 of the kernel, an ordinary exception of kernel code. */
#include "guest/regs.h"

	.text
/* kernel_breakpoint(): A = K, thread stack. The gate has no IST: what comes inside of #BP has a stack of its own, and #BP uses this one. */
FUNC kernel_breakpoint
	int3
PLACE kernel_breakpoint_passed
	ret
END kernel_breakpoint
