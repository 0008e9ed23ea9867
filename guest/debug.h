/* SPDX-License-Identifier: MIT */
/* debug.h: arming and disarming the debug registers. */
#ifndef GUEST_DEBUG_H
#define GUEST_DEBUG_H

#include <stdbool.h>

#include "guest/cpu.h"

void debug_init(void);

extern uint64_t debug_watch_word[512];

/* What DR7 is outside of #DB and NMI bodies; how often DR1 and DR2 have hit since they were asked about. */
extern struct debug_state {
	uint64_t dr7, hits, breaks;
} debug_state;

/* Watches 8 bytes of user memory in DR1, none if address is 0. Returns how often those watched before were touched. */
uint64_t debug_watch_user(uint64_t address);

/* An instruction breakpoint at this user address in DR2, none if it is 0. Returns how often the one before was come to. */
uint64_t debug_break_user(uint64_t address);

/* Watches 8 bytes of kernel memory for writes in DR3, none if address is 0. False if that is so, or refused. */
bool debug_watch_kernel(uint64_t address);

/* debug_calls.c */
uint64_t sys_watch(struct abi_frame *frame);
uint64_t sys_break(struct abi_frame *frame);
uint64_t sys_watch_kernel(struct abi_frame *frame);
uint64_t sys_steps(struct abi_frame *frame);

/* While a handler runs no watchpoint may fire: a #DB inside #DB would begin at the top of the same stack. Returns
 * what debug_restore takes. */
static inline uint64_t debug_disarm(void)
{
	uint64_t dr7 = cpu_read_dr7();

	cpu_write_dr7(ABI_DR7_DISARMED);
	return dr7;
}

static inline void debug_restore(uint64_t dr7)
{
	cpu_write_dr7(dr7);
}

#endif
