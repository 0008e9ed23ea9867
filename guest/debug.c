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
#include "guest/watchable.h"
#include "guest/work.h"

#define DR6_B0     (1u << 0)
#define DR6_B1     (1u << 1)
#define DR6_B2     (1u << 2)
#define DR6_BS     (1u << 14)
#define DR6_CAUSES 0xe00f                       /* B0-B3, BD, BS, BT */

/* DR0 watches the first of them for writes. Nothing touches it, so a hit is always the bench's. A page of its own, because QEMU 7.2 takes
 * a store that is not aligned for one to all of its page before it. */
uint64_t debug_watch_word[512] __attribute__((aligned(4096), used));

struct debug_state debug_state;

void debug_init(void)
{
	cpu_write_dr0((uint64_t)debug_watch_word);
	cpu_write_dr6(ABI_DR6_RESET);
	debug_state.dr7 = ABI_DR7_ARMED;
	cpu_write_dr7(debug_state.dr7);
}

/* A register changes while nothing is watched by it. */
static void disarm(uint64_t bits)
{
	debug_state.dr7 &= ~bits;
	cpu_write_dr7(debug_state.dr7);
}

static void arm(uint64_t address, uint64_t bits)
{
	if (address)
		debug_state.dr7 |= bits;
	cpu_write_dr7(debug_state.dr7);
}

static uint64_t take(uint64_t *count)
{
	uint64_t taken = *count;

	*count = 0;
	return taken;
}

/* Entry code touches no user memory, so what a user may watch can hit in C only. */
uint64_t debug_watch_user(uint64_t address)
{
	disarm(ABI_DR7_WATCH);
	cpu_write_dr1(address);
	arm(address, ABI_DR7_WATCH);
	return take(&debug_state.hits);
}

uint64_t debug_break_user(uint64_t address)
{
	disarm(ABI_DR7_BREAK);
	cpu_write_dr2(address);
	arm(address, ABI_DR7_BREAK);
	return take(&debug_state.breaks);
}

bool debug_watch_kernel(uint64_t address)
{
	if (!watchable(address, sizeof(uint64_t)))
		return false;
	disarm(ABI_DR7_KERNEL);
	cpu_write_dr3(address);
	arm(address, ABI_DR7_KERNEL);
	return address;
}

static void single_step(struct abi_frame *frame)
{
	struct thread *t = thread_current();

	if (!trap_from_user(frame))             /* FMASK and the gates clear TF */
		report_trap("#DB by TF in the kernel", frame);
	t->steps++;
	if (t->step_signals)
		work_request_own(WORK_SIGNAL);
	if (t->step_moves)
		work_request_own(WORK_MIGRATE);
}

/* Unlike the others it comes before its instruction, and would again. It comes once: RF, which would let the instruction pass and leave it
 * armed, is not kept by every processor that this runs on. */
static void breakpoint(struct abi_frame *frame)
{
	if (!trap_from_user(frame))
		report_trap("#DB by a breakpoint in the kernel", frame);
	debug_state.breaks++;
	debug_state.dr7 &= ~(uint64_t)ABI_DR7_BREAK;
	cpu_write_dr2(0);
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
		debug_state.hits++;
		break;
	case DR6_B2:
		breakpoint(frame);
		break;
	case DR6_BS:
		single_step(frame);
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
	debug_restore(dr7 & debug_state.dr7);   /* less a breakpoint that has been taken away */
	return nmi_keep_masked(frame, IST_DB);
}
