/* SPDX-License-Identifier: MIT */
/* entry_pure.S: scheme pure: the SYSCALL entry of each CPU and the two ways back to user code. No SWAPGS: A is written on every way in
 * and out, and while the kernel runs U is in the thread. I is ABI_GS_POISON and is never touched.
 *
 * A window is longer here than under the other schemes: WRGSBASE needs a register, so A = U as long as no register is saved. */
#include "guest/percpu.h"
#include "guest/regs.h"
#include "guest/stacks.h"
#include "guest/thread.h"

	.section .entry.text, "ax"

/* entry_SYSCALL_64_pure_cpu*: LSTAR of each CPU names its own.
 * The CPU has: as for entry_SYSCALL_64, and RSP is the user's. A = U, I = poison. Neither GS nor any register leads to K: the text
 * itself does, because it is one CPU's alone, and knows where that CPU's area is.
 *
 * good:  user RSP to its per-CPU place; thread stack from its per-CPU place; frame; A to RBX, A := K
 * bad:   any %gs: access before wrgsbase   (address chosen by the user)
 * bad:   another CPU's entry               (that CPU's stack, under its feet)
 */
.macro SYSCALL_PURE cpu
.set .Larea_\cpu, percpu_areas + \cpu * ABI_PERCPU_SIZE
FUNC entry_SYSCALL_64_pure_cpu\cpu
win_syscall_entry_pure_cpu\cpu\()_begin:
	mov	%rsp, .Larea_\cpu + PERCPU_USER_RSP(%rip)
	mov	.Larea_\cpu + PERCPU_STACK_TOP(%rip), %rsp
	/* The thread stack, empty, but A = U: IST events only until wrgsbase. */
	pushq	$ABI_USER_SS
	pushq	.Larea_\cpu + PERCPU_USER_RSP(%rip)
	pushq	%r11				/* RFLAGS */
	pushq	$ABI_USER_CS
	pushq	%rcx				/* RIP */
	pushq	%rax				/* error: the number, which the result will not overwrite */
	PUSH_REGS
	CLEAR_REGS
	lea	.Larea_\cpu(%rip), %rdx		/* K */
	rdgsbase %rbx
	wrgsbase %rdx
win_syscall_entry_pure_cpu\cpu\()_end:
	jmp	entry_SYSCALL_64_pure
END entry_SYSCALL_64_pure_cpu\cpu
.endm

SYSCALL_PURE 0
SYSCALL_PURE 1

/* entry_SYSCALL_64_pure: where the CPUs' own entries meet: RSP = frame on the thread stack, A = K, RBX = U, IF = 0. */
FUNC entry_SYSCALL_64_pure
	call	keep_user_gs
	CALL_C	do_syscall_64
	test	%al, %al			/* the one decision, made in C */
	jz	exit_to_user_iret_pure
	jmp	exit_to_user_sysret_pure
END entry_SYSCALL_64_pure

/* entry_from_user_pure: called with RAX = -THREAD_STACK_SIZE and the frame of user code above the return address, GPRs free, A = U.
 * Afterwards A = K, and RBX and the thread have U.
 * The slot of a thread stack is that of an IST stack: K of the CPU that it is in use on. */
FUNC entry_from_user_pure
win_entry_from_user_pure_begin:
	call	paranoid_entry_ist
win_entry_from_user_pure_end:
	jmp	keep_user_gs
END entry_from_user_pure

/* keep_user_gs: called with A = K and RBX = U. Afterwards the thread has it. Most user code never changes its base, so most
 * entries only read. */
FUNC keep_user_gs
	mov	%gs:PERCPU_CURRENT, %rcx
	cmp	%rbx, THREAD_GS_BASE(%rcx)
	je	keep_user_gs_same
	mov	%rbx, THREAD_GS_BASE(%rcx)
keep_user_gs_same:
	ret
END keep_user_gs

/* exit_to_user_sysret_pure
 * On entry: as at exit_to_user_sysret, but I = poison, and the thread has U, what that is on this CPU. GS has the user's selector: C has loaded it
 * if there was one to load (fsgs_exit).
 *
 * good:  U from the thread; wrgsbase; registers; user RSP; sysretq
 * bad:   no wrgsbase (K reaches the user), or a %gs: access after it (user memory)
 * bad:   a selector loaded after it (A is the descriptor's base), or before it in here (its fault finds the context the user's)
 */
FUNC exit_to_user_sysret_pure
	mov	%gs:PERCPU_CURRENT, %rax
	mov	THREAD_GS_BASE(%rax), %rbx
	wrgsbase %rbx
win_sysret_exit_pure_begin:
	/* A = U: IST events only from here to the end. */
	POP_REGS
	mov	FRAME_RSP - FRAME_ERROR(%rsp), %rsp
	sysretq
win_sysret_exit_pure_end:
END exit_to_user_sysret_pure

/* exit_to_user_iret_pure
 * On entry: as at exit_to_user_iret, but I = poison, and the thread has U; GS as for SYSRET. error_entry_pure knows the address of the IRET.
 * exit_to_user_gs_pure: the same for an NMI, which keeps U in RBX and has not given it to the thread. No switch is behind it: GS is as it was.
 *
 * good:  U from the thread; wrgsbase; registers; drop the error code; iretq
 * bad:   a second iretq to user code at an address that error_entry_pure does not know (its fault: C on U)
 */
FUNC exit_to_user_iret_pure
	mov	%gs:PERCPU_CURRENT, %rax
	mov	THREAD_GS_BASE(%rax), %rbx
PLACE exit_to_user_gs_pure
	wrgsbase %rbx
win_iret_exit_pure_begin:
	POP_REGS
	add	$8, %rsp
PLACE exit_to_user_iretq_pure
	iretq
win_iret_exit_pure_end:
END exit_to_user_iret_pure
