/* SPDX-License-Identifier: MIT */
/* facts_qemu.h: what an engine of QEMU's does with the image under test, measured for doctor with the engine itself. */
#ifndef VMM_FACTS_QEMU_H
#define VMM_FACTS_QEMU_H

#include "vmm/options.h"
#include "vmm/session.h"

/* Each field is written when it is known, so that what stands there when the measuring is cut short is true. */
struct qemu_facts {
	char version[32];
	char why[800];                  /* what ended the measuring; "" if nothing did */
	bool answers;                   /* it is there, new enough, and a machine of it can be had */
	bool boots;                     /* the image gets to user code */
	struct host_facts host;
	unsigned boundaries;            /* of a system call, seen by single steps; all that follow count them */
	unsigned same;                  /* seen by a breakpoint each, with the same state */
	unsigned loaded;                /* another state that was loaded there was there, and the old one afterwards */
	unsigned injectable;            /* ... of them outside an interrupt shadow */
	unsigned came[EVENT_NMI_LIKE];  /* this event came at once and as the architecture says */
	double steps_one, steps_all;    /* single steps a second with one job and with all */
};

/* In a process of its own: whatever QEMU does, the caller goes on. Nothing of it is left afterwards. */
void facts_qemu(const struct options *o, enum engine_choice engine, struct qemu_facts *out);

#endif
