/* SPDX-License-Identifier: MIT */
/* case_return.h: judging an IRETQ or SYSRETQ at which the guest stands. */
#ifndef VMM_CASE_RETURN_H
#define VMM_CASE_RETURN_H

#include "vmm/session.h"

bool case_is_return(const struct layout *l, uint64_t rip);
bool case_is_sysret(const struct session *s, uint64_t rip);

/* If the guest stands at a return instruction that leads to CPL 3: rule return, against the user program as it must
 * be there. True if it did. */
bool case_judge_return(struct session *s, const struct model *user, const struct cpu_state *now);

#endif
