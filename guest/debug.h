/* SPDX-License-Identifier: MIT */
/* debug.h: arming and disarming the debug registers. */
#ifndef GUEST_DEBUG_H
#define GUEST_DEBUG_H

#include "guest/cpu.h"

void debug_init(void);

/* Watches 8 bytes of user memory, none if address is 0. Returns how often those watched before were touched. */
uint64_t debug_watch_user(uint64_t address);

/* ABI_SYS_STEPS. */
uint64_t debug_take_steps(struct abi_frame *frame);

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
