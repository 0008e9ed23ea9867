/* SPDX-License-Identifier: MIT */
/* machine_lsl.h: LSL, the one instruction that the bench executes for a KVM that does not. */
#ifndef VMM_MACHINE_LSL_H
#define VMM_MACHINE_LSL_H

#include "vmm/lsl.h"
#include "vmm/machine.h"

/* A machine of this VM leaves KVM_RUN with the bytes of an instruction that KVM does not execute, if this KVM can. */
void machine_lsl_ask(struct machine *m);

/* The machine has just left for that reason, at an LSL: executes it, so that the guest stands at the next boundary. False, and
 * nothing changed, for every other reason and every other instruction. */
bool machine_lsl(struct machine *m);

/* What an LSL gives in this machine, and the register that it names. */
enum lsl_result machine_lsl_result(const struct machine *m, uint16_t selector, uint32_t *limit);
__u64 *machine_lsl_gpr(struct machine *m, unsigned number);

#endif
