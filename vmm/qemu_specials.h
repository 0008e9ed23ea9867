/* SPDX-License-Identifier: MIT */
/* qemu_specials.h: the instructions of the guest's text that the bench must not let QEMU run past: port writes and HLT. */
#ifndef VMM_QEMU_SPECIALS_H
#define VMM_QEMU_SPECIALS_H

#include "vmm/qemu_vcpu.h"
#include "vmm/stops.h"

/* Finds them all, once for a machine. */
void qemu_specials_find(struct qemu_vcpu *v, const struct stops *stops);

/* The one at this address, or NULL. */
const struct qemu_special *qemu_special_at(const struct qemu_vcpu *v, gva_t at);

#endif
