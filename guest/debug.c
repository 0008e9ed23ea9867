/* SPDX-License-Identifier: MIT */
/* debug.c: the debug registers and #DB. */
#include "guest/context.h"
#include "guest/debug.h"
#include "guest/nmi.h"
#include "guest/percpu.h"
#include "guest/report.h"
#include "guest/stacks.h"
#include "guest/thread.h"
#include "guest/trap.h"
#include "guest/work.h"

#define DR6_B0     (1u << 0)
#define DR6_B1     (1u << 1)
#define DR6_BS     (1u << 14)
#define DR6_CAUSES 0xe00f                       /* B0-B3, BD, BS, BT */

/* DR0 watches it for writes. Nothing touches it, so a hit is always the bench's. */
uint64_t debug_watch_word __attribute__((aligned(8), used));

/* How often what DR1 watches for the running thread was touched. */
static uint64_t user_hits;

void debug_init(void)
{
	cpu_write_dr0((uint64_t)&debug_watch_word);
	cpu_write_dr6(ABI_DR6_RESET);
	cpu_write_dr7(ABI_DR7_ARMED);
}

/* DR1 changes while nothing is watched by it. Entry code touches no user memory, so what a user may watch can hit in C only. */
uint64_t debug_watch_user(uint64_t address)
{
	uint64_t hits = user_hits;

	cpu_write_dr7(ABI_DR7_ARMED);
	cpu_write_dr1(address);
	user_hits = 0;
	if (address)
		cpu_write_dr7(ABI_DR7_WATCHING);
	return hits;
}

uint64_t debug_take_steps(struct abi_frame *frame)
{
	uint64_t steps = thread_current()->steps;

	thread_current()->steps = 0;
	thread_current()->step_signals = frame->rdi & 1;
	return steps;
}

void debug_body(struct abi_frame *frame, uint64_t dr6)
{
	struct percpu *cpu = percpu_this();

	cpu->db_count++;
	switch (dr6 & DR6_CAUSES) {
	case DR6_B0:
		cpu->db_hit_count++;
		break;
	case DR6_B1:
		cpu->db_hit_count++;
		user_hits++;
		break;
	case DR6_BS:
		if (!trap_from_user(frame))     /* FMASK and the gates clear TF */
			report_trap("#DB by TF in the kernel", frame);
		thread_current()->steps++;
		if (thread_current()->step_signals)
			work_request_own(WORK_SIGNAL);
		break;
	default:
		report_trap("#DB", frame);
	}
	work_request(frame);
}

/* DR6 is read once and reset before anything else can raise #DB and mix its bits in. */
bool exc_debug(struct abi_frame *frame)
{
	uint64_t dr6 = cpu_read_dr6(), dr7;

	cpu_write_dr6(ABI_DR6_RESET);
	dr7 = debug_disarm();
	trap_check_entry();
	context_nmi_enter();
	debug_body(frame, dr6);
	context_nmi_leave();
	context_nmi_left(frame);
	debug_restore(dr7);
	return nmi_keep_masked(frame, IST_DB);
}
