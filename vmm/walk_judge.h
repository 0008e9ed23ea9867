/* SPDX-License-Identifier: MIT */
/* walk_judge.h: which rules apply at which boundary of the golden run. */
#ifndef VMM_WALK_JUDGE_H
#define VMM_WALK_JUDGE_H

#include "vmm/session.h"

struct walk_judge {
	struct cpu_state last;          /* the boundary before */
	struct cpu_state entered;       /* the boundary from which the kernel was entered last */
	bool refused_iret;              /* ... but as an IRET has it that could not go there */
	bool from_user;                 /* the boundary before was the user's; on some hosts none that could be stopped at */
	uint64_t hit;                   /* the instruction there owes a #DB with this DR6, 0: none, and must have left after_hit */
	struct cpu_state after_hit;
	bool been_user;                 /* it has come to user code */
	bool turned;                    /* another CPU ran in between */
	bool started;
	bool lost;                      /* the user program did what its model cannot follow */
};

/* Does a rule apply at this boundary that looks at I? */
bool walk_judge_needs_i(const struct session *s, const struct cpu_state *now);

/* Judges the boundary at which the guest stands. At CPL 3 the session's model advances. */
void walk_judge(struct walk_judge *w, struct session *s, struct cpu_state *now);

#endif
