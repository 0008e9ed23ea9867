/* SPDX-License-Identifier: MIT */
/* gsbase.h: the running thread's GS, as system calls change and read it. */
#ifndef GUEST_GSBASE_H
#define GUEST_GSBASE_H

#include "guest/abi.h"

/* U of the running thread. */
void gsbase_write(uint64_t u);
uint64_t gsbase_read(void);

/* GS selector := this one, U stays. 0, or -ABI_EINVAL with GS null. */
int gsbase_load_selector(uint32_t selector);

uint64_t sys_set_gs(struct abi_frame *frame);
uint64_t sys_get_gs(struct abi_frame *frame);
uint64_t sys_load_gs(struct abi_frame *frame);

#endif
