/* SPDX-License-Identifier: MIT */
/* inject.h: making an event pending at the boundary where the vCPU stands. */
#ifndef VMM_INJECT_H
#define VMM_INJECT_H

#include "vmm/event.h"
#include "vmm/machine.h"

/* DR6 that comes with an injected #DB: a hit of breakpoint 0 (SDM vol. 3, 17.2.3). */
#define INJECT_DR6 0xffff0ff1ull

/* The event is taken by the next run before any instruction. The vCPU's state must be the saved one. */
void inject_event(struct machine *m, enum event event, const struct machine_state *saved);

/* An external interrupt, taken by the next run. IF must be 1 and no shadow cover the boundary. */
void inject_interrupt(struct machine *m, unsigned vector);

/* NMI, #MC or #DB that the guest sends itself by a port access: finishes the access, and the event is taken at the boundary
 * after it. False if the vector is none of them. */
bool inject_own(struct machine *m, unsigned vector);

#endif
