/* SPDX-License-Identifier: MIT */
/* hash.h: FNV-1a, 64 bits. */
#ifndef VMM_HASH_H
#define VMM_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ull

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (const uint8_t *p = bytes; size--; p++)
		hash = (hash ^ *p) * 0x100000001b3ull;
	return hash;
}

#endif
