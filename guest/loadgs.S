/* SPDX-License-Identifier: MIT */
/* loadgs.S: loading the user's GS selector, which may fault while A = U. */
#include "guest/regs.h"

	.section .entry.text, "ax"

/* load_gs(selector): 0, or -ABI_EINVAL with GS null if the selector cannot be loaded.
 * On entry: A = K, I = U, thread stack, IF = 0, because an interrupt between the two swapgs would find the kernel's CS and
 * A = U. A load sets the base as well, to that of the descriptor, and a null selector's to 0 or not at all: here it is A that may
 * be lost. Afterwards A = K and I is whatever the load has left, for the caller to put right.
 *
 * good:  swapgs; load; swapgs
 * good:  the load faults: error_entry swaps, C on K, back by IRET to load_gs_bad with A = K; swapgs; null; swapgs
 * bad:   the load without swapgs (K is lost)
 * bad:   load_gs_bad without its swapgs (null takes K away, and the common end leaves A = U)
 * bad:   error_entry does not know load_gs_mov (C on U)
 */
FUNC load_gs
	xor	%eax, %eax
	swapgs
win_load_gs_begin:
PLACE load_gs_mov
	mov	%edi, %gs
load_gs_loaded:
	swapgs
win_load_gs_end:
	ret
PLACE load_gs_bad
	mov	$-ABI_EINVAL, %eax
	xor	%edi, %edi
	swapgs
win_load_gs_bad_begin:
	mov	%edi, %gs
	jmp	load_gs_loaded
win_load_gs_bad_end:
END load_gs

	.section .extable, "a"
	.quad	load_gs_mov, load_gs_bad
