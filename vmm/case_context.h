/* SPDX-License-Identifier: MIT */
/* case_context.h: context tracking: what the guest keeps of it, and what it must be at each stop. */
#ifndef VMM_CASE_CONTEXT_H
#define VMM_CASE_CONTEXT_H

#include "vmm/case_flight.h"

/* What user code and the last line of C before it have; what a system call has. */
#define CONTEXT_OF_USER   ((struct context){ ABI_CONTEXT_USER, 0 })
#define CONTEXT_OF_KERNEL ((struct context){ ABI_CONTEXT_KERNEL, 0 })

/* The guest's words now, or in a copy of its RAM. */
struct context case_context(struct session *s);
struct context case_context_in(const struct session *s, const uint8_t *ram);

/* The guest's words against what they must be. Rule context. */
void case_judge_context(struct session *s, struct context expected);

/* The C handler, and the body, of an event whose words at its boundary are `before`. */
void case_context_handler(struct session *s, const struct injected *in, struct context before);
void case_context_body(struct session *s, struct context before);
/* The C handler of an ordinary exception of the golden run, or of SYSCALL, from this CPL. */
void case_context_ordinary(struct session *s, unsigned from_cpl);

#endif
