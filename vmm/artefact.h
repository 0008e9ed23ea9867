/* SPDX-License-Identifier: MIT */
/* artefact.h: what a host does that the architecture does not, undone as if it had not been. */
#ifndef VMM_ARTEFACT_H
#define VMM_ARTEFACT_H

#include <stdbool.h>

struct run;

/* Before each KVM_RUN: remembers what an exception from CPL 3 would overwrite. */
void artefact_prepare(struct run *r);

/* At the gate of #GP: if it comes from one of our HLT bytes at CPL 3, puts the vCPU back to that boundary. */
bool artefact_user_stop(struct run *r);

/* At the gate of #PF: if it is a SYSCALL whose first kernel fetch faulted because the host left CPL at 3, completes
 * the SYSCALL as the manual says (SDM vol. 2B, SYSCALL), from the guest's own EFER, STAR, LSTAR and FMASK. */
bool artefact_syscall(struct run *r);

/* At the gate of #UD: if it is an INT n or INT3 of user code that the host does not execute, brings it to the gate that it asks for, if that
 * may be asked for (SDM vol. 2A, INT n; vol. 3, 6.12.1). The frame is the same but for RIP and RF. */
bool artefact_int(struct run *r);

#endif
