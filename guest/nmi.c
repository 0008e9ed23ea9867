/* SPDX-License-Identifier: MIT */
/* nmi.c: the C half of NMI. */
#include "guest/debug.h"
#include "guest/percpu.h"
#include "guest/trap.h"
#include "guest/work.h"

/* By interrupt even if user code was interrupted: an NMI's exit does no work. */
void nmi_body(struct abi_frame *frame __attribute__((unused)))
{
	percpu_this()->nmi_count++;
	if (work_is_requested())
		work_request_by_interrupt();
}

/* Disarmed, because the IRET of a #DB in here would unmask NMIs while this stack is still in use. */
void exc_nmi(struct abi_frame *frame)
{
	uint64_t dr7 = debug_disarm();

	trap_check_entry();
	nmi_body(frame);
	debug_restore(dr7);
}
