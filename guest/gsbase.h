/* SPDX-License-Identifier: MIT */
/* gsbase.h: the running thread's GS, as system calls change and read it. */
#ifndef GUEST_GSBASE_H
#define GUEST_GSBASE_H

#include "guest/abi.h"

uint64_t sys_set_gs(struct abi_frame *frame);
uint64_t sys_get_gs(struct abi_frame *frame);
uint64_t sys_load_gs(struct abi_frame *frame);

#endif
