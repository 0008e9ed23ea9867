/* SPDX-License-Identifier: MIT */
/* trap.h: the C halves of the exceptions. Each is called by the gate of the same name. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdbool.h>

#include "guest/abi.h"

void exc_breakpoint(struct abi_frame *frame);
void exc_invalid_op(struct abi_frame *frame);
void exc_segment_not_present(struct abi_frame *frame);
void exc_stack_segment(struct abi_frame *frame);
void exc_general_protection(struct abi_frame *frame);
void exc_page_fault(struct abi_frame *frame);
void exc_nmi(struct abi_frame *frame);
/* These return how to go back to kernel code, for paranoid_return: true by RET, so that the NMI mask stays as it is. */
bool exc_machine_check(struct abi_frame *frame);
bool exc_debug(struct abi_frame *frame);
bool exc_double_fault(struct abi_frame *frame);
void exc_interrupt(struct abi_frame *frame);
void exc_reschedule(struct abi_frame *frame);
void exc_timer(struct abi_frame *frame);
void exc_call(struct abi_frame *frame);
void exc_kick(struct abi_frame *frame);
void exc_int80(struct abi_frame *frame);

/* What an NMI-like handler does once the state is in order. The bench knows these by name and argument: they are
 * calls for ever, never inlined, cloned or changed. */
#define TRAP_BODY __attribute__((noipa, used))
void nmi_body(struct abi_frame *frame) TRAP_BODY;
void machine_check_body(struct abi_frame *frame) TRAP_BODY;
void debug_body(struct abi_frame *frame, uint64_t dr6) TRAP_BODY;

/* What every handler may rely on: A is K, and IF is 0. Panics if not. */
void trap_check_entry(void);

/* Called by error_entry with the frame of a fault of the IRET to user code. Returns the frame of that user code: the five words
 * lie where IRET found them, and the registers are moved to below them. */
struct abi_frame *fixup_bad_iret(struct abi_frame *fault);

static inline bool trap_from_user(const struct abi_frame *frame)
{
	return frame->cs & 3;
}

#endif
