/* SPDX-License-Identifier: MIT */
/* usercopy.h: one word of user memory, which may not be there. */
#ifndef GUEST_USERCOPY_H
#define GUEST_USERCOPY_H

#include "guest/abi.h"

/* 0, or -ABI_EFAULT with nothing changed. The pointer must be user space's. */
int get_user(uint64_t pointer, uint64_t *to);
int put_user(uint64_t pointer, uint64_t value);

#endif
