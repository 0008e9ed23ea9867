/* SPDX-License-Identifier: MIT */
/* qemu_state.h: a QEMU machine's saved state in the words of struct machine_state, both ways; and the machine saved and loaded. */
#ifndef VMM_QEMU_STATE_H
#define VMM_QEMU_STATE_H

#include "vmm/gdb.h"
#include "vmm/machine.h"
#include "vmm/vmstate.h"

/* Everything of *out is written. What QEMU has no word for is 0: the APIC's part of sregs, ST and SMM in events. A shadow is both of KVM's bits:
 * QEMU does not say by which instruction. A vector about to be delivered is exception.injected below 32, else interrupt.injected. */
void qemu_state_read(const struct vmstate *v, struct machine_state *out);

/* The reverse. What machine_state has no word for stays as it is in the stream: FPU, APIC, timers, ADDR and MISC of the
 * machine check banks. An error code cannot be said: it is 0 for every vector that has one. False with a line in err if the stream
 * cannot hold it. */
bool qemu_state_write(struct vmstate *v, const struct machine_state *s, char *err, size_t err_size);

/* The local APIC takes NMIs at LINT1, where the monitor's command `nmi` raises them. */
void qemu_state_nmi_input(struct vmstate *v);

/* Once, before the first of the two below: RAM is not to be saved. */
bool qemu_state_open(struct gdb *g, char *err, size_t err_size);

/* The stopped machine's state into *v, through the file that it saves into; `learn` the first time. */
bool qemu_state_save(struct gdb *g, int file, struct vmstate *v, bool learn, char *err, size_t err_size);
/* The reverse. The machine must have been saved once. It stays stopped, and has forgotten all translated code: RAM may have been
 * written by the bench. Its debug stub's breakpoints stay. */
bool qemu_state_load(struct gdb *g, int file, const struct vmstate *v, char *err, size_t err_size);

#endif
