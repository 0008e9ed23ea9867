/* SPDX-License-Identifier: MIT */
/* context.c: context tracking: one state for each CPU, and how many NMI-like handlers are nested on it. */
#include <stddef.h>

#include "guest/context.h"
#include "guest/percpu.h"
#include "guest/report.h"
#include "guest/trap.h"

const struct abi_context abi_context = { offsetof(struct percpu, context), offsetof(struct percpu, nmi_like) };

/* Out of line, so that entry text has no panic that is never come to. */
static __attribute__((noinline)) void context_expect(uint64_t state, const char *why)
{
	const struct percpu *cpu = percpu_this();

	if (cpu->context != state || cpu->nmi_like)
		report_panic(ABI_PANIC_ASSERT, why, 0);
}

void context_enter(const struct abi_frame *frame)
{
	struct percpu *cpu = percpu_this();

	if (trap_from_user(frame)) {
		context_expect(ABI_CONTEXT_USER, "the context is not user at an entry from user code");
		cpu->context = ABI_CONTEXT_KERNEL;
	} else if (cpu->context != ABI_CONTEXT_KERNEL && !cpu->nmi_like) {
		report_panic(ABI_PANIC_ASSERT, "the context is user in the kernel", 0);
	}
}

__attribute__((section(".entry.text"))) void context_leave(void)
{
	context_expect(ABI_CONTEXT_KERNEL, "the context is not kernel at the exit to user code");
	percpu_this()->context = ABI_CONTEXT_USER;
}

void context_nmi_enter(void)
{
	percpu_this()->nmi_like++;
}

void context_nmi_leave(void)
{
	percpu_this()->nmi_like--;
}

void context_nmi_left(const struct abi_frame *frame)
{
	if (trap_from_user(frame))
		context_enter(frame);
}
