/* SPDX-License-Identifier: MIT */
/* facts_qemu.h: what the QEMU of this host does with the image under test, measured for doctor. */
#ifndef VMM_FACTS_QEMU_H
#define VMM_FACTS_QEMU_H

#include <stdbool.h>

#include "vmm/elf.h"

enum qemu_answer {
	QEMU_ABSENT,                    /* nowhere in PATH */
	QEMU_USELESS,                   /* there, but not to be talked to */
	QEMU_ANSWERS,
};

/* One kind of event, raised at each boundary of the system call until something goes wrong. */
struct qemu_event {
	unsigned came;                  /* boundaries where it was delivered, at once and with the state as it was */
	bool stuck;                     /* the last of them was not reached again as it was: the image's own affair */
};

struct qemu_facts {
	enum qemu_answer answer;
	char version[32];
	char why[800];                  /* why it is useless, or what went wrong later; "" if nothing did */
	bool boots;                     /* the image gets to user code, from RAM that the bench has written into */
	bool state;                     /* A, I, CR4 and EFER are what they must be at the entry of a system call */
	unsigned boundaries;            /* of that system call, seen by single steps */
	unsigned same;                  /* ... and, with the same state, by a breakpoint each */
	struct qemu_event nmi, mce;
	bool trap;                      /* RFLAGS.TF set from outside: #DB at the next boundary */
};

void facts_qemu(const struct elf *elf, struct qemu_facts *out);

#endif
