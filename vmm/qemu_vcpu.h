/* SPDX-License-Identifier: MIT */
/* qemu_vcpu.h: the vCPU of a QEMU machine: what the bench wants it to be and what QEMU has, brought together before it runs. */
#ifndef VMM_QEMU_VCPU_H
#define VMM_QEMU_VCPU_H

#include "vmm/gdb.h"
#include "vmm/libvirt.h"
#include "vmm/machine.h"
#include "vmm/qemu.h"
#include "vmm/qemu_maker.h"
#include "vmm/qemu_state.h"

#define QEMU_BREAKPOINTS 4096

/* An instruction at which the bench itself must stop: nobody but the bench has the ports, and a halted QEMU never stops. */
struct qemu_special {
	gva_t at;
	enum { SPECIAL_OUT, SPECIAL_HLT } kind;
	unsigned length;
	bool by_dx;                     /* its port is in DX, else it is `port` */
	uint16_t port;
	unsigned size;                  /* bytes that it writes */
};

#define QEMU_SPECIALS 128

struct qemu_vcpu {
	const struct qemu_maker *maker;
	struct qemu process;            /* of the one that makes child processes */
	struct libvirt domain;          /* of libvirt */
	struct mem ram;
	int state, socket;              /* the file that it saves into; to its gdb stub */
	struct gdb gdb;
	struct vmstate saved;           /* the last saved state, where the next one to be loaded is made */
	struct machine_state want, have; /* the machine's copies of registers point into want */
	struct machine_state blank;     /* a new machine's */
	bool deep;                      /* have is true throughout; else what a gdb stub tells, and the debug registers if `debug` */
	bool debug;
	bool shadow;                    /* with `debug` */
	bool lost;                      /* QEMU has something else altogether: all of want must be loaded */
	bool stops_again;               /* a data watchpoint may have hit in a single step: QEMU stops for it once more, before it goes
					 * on, unless it is loaded */
	bool after_port;                /* the OUT that the guest was left by is done, and the instruction behind it has had no chance to be
					 * a stop */
	bool was_reset;                 /* it has reset itself while it stood still: a machine check inside another one */
	gva_t breakpoint[QEMU_BREAKPOINTS]; /* that QEMU has, in order */
	unsigned breakpoints;
	struct qemu_special special[QEMU_SPECIALS];
	unsigned specials;
	struct qemu_vcpu *next;         /* qemu_pool.c */
};

/* For trouble that no guest can make: one line with what QEMU has said, and EXIT_HOST. */
void qemu_vcpu_die(struct machine *m) __attribute__((noreturn));

/* Reads the registers after a stop. */
void qemu_vcpu_arrive(struct machine *m);

/* have is true throughout, and want where nobody has written to it. */
void qemu_vcpu_deepen(struct machine *m);
/* The same for the debug registers and the shadow. */
void qemu_vcpu_see_debug(struct machine *m);

/* QEMU has what is wanted. */
void qemu_vcpu_send(struct machine *m);

/* The same, and its gdb stub is as a person's gdb wants to find it. The machine cannot be entered any more. */
void qemu_vcpu_hand_over(struct machine *m);

#endif
