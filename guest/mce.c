/* SPDX-License-Identifier: MIT */
/* mce.c: machine check banks and the C half of #MC. */
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/debug.h"
#include "guest/mce.h"
#include "guest/nmi.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/trap.h"
#include "guest/work.h"

#define MCG_CAP_COUNT 0xff
#define MCG_CAP_CTL_P (1u << 8)
#define MC_STATUS_VAL (1ull << 63)

static uint32_t bank_count;

/* A bank reports only what its control word enables. */
void mce_init(void)
{
	uint64_t cap = cpu_rdmsr(MSR_MCG_CAP);

	bank_count = cap & MCG_CAP_COUNT;
	if (cap & MCG_CAP_CTL_P)
		cpu_wrmsr(MSR_MCG_CTL, ~0ull);
	for (uint32_t bank = 0; bank < bank_count; bank++)
		cpu_wrmsr(MSR_MC_CTL(bank), ~0ull);
}

/* MCG_STATUS last: while MCIP is set another machine check shuts the machine down, and from then on
 * another one may begin at the top of this stack. */
void machine_check_body(struct abi_frame *frame)
{
	struct percpu *cpu = percpu_this();

	cpu->mce_count++;
	for (uint32_t bank = 0; bank < bank_count; bank++) {
		if (!(cpu_rdmsr(MSR_MC_STATUS(bank)) & MC_STATUS_VAL))
			continue;
		cpu->mce_bank_count++;
		cpu_wrmsr(MSR_MC_STATUS(bank), 0);
	}
	work_request(frame);
	cpu_wrmsr(MSR_MCG_STATUS, 0);
}

/* Disarmed as in an NMI: a #DB in here could be on top of one that has not left its stack yet. */
bool exc_machine_check(struct abi_frame *frame)
{
	uint64_t dr7 = debug_disarm();

	trap_check_entry();
	context_nmi_enter();
	machine_check_body(frame);
	context_nmi_leave();
	context_nmi_left(frame);
	debug_restore(dr7);
	return nmi_keep_masked(frame, IST_MC);
}
