/* SPDX-License-Identifier: MIT */
/* user.S: the programs that run at CPL 3. The bench predicts every register after every instruction, so they use
 * only what its model knows: no instruction here sets arithmetic flags. Registers that a program does not need
 * keep the values of abi.h, all different. At the start RDI = gs=, RSI = flags=, RCX = 1 if FSGSBASE is on. */
#include "guest/user.h"

	.section .user.text, "ax"

/* syscall: entry by SYSCALL, return by SYSRET, twice over, with an argument that comes back and with U. */
PROGRAM syscall
	SET_GS
	mov	$0xfedcba9876543211, %rdi
	mov	$2, %ecx
user_syscall_again:
	push	%rcx				/* SYSCALL takes RCX */
	mov	$ABI_SYS_ECHO, %eax
	syscall
	not	%rdi				/* another argument next time */
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	pop	%rcx
	loop	user_syscall_again
	EXIT
END user_syscall

/* syscall_iret: entry by SYSCALL, return by IRET, because the RIP has changed. */
PROGRAM syscall_iret
	SET_GS
	mov	$2, %ecx
user_syscall_iret_again:
	push	%rcx
	mov	$user_syscall_iret_target, %edi
	mov	$ABI_SYS_JUMP, %eax
	syscall
	jmp	user_syscall_iret_again		/* never: the kernel returns to the target */
user_syscall_iret_target:
	pop	%rcx
	loop	user_syscall_iret_again
	EXIT
END user_syscall_iret

/* exception: entry by a gate and return by IRET: #UD without an error code, #PF with one, by a load and by a store. */
PROGRAM exception
	SET_GS
	mov	$user_exception_undefined, %ebx
	ud2
user_exception_undefined:
	mov	$ABI_USER_UNMAPPED, %esi
	mov	$user_exception_loaded, %ebx
	mov	(%rsi), %rdx
user_exception_loaded:
	mov	$user_exception_stored, %ebx
	mov	%rbp, (%rsi)
user_exception_stored:
	EXIT
END user_exception

/* gp: #GP by an instruction that only the kernel may execute. Not HLT: the bench's own stops are those. */
PROGRAM gp
	SET_GS
	mov	$user_gp_refused, %ebx
	cli
user_gp_refused:
	EXIT
END user_gp

/* breakpoint: #BP, a trap: the gate is one that user code may ask for, and the saved RIP is after the INT3. */
PROGRAM breakpoint
	SET_GS
	mov	$user_breakpoint_trapped, %ebx
	int3
user_breakpoint_trapped:
	EXIT
END user_breakpoint

/* SIGRETURN to the next instruction, with all flags that it can set and another RSP. If IRET refuses, RIP comes from RBX
 * instead. RDI is ABI_USER_DATA. */
.macro SIGRETURN cs, ss
	movq	$.Lreturned_\@, (%rdi)
	movq	$\cs, 8(%rdi)
	movq	$ABI_SIGRETURN_FLAGS & ~0x10100, 16(%rdi)	/* not TF, not RF */
	lea	-16(%rsp), %r9
	mov	%r9, 24(%rdi)
	movq	$\ss, 32(%rdi)
	mov	$.Lrefused_\@, %ebx
	mov	$ABI_SYS_SIGRETURN, %eax
	syscall
.Lreturned_\@:
	nop
.Lrefused_\@:
.endm

/* bad_iret: SIGRETURN to user code as it should be, then to an SS of the kernel's (#GP), an SS that is not present (#SS) and a
 * CS that is not present (#NP). */
PROGRAM bad_iret
	SET_GS
	mov	$ABI_USER_DATA, %edi
	SIGRETURN ABI_USER_CS, ABI_USER_SS
	SIGRETURN ABI_USER_CS, ABI_KERNEL_SS
	SIGRETURN ABI_USER_CS, ABI_ABSENT_SS
	SIGRETURN ABI_ABSENT_CS, ABI_USER_SS
	EXIT
END user_bad_iret

.macro LOAD_GS selector
	mov	$\selector, %edi
	mov	$ABI_SYS_LOAD_GS, %eax
	syscall
.endm

/* selector: GS selectors that cannot be loaded, one of the kernel's (#GP) and one that is not present (#NP), one that can, and
 * null. U stays. */
PROGRAM selector
	SET_GS
	LOAD_GS ABI_KERNEL_SS
	LOAD_GS ABI_ABSENT_SS
	LOAD_GS ABI_USER_SS
	mov	$ABI_SYS_GET_GS, %eax
	syscall
	LOAD_GS ABI_KERNEL_SS
	LOAD_GS ABI_USER_SS
	LOAD_GS 0
	EXIT
