/* SPDX-License-Identifier: MIT */
/* threadcall.h: the system calls about threads, their FS and their GS. */
#ifndef GUEST_THREADCALL_H
#define GUEST_THREADCALL_H

#include "guest/abi.h"

uint64_t sys_fork(struct abi_frame *frame);
uint64_t sys_exec(struct abi_frame *frame);
uint64_t sys_set_tls(struct abi_frame *frame);
uint64_t sys_load_fs(struct abi_frame *frame);
uint64_t sys_peek_gs(struct abi_frame *frame);
uint64_t sys_poke_gs(struct abi_frame *frame);
uint64_t sys_peek_fs(struct abi_frame *frame);
uint64_t sys_poke_fs(struct abi_frame *frame);

#endif
