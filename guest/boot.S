/* SPDX-License-Identifier: MIT */
/* boot.S: from the state that the bench sets to kmain, the way into the first user instruction, and
 * the static page tables. */
#include "guest/regs.h"
#include "guest/stacks.h"

/* guest.ld cannot include abi.h: it asserts that its own numbers are these. */
	.globl	LINK_KERNEL_VIRT, LINK_USER_TEXT, LINK_USER_TEXT_SIZE, LINK_RAM_SIZE
	.set	LINK_KERNEL_VIRT, ABI_KERNEL_VIRT
	.set	LINK_USER_TEXT, ABI_USER_TEXT
	.set	LINK_USER_TEXT_SIZE, ABI_USER_TEXT_SIZE
	.set	LINK_RAM_SIZE, ABI_RAM_SIZE

	.text
/* _start: the bench jumps here. 64-bit mode, CPL 0, IF = 0, CR3 = boot_pml4, flat segments whose selectors
 * mean nothing yet, RSP undefined, A and I undefined. The thread stack's top is left free for the frame of
 * the first user instruction; the 8 bytes keep RSP 16-aligned at the call. */
FUNC _start
	mov	$thread_stack + THREAD_STACK_SIZE - FRAME_SIZE, %rsp
	mov	%rsp, %rdi
	sub	$8, %rsp
	cld
	call	kmain
	ud2
END _start

/* _start_secondary: as _start, on another CPU, whose number is in EDI. */
FUNC _start_secondary
	mov	%edi, %eax
	inc	%eax
	imul	$IDLE_STACK_SIZE, %eax, %eax
	cltq
	lea	idle_stack(%rax), %rsp
	sub	$8, %rsp
	cld
	call	kmain_secondary
	ud2
END _start_secondary

/* boot_load_segments(gdtr): the selectors of abi.h. FS and GS are loaded here and never again: a null
 * selector zeroes the base, so this comes before the bases are set. */
FUNC boot_load_segments
	lgdt	(%rdi)
	pushq	$ABI_KERNEL_CS
	pushq	$boot_in_kernel_cs
	lretq
boot_in_kernel_cs:
	mov	$ABI_KERNEL_SS, %eax
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	ret
END boot_load_segments

/* boot_enter_user(frame): A = K, I = U. Leaves by the exit that every thread takes. */
FUNC boot_enter_user
	mov	%rdi, %rsp
	jmp	exit_to_user_iret
END boot_enter_user

/* The same under scheme pure: I = poison, and the thread has U. */
FUNC boot_enter_user_pure
	mov	%rdi, %rsp
	jmp	exit_to_user_iret_pure
END boot_enter_user_pure

/* Accessed and Dirty are set beforehand: the CPU would set them, and that would be memory that an event
 * changes. A table allows what any page below it needs. */
#define TABLE_KERNEL	0x23		/* P RW A */
#define TABLE_USER	0x27		/* P RW US A */
#define LARGE_KERNEL	0xe3		/* P RW A D PS */
#define PAGE_USER_RO	0x65		/* P US A D */
#define PAGE_USER_RW	0x67		/* P RW US A D */
#define PHYS(symbol)	symbol - ABI_KERNEL_VIRT
#define INDEX(virt, shift) (((virt) >> (shift)) & 511)

/* All user pages lie in the first GB. */
#define PD_TEXT		INDEX(ABI_USER_TEXT, 21)
#define PD_DATA		INDEX(ABI_USER_DATA, 21)
#if PD_DATA != PD_TEXT + 1 || PD_DATA != INDEX(ABI_USER_STACK, 21) || \
	INDEX(ABI_USER_TEXT, 12) || INDEX(ABI_USER_DATA, 12)
#error "the user page tables below do not fit abi.h"
#endif

	.section .page_tables, "aw"
	.balign	4096
	.globl	boot_pml4, kernel_pd, user_pd
	.type	boot_pml4, @object
boot_pml4:
	.quad	PHYS(user_pdpt) + TABLE_USER
	.fill	510, 8, 0
	.quad	PHYS(kernel_pdpt) + TABLE_KERNEL
	.size	boot_pml4, . - boot_pml4

kernel_pdpt:				/* ABI_KERNEL_VIRT is the last GB but one */
	.fill	510, 8, 0
	.quad	PHYS(kernel_pd) + TABLE_KERNEL
	.quad	0
kernel_pd:				/* ABI_RAM_SIZE: two large pages; lapic.c adds one */
	.quad	0x000000 + LARGE_KERNEL
	.quad	0x200000 + LARGE_KERNEL
	.fill	510, 8, 0

user_pdpt:
	.quad	PHYS(user_pd) + TABLE_USER
	.fill	511, 8, 0
user_pd:
	.fill	PD_TEXT, 8, 0
	.quad	PHYS(user_text_pt) + TABLE_USER
	.quad	PHYS(user_data_pt) + TABLE_USER
	.fill	510 - PD_TEXT, 8, 0
user_text_pt:
	.quad	PHYS(__user_text_load) + PAGE_USER_RO
	.quad	PHYS(__user_text_load) + 0x1000 + PAGE_USER_RO
	.quad	PHYS(__user_text_load) + 0x2000 + PAGE_USER_RO
	.quad	PHYS(__user_text_load) + 0x3000 + PAGE_USER_RO
	.fill	508, 8, 0
user_data_pt:				/* data is the first page here, the stacks further up, the last thread's first */
	.quad	PHYS(user_data_page) + PAGE_USER_RW
	.fill	INDEX(ABI_USER_STACK - ABI_THREADS * ABI_USER_STACK_STEP, 12), 8, 0
	.set	thread, ABI_THREADS
	.rept	ABI_THREADS
	.set	thread, thread - 1
	.fill	ABI_USER_STACK_STEP / 4096 - 1, 8, 0
	.quad	PHYS(user_stack_page) + thread * 4096 + PAGE_USER_RW
	.endr
	.fill	511 - INDEX(ABI_USER_STACK, 12), 8, 0

/* The user's writable pages: data, and a stack for each thread. */
	.section .user_pages, "aw", @nobits
	.balign	4096
	.globl	user_data_page, user_stack_page
	.type	user_data_page, @object
user_data_page:
	.skip	4096
	.size	user_data_page, 4096
	.type	user_stack_page, @object
user_stack_page:
	.skip	4096 * ABI_THREADS
	.size	user_stack_page, 4096 * ABI_THREADS
