/* SPDX-License-Identifier: MIT */
/* case_exit.h: the decisions how to return to user code, counted by the bench at each return instruction. */
#ifndef VMM_CASE_EXIT_H
#define VMM_CASE_EXIT_H

#include "vmm/session.h"

/* The guest stands at a return instruction to CPL 3 that is about to load, or was decided with, this frame: which decision it must have
 * been, against the instruction; and it is counted. Rule return. */
void case_exit_at_return(struct session *s, const struct cpu_state *now, const struct hardware_frame *f, bool by_sysret);

/* The NMI that has come to its gate interrupts this: from user code its exit is not decided. */
void case_exit_nmi_gate(struct session *s, const struct cpu_state *before);

/* At CPL 3: the guest's counters against the bench's count. Rule return. */
void case_exit_at_user(struct session *s);

/* At CPL 0: against those in another RAM. */
void case_exit_unchanged(struct session *s, const uint8_t *was);

/* The bench's count is the guest's: at the snapshot. */
void case_exit_begin(struct session *s);

/* A case begins: the golden run's return at its boundary, if there is one, is still to come. */
void case_exit_start(struct session *s);

#endif
