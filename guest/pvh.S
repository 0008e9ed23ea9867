/* SPDX-License-Identifier: MIT */
/* pvh.S: the entry of a loader that knows PVH (QEMU's -kernel): from 32-bit mode without paging to _start, in
 * the same state and with the same bytes of memory as if the bench had jumped there. */
#include "guest/regs.h"

#define PHYS(symbol)	symbol - ABI_KERNEL_VIRT

/* Xen's public header arch-x86/hvm/start_info.h. */
#define START_INFO_MAGIC	0x336ec578
#define START_INFO_CMDLINE	24		/* physical address, 64 bits */
#define NOTE_PHYS32_ENTRY	18

/* As the KVM engine starts a guest, vmm/machine.c. */
#define BOOT_CR0	0x80050033		/* PG WP NE ET MP PE */
#define BOOT_CR4	0x620			/* OSXMMEXCPT OSFXSR PAE */
#define BOOT_EFER	0x100			/* LME; LMA comes with CR0.PG */
#define MSR_EFER	0xc0000080

#define BOOT_CS		8
#define CODE_64		0x00af9b000000ffff
#define FIRST_2MB	0xe3			/* P RW A D PS, at physical address 0 */

	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 8, NOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.quad	PHYS(pvh_start)

/* Outside of the kernel's text, because 32-bit code is not what the bench takes text for; no boundary lies here. */
	.section .pvh.text, "ax"
	.code32
/* pvh_start: EBX = start info. CPL 0, IF = 0, paging off, flat segments, RSP, A, I and DF undefined. There is no
 * stack here. */
FUNC pvh_start
	cld
	cmpb	$0, PHYS(boot_cmdline)		/* the bench's own comes first */
	jne	pvh_long_mode
	cmpl	$START_INFO_MAGIC, (%ebx)
	jne	pvh_long_mode
	cmpl	$0, START_INFO_CMDLINE + 4(%ebx)
	jne	pvh_long_mode			/* above 4 GB: out of reach */
	mov	START_INFO_CMDLINE(%ebx), %esi
	test	%esi, %esi
	jz	pvh_long_mode
	mov	$PHYS(boot_cmdline), %edi
	mov	$ABI_CMDLINE_SIZE, %ecx		/* one that is longer has no NUL: cmdline.c refuses it */
pvh_copy:
	lodsb
	stosb
	test	%al, %al
	loopne	pvh_copy

/* The kernel runs at addresses that 32-bit code cannot name, so the first 2 MB are mapped where they lie, too, for
 * the instructions from CR0 to the jump; no user page lies there. */
pvh_long_mode:
	movl	$FIRST_2MB, PHYS(user_pd)
	mov	$BOOT_CR4, %eax
	mov	%eax, %cr4
	mov	$PHYS(boot_pml4), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$BOOT_EFER, %eax
	xor	%edx, %edx
	wrmsr
	mov	$BOOT_CR0, %eax
	mov	%eax, %cr0
	lgdt	PHYS(pvh_gdtr)
	ljmp	$BOOT_CS, $PHYS(pvh_64)

	.code64
pvh_64:
	mov	$pvh_high, %rax
	jmp	*%rax
pvh_high:
	movl	$0, user_pd
	mov	%cr3, %rax
	mov	%rax, %cr3			/* what the TLB has of it goes, too */
	jmp	_start
END pvh_start

	.balign	8
pvh_gdt:
	.quad	0, CODE_64
pvh_gdtr:
	.word	. - pvh_gdt - 1
	.long	PHYS(pvh_gdt)
