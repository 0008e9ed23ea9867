/* SPDX-License-Identifier: MIT */
/* vector.h: numbers of the exceptions and interrupts that have a gate (SDM vol. 3, table 6-1). */
#ifndef GUEST_VECTOR_H
#define GUEST_VECTOR_H

#include "guest/abi.h"

enum vector {
	VECTOR_DB = ABI_VECTOR_DB,
	VECTOR_NMI = ABI_VECTOR_NMI,
	VECTOR_BP = ABI_VECTOR_BP,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_MC = ABI_VECTOR_MC,
	VECTOR_IRQ = ABI_VECTOR_IRQ,
	VECTOR_RESCHED = ABI_VECTOR_RESCHED,
	VECTOR_TIMER = ABI_VECTOR_TIMER,
	VECTOR_CALL = ABI_VECTOR_CALL,
	VECTOR_KICK = ABI_VECTOR_KICK,
	VECTOR_COUNT
};

#endif
