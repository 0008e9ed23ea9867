/* SPDX-License-Identifier: MIT */
/* judge_context.c: what the guest's context tracking must say. */
#include "vmm/judge.h"

void judge_context(struct judge *j, struct context now, struct context expected)
{
	static const char *const names[] = { [ABI_CONTEXT_KERNEL] = "kernel", [ABI_CONTEXT_USER] = "user" };
	const char *seen = now.state <= ABI_CONTEXT_USER ? names[now.state] : "neither user nor kernel";

	judge_check(j, RULE_CONTEXT, now.state == expected.state, "the context is %s, must be %s", seen, names[expected.state & 1]);
	judge_check(j, RULE_CONTEXT, now.nmi_like == expected.nmi_like, "%ld NMI-like handlers are counted, must be %ld",
		    (long)now.nmi_like, (long)expected.nmi_like);
}