END user_selector

.macro SET_RIP
	mov	$ABI_SYS_SET_RIP, %eax
	syscall
.endm

/* set_rip: RIP and RCX are set to user code (SYSRET), then to an address that is not canonical: the kernel must take IRET, the
 * fault is the user's. */
PROGRAM set_rip
	SET_GS
	mov	$user_set_rip_set, %edi
	SET_RIP
	jmp	user_set_rip_set		/* never: the kernel returns there by itself */
user_set_rip_set:
	mov	$1 << 47, %rdi
	mov	$user_set_rip_refused, %ebx
	SET_RIP
	nop					/* never: nothing is returned to */
user_set_rip_refused:
	EXIT
END user_set_rip

/* usercopy: the kernel reads user memory for the user: a good pointer, then one that faults inside the kernel. */
PROGRAM usercopy
	SET_GS
	mov	$ABI_USER_DATA, %edi
	mov	%rbp, (%rdi)
	mov	$ABI_SYS_READ, %eax
	syscall
	mov	$ABI_USER_UNMAPPED, %edi
	mov	$ABI_SYS_READ, %eax
	syscall
	EXIT
END user_usercopy

/* gs: the user's own use of U: read it back, and reach memory through it. */
PROGRAM gs
	push	%rcx
	SET_GS
	pop	%rcx
	jrcxz	user_gs_ask
	rdgsbase %rax
	jmp	user_gs_memory
user_gs_ask:
	mov	$ABI_SYS_GET_GS, %eax
	syscall
user_gs_memory:
	/* -U is ~U + 1, so U + (~U + 1 + DATA) is DATA whatever U is. */
	mov	%rdi, %rsi
	not	%rsi
	lea	ABI_USER_DATA + 1(%rsi), %rsi
	mov	%rbp, %gs:(%rsi)
	mov	%gs:(%rsi), %r8
	EXIT
END user_gs

/* fallback: RDGSBASE and WRGSBASE where they are not offered: #UD, unless the host executes them all the same; then U is
 * what it was. */
PROGRAM fallback
	SET_GS
	mov	$user_fallback_read, %ebx
	rdgsbase %rax
user_fallback_read:
	mov	$user_fallback_written, %ebx
	wrgsbase %rdi
user_fallback_written:
	EXIT
END user_fallback

/* flags: every kind of entry and return with the RFLAGS of flags= set: DF, AC, ID, NT. */
PROGRAM flags
	SET_GS
	push	%rsi
	popfq
	mov	$ABI_SYS_ECHO, %eax
	syscall					/* SYSCALL, SYSRET */
	mov	$user_flags_jumped, %edi
	mov	$ABI_SYS_JUMP, %eax
	syscall					/* SYSCALL, IRET */
	jmp	user_flags_jumped		/* never: the kernel returns there by itself */
user_flags_jumped:
	mov	$user_flags_undefined, %ebx
	ud2					/* a gate, IRET */
user_flags_undefined:
	mov	$ABI_USER_UNMAPPED, %esi
	mov	$user_flags_loaded, %ebx
	mov	(%rsi), %rdx			/* a gate with an error code, IRET */
user_flags_loaded:
	pushfq					/* the user's view of them */
	pop	%r9
	mov	$0x202, %eax
	push	%rax
	popfq
	EXIT
END user_flags

/* work: a reschedule is asked for by a system call, so that the work on the way out is a golden run's, too; then one way
 * out by IRET. */
PROGRAM work
	SET_GS
	mov	$ABI_SYS_YIELD, %eax
	syscall
	mov	$user_work_undefined, %ebx
	ud2
user_work_undefined:
	EXIT
END user_work

/* no_stack: SYSCALL while RSP is an address to which nothing can be pushed. */
PROGRAM no_stack
	mov	$ABI_USER_UNMAPPED, %esp
	SET_GS
	mov	$0xfedcba9876543211, %rdi
	mov	$ABI_SYS_ECHO, %eax
	syscall
	EXIT
END user_no_stack

/* probe: what the host keeps of RFLAGS across one SYSCALL. Not a scenario: the bench measures with it. */
PROGRAM probe
	SET_GS
	push	%rsi
	popfq
	mov	$ABI_SYS_ECHO, %eax
	syscall
	mov	$0x202, %eax
	push	%rax
	popfq
	EXIT
END user_probe
