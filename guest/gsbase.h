/* SPDX-License-Identifier: MIT */
/* gsbase.h: the running thread's GS, as system calls change and read it. */
#ifndef GUEST_GSBASE_H
#define GUEST_GSBASE_H

#include <stdbool.h>

#include "guest/abi.h"
#include "guest/desc.h"

/* Which scheme keeps U; before the first use of the others. */
void gsbase_init(enum scheme scheme);

/* Is it in the thread, and not in I? That is scheme pure. */
bool gsbase_in_thread(void);

/* U of the running thread, as it will have it when it goes on. */
uint64_t user_gs_base(void);
void user_gs_base_set(uint64_t base);

/* GS selector := this one, U stays. 0, or -ABI_EINVAL with GS null. */
int gsbase_load_selector(uint32_t selector);

uint64_t sys_set_gs(struct abi_frame *frame);
uint64_t sys_get_gs(struct abi_frame *frame);
uint64_t sys_load_gs(struct abi_frame *frame);

#endif
