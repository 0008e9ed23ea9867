/* SPDX-License-Identifier: MIT */
/* apart.h: work done in a process of its own, so that what ends it ends nothing else. */
#ifndef VMM_APART_H
#define VMM_APART_H

#include <stddef.h>

/* Zeroed memory that both processes see. */
void *apart_memory(size_t size);
void apart_free(void *memory, size_t size);

/* Does the work and waits for its end. why: "" if it came to its own end, else what it said on stderr, or how it ended. Call it while
 * there is one thread. The other process ends with this one. */
void apart_do(void (*work)(void *context), void *context, char *why, size_t why_size);

#endif
