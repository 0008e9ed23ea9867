/* SPDX-License-Identifier: MIT */
/* vmstate.h: the stream in which QEMU saves a machine's devices: finding fields in it by the description at its end, reading and writing
 * them. Pure: bytes in, bytes out. */
#ifndef VMM_VMSTATE_H
#define VMM_VMSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMSTATE_ROOM 131072             /* four times what QEMU 7.2 needs, its description included */

/* Fields by QEMU's own names. Those of several elements are asked for by index. */
enum vmstate_field {
	VMSTATE_REGS,                   /* 16, in hardware order */
	VMSTATE_EIP, VMSTATE_EFLAGS, VMSTATE_HFLAGS, VMSTATE_HFLAGS2,
	VMSTATE_SEG_SELECTOR, VMSTATE_SEG_BASE, VMSTATE_SEG_LIMIT, VMSTATE_SEG_FLAGS, /* 6 each: ES CS SS DS FS GS */
	VMSTATE_LDT_SELECTOR, VMSTATE_LDT_BASE, VMSTATE_LDT_LIMIT, VMSTATE_LDT_FLAGS,
	VMSTATE_TR_SELECTOR, VMSTATE_TR_BASE, VMSTATE_TR_LIMIT, VMSTATE_TR_FLAGS,
	VMSTATE_GDT_BASE, VMSTATE_GDT_LIMIT, VMSTATE_IDT_BASE, VMSTATE_IDT_LIMIT,
	VMSTATE_CR0, VMSTATE_CR2, VMSTATE_CR3, VMSTATE_CR4,
	VMSTATE_DR,                     /* 8; 4 and 5 mean nothing */
	VMSTATE_EFER, VMSTATE_STAR, VMSTATE_LSTAR, VMSTATE_FMASK, VMSTATE_KERNEL_GS_BASE,
	VMSTATE_MCG_STATUS, VMSTATE_MCG_CTL,
	VMSTATE_MCE_BANKS,              /* 40: of each bank CTL, STATUS, ADDR, MISC */
	VMSTATE_HALTED, VMSTATE_INTERRUPT_REQUEST,
	VMSTATE_APIC_SPURIOUS,
	VMSTATE_APIC_LVT,               /* 6: timer, thermal, performance, LINT0, LINT1, error */
	VMSTATE_FIELDS
};

enum vmstate_section { VMSTATE_CPU_COMMON, VMSTATE_CPU, VMSTATE_APIC, VMSTATE_SECTIONS };

/* A stream and where things lie in it. Large: no local variable. */
struct vmstate {
	uint8_t bytes[VMSTATE_ROOM];
	size_t size;                    /* without the description; with an empty one in its place */
	struct vmstate_head {           /* how each section begins, from its number on */
		uint8_t bytes[32];
		unsigned size;
	} head[VMSTATE_SECTIONS];
	size_t start[VMSTATE_SECTIONS]; /* of each section's first field, in this stream */
	unsigned length[VMSTATE_SECTIONS]; /* of its fields together */
	struct vmstate_place {          /* from the section's start on */
		unsigned at, size, stride, count;
	} place[VMSTATE_FIELDS];
};

/* Both take the stream that the caller has put into bytes, `size` of them as QEMU has saved them, and replace the description at its
 * end by an empty one. The first reads the description, once for a machine; the second believes what was learned, finds the
 * sections again and is quick. False with a line in err if something is missing. */
bool vmstate_learn(struct vmstate *v, size_t size, char *err, size_t err_size);
bool vmstate_take(struct vmstate *v, size_t size, char *err, size_t err_size);

/* Element n of a field, as an unsigned number. Beyond its count: 0, and nothing is written. */
uint64_t vmstate_get(const struct vmstate *v, enum vmstate_field field, unsigned n);
void vmstate_set(struct vmstate *v, enum vmstate_field field, unsigned n, uint64_t value);

/* The exception or interrupt that is about to be delivered, -1 if none is. The machine delivers it before its next instruction. */
int vmstate_exception(const struct vmstate *v);
/* False if the stream would get longer than VMSTATE_ROOM. */
bool vmstate_set_exception(struct vmstate *v, int vector);

#endif
