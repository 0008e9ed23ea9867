/* SPDX-License-Identifier: MIT */
/* case_context.c: context tracking at the stops of a case and of the golden run. */
#include "vmm/case_context.h"

struct context case_context_in(const struct session *s, const uint8_t *ram)
{
	const struct layout *l = &s->layout;

	return (struct context){ case_word(ram, l->k_own + l->context.state), case_word(ram, l->k_own + l->context.nmi_like) };
}

struct context case_context(struct session *s)
{
	return case_context_in(s, mem_at(&s->machine.mem, 0, ABI_RAM_SIZE));
}

void case_judge_context(struct session *s, struct context expected)
{
	judge_context(&s->judge, case_context(s), expected);
}

/* An interrupt comes to user code or to kernel code with IF = 1, so between the first line of C and the last. What is NMI-like comes
 * anywhere, and finds what was there. */
void case_context_handler(struct session *s, const struct injected *in, struct context before)
{
	if (in->event != EVENT_IRQ)
		case_judge_context(s, before);
	else
		case_judge_context(s, cpu_cpl(in->before) ? CONTEXT_OF_USER : CONTEXT_OF_KERNEL);
}

void case_context_body(struct session *s, struct context before)
{
	case_judge_context(s, (struct context){ before.state, before.nmi_like + 1 });
}

/* From the kernel: inside of the body of an NMI-like handler, or in a system call. */
void case_context_ordinary(struct session *s, unsigned from_cpl)
{
	const struct raised *r = &s->raised;

	if (from_cpl)
		case_judge_context(s, CONTEXT_OF_USER);
	else if (r->active)
		case_context_body(s, r->context);
	else
		case_judge_context(s, CONTEXT_OF_KERNEL);
}
