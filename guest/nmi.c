/* SPDX-License-Identifier: MIT */
/* nmi.c: the C half of NMI, and where nothing may unmask the next one. */
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/debug.h"
#include "guest/nmi.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/trap.h"
#include "guest/vector.h"
#include "guest/work.h"

volatile uint64_t nmi_faults, nmi_raises;

int msr_write_safe(uint32_t msr, uint64_t value);

/* By interrupt even if user code was interrupted: an NMI's exit does no work. */
void nmi_body(struct abi_frame *frame __attribute__((unused)))
{
	percpu_this()->nmi_count++;
	if (work_is_requested())
		work_request_by_interrupt();
	if (nmi_faults)
		msr_write_safe(MSR_PKRS, 1ull << 63);           /* refused, with PKS or without: #GP, whose IRET unmasks NMIs */
	if (nmi_raises) {
		nmi_raises = 0;
		cpu_outb(ABI_PORT_IPI, VECTOR_NMI);
	}
}

/* Disarmed, because the IRET of a #DB in here would unmask NMIs while this stack is still in use. */
void exc_nmi(struct abi_frame *frame)
{
	uint64_t dr7 = debug_disarm();

	trap_check_entry();
	context_nmi_enter();
	nmi_body(frame);
	context_nmi_leave();
	debug_restore(dr7);
}

/* Entry text in which an NMI's five words still lie where the next one's would be put. */
extern const char asm_exc_nmi_swapgs[], nmi_swapgs_again[], nmi_swapgs_owed[], nmi_swapgs_end[];
extern const char asm_exc_nmi_ist[], nmi_ist_again[], nmi_ist_owed[], nmi_ist_end[];
extern const char asm_exc_nmi_lsl[], nmi_lsl_again[], nmi_lsl_owed[], nmi_lsl_end[];
extern const char asm_exc_nmi_pure[], nmi_pure_again[], nmi_pure_owed[], nmi_pure_end[];
extern const char asm_exc_nmi_from_user_pure[], asm_exc_nmi_moved_pure[];
extern const char asm_exc_nmi_from_user[], asm_exc_nmi_moved[];
extern const char paranoid_return_bare[], paranoid_return_bare_end[];

static const struct {
	const char *start, *end;
} bare[] = {
	{ asm_exc_nmi_swapgs, nmi_swapgs_again },
	{ nmi_swapgs_owed, nmi_swapgs_end },
	{ asm_exc_nmi_ist, nmi_ist_again },
	{ nmi_ist_owed, nmi_ist_end },
	{ asm_exc_nmi_lsl, nmi_lsl_again },
	{ nmi_lsl_owed, nmi_lsl_end },
	{ asm_exc_nmi_pure, nmi_pure_again },
	{ nmi_pure_owed, nmi_pure_end },
	{ asm_exc_nmi_from_user_pure, asm_exc_nmi_moved_pure },
	{ asm_exc_nmi_from_user, asm_exc_nmi_moved },
	{ paranoid_return_bare, paranoid_return_bare_end },     /* on the way back to one of these */
};

/* Where all of these lie: guest.ld. */
extern const char __nmi_text_start[], __nmi_text_end[];

static bool is_bare(uint64_t rip)
{
	if (rip < (uint64_t)__nmi_text_start || rip >= (uint64_t)__nmi_text_end)
		return false;
	for (unsigned n = 0; n < sizeof(bare) / sizeof(bare[0]); n++)
		if (rip >= (uint64_t)bare[n].start && rip < (uint64_t)bare[n].end)
			return true;
	return false;
}

/* On the stack of the other one of #MC and #DB: what that one has interrupted may be bare. User code can make RSP look so,
 * and then room for two words is all that is needed there. */
static bool on_other_stack(uint64_t rsp, unsigned own)
{
	unsigned other = percpu_this()->cpu * STACKS_OF_CPU + (own == IST_MC ? IST_DB : IST_MC);
	uint64_t base = abi_stacks[other].base;

	return rsp >= base + IST_SLOT_BYTES + 2 * sizeof(uint64_t) && rsp <= base + abi_stacks[other].size;
}

bool nmi_keep_masked(struct abi_frame *frame, unsigned own)
{
	uint64_t *word = (uint64_t *)frame->rsp - 2;

	if (trap_from_user(frame) || !(is_bare(frame->rip) || on_other_stack(frame->rsp, own)))
		return false;
	word[0] = frame->rflags;
	word[1] = frame->rip;
	frame->rsp = (uint64_t)word;
	return true;
}
