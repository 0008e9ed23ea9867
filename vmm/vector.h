/* SPDX-License-Identifier: MIT */
/* vector.h: what a vector alone tells of how it comes (SDM vol. 3, table 6-1; the guest's own: guest/abi.h). Pure. */
#ifndef VMM_VECTOR_H
#define VMM_VECTOR_H

#include <stdbool.h>

#include "guest/abi.h"

#define VECTOR_FIRST_FREE 32            /* below are the processor's exceptions, and NMI */

/* Bytes of the instruction that calls it, INT3 or INT 0x80: a trap, so the saved RIP is behind it. 0 if there is none. */
static inline unsigned vector_called_by(unsigned vector)
{
	return vector == ABI_VECTOR_BP ? 1 : vector == ABI_VECTOR_INT80 ? 2 : 0;
}

/* Its frame has an error code below RIP. */
static inline bool vector_pushes_error(unsigned vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* It comes from outside, between two instructions. */
static inline bool vector_is_interrupt(unsigned vector)
{
	return vector >= VECTOR_FIRST_FREE && !vector_called_by(vector);
}

#endif
