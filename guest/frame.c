/* SPDX-License-Identifier: MIT */
/* frame.c: assertions that assembly and C mean the same layouts, and the version of the contract. No code. */
#include <stddef.h>

#include "guest/abi.h"
#include "guest/percpu.h"
#include "guest/regs.h"
#include "guest/thread.h"

#define SAME(type, field, number) \
	_Static_assert(offsetof(struct type, field) == (number), #type "." #field " is not " #number)

SAME(abi_frame, r15, FRAME_R15);
SAME(abi_frame, r14, FRAME_R14);
SAME(abi_frame, r13, FRAME_R13);
SAME(abi_frame, r12, FRAME_R12);
SAME(abi_frame, rbp, FRAME_RBP);
SAME(abi_frame, rbx, FRAME_RBX);
SAME(abi_frame, r11, FRAME_R11);
SAME(abi_frame, r10, FRAME_R10);
SAME(abi_frame, r9, FRAME_R9);
SAME(abi_frame, r8, FRAME_R8);
SAME(abi_frame, rax, FRAME_RAX);
SAME(abi_frame, rcx, FRAME_RCX);
SAME(abi_frame, rdx, FRAME_RDX);
SAME(abi_frame, rsi, FRAME_RSI);
SAME(abi_frame, rdi, FRAME_RDI);
SAME(abi_frame, error, FRAME_ERROR);
SAME(abi_frame, rip, FRAME_RIP);
SAME(abi_frame, cs, FRAME_CS);
SAME(abi_frame, rflags, FRAME_RFLAGS);
SAME(abi_frame, rsp, FRAME_RSP);
SAME(abi_frame, ss, FRAME_SS);
_Static_assert(sizeof(struct abi_frame) == FRAME_SIZE, "struct abi_frame is not FRAME_SIZE long");
_Static_assert((uint64_t)FRAME_NO_ERROR == ABI_NO_ERROR, "FRAME_NO_ERROR is not ABI_NO_ERROR");

SAME(percpu, self, PERCPU_SELF);
SAME(percpu, stack_top, PERCPU_STACK_TOP);
SAME(percpu, user_rsp, PERCPU_USER_RSP);
SAME(percpu, current, PERCPU_CURRENT);
SAME(percpu, tss, PERCPU_TSS);
SAME(thread, gs_base, THREAD_GS_BASE);
SAME(thread, work, THREAD_WORK);
SAME(thread, kernel_sp, THREAD_KERNEL_SP);
SAME(thread, stack_top, THREAD_STACK_TOP);
_Static_assert(offsetof(struct thread, tls) + 8 == THREAD_SAVED, "what holds while it does not run comes first");
_Static_assert(sizeof(struct percpu) == ABI_PERCPU_SIZE, "K of CPU n is percpu_areas + n * ABI_PERCPU_SIZE");

/* The bench reads this word out of the image and refuses any other version. */
const uint32_t abi_version = ABI_VERSION;
