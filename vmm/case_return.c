/* SPDX-License-Identifier: MIT */
/* case_return.c: judging an IRETQ or SYSRETQ at which the guest stands. */
#include "vmm/case_return.h"

#include "vmm/case_context.h"
#include "vmm/case_exit.h"

bool case_is_return(const struct layout *l, uint64_t rip)
{
	for (unsigned n = 0; n < l->returns_count; n++)
		if (l->returns[n] == rip)
			return true;
	return false;
}

bool case_is_sysret(const struct session *s, uint64_t rip)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&s->stops, rip, &left);
	struct insn insn;

	return bytes && decode_insn(bytes, left, rip, &insn) && insn.is_sysret;
}

/* The C code decided on the frame at the top of the thread's stack, which is still there. */
static void at_sysret(struct session *s, const struct model *user, const struct cpu_state *now)
{
	const struct kernel_stack *thread = layout_thread_stack(&s->layout, user->current);
	struct hardware_frame decided;

	session_read(s, thread->base + thread->size - sizeof(decided), &decided, sizeof(decided));
	judge_sysret(&s->judge, user, now, &decided);
	case_exit_at_return(s, now, &decided, true);
	case_judge_context(s, CONTEXT_OF_USER);
}

bool case_judge_return(struct session *s, const struct model *user, const struct cpu_state *now)
{
	struct hardware_frame f;

	if (!case_is_return(&s->layout, now->rip))
		return false;
	judge_at(&s->judge, "return", now);
	if (case_is_sysret(s, now->rip)) {
		at_sysret(s, user, now);
		return true;
	}
	session_read(s, now->gpr[GPR_RSP], &f, sizeof(f));
	if ((f.cs & 3) != 3)
		return false;
	judge_iret_to_user(&s->judge, user, now, &f);
	case_exit_at_return(s, now, &f, false);
	case_judge_context(s, CONTEXT_OF_USER);
	return true;
}
