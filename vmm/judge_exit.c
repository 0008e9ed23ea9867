/* SPDX-License-Identifier: MIT */
/* judge_exit.c: the kernel's decision how to go back to user code: which it must be, and that each was counted once and right. */
#include "vmm/judge.h"

/* SYSRET loads RIP from RCX, RFLAGS from R11 without RF, CS and SS from STAR; it faults at CPL 0 on a RIP that is not canonical, and
 * with TF set it does not come to the user's next instruction (SDM vol. 2B, SYSRET). The order is that of guest/abi.h. */
unsigned judge_exit_decision(const struct hardware_frame *f, uint64_t rcx, uint64_t r11)
{
	const bool refuses[ABI_EXITS] = {
		[ABI_EXIT_RCX] = rcx != f->rip,
		[ABI_EXIT_R11] = r11 != f->rflags,
		[ABI_EXIT_CS] = f->cs != ABI_USER_CS,
		[ABI_EXIT_SS] = f->ss != ABI_USER_SS,
		[ABI_EXIT_RIP] = f->rip >= ABI_TASK_SIZE_MAX,
		[ABI_EXIT_RF] = f->rflags & RFLAGS_RF,
		[ABI_EXIT_TF] = f->rflags & RFLAGS_TF,
	};

	for (unsigned n = 0; n < ABI_EXITS; n++)
		if (refuses[n])
			return n;
	return ABI_EXIT_SYSRET;
}

void judge_exit_by(struct judge *j, unsigned decision, bool by_sysret)
{
	bool sysret = decision == ABI_EXIT_SYSRET;

	judge_check(j, RULE_RETURN, by_sysret == sysret, "goes back by %s, must by %s%s", by_sysret ? "SYSRET" : "IRET",
		    sysret ? "SYSRET" : "IRET: ", sysret ? "" : j->layout->exit[decision].name);
}

void judge_exit_counts(struct judge *j, const uint64_t *now, const uint64_t *expected)
{
	for (unsigned n = 0; n < ABI_EXITS; n++)
		judge_check(j, RULE_RETURN, now[n] == expected[n], "the counter of exits \"%s\" is %lu, must be %lu",
			    j->layout->exit[n].name, (unsigned long)now[n], (unsigned long)expected[n]);
}
