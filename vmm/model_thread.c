/* SPDX-License-Identifier: MIT */
/* model_thread.c: the threads of the user program: whose turn it is, and what becomes of FS and GS at a switch and in the
 * system calls about threads. */
#include <string.h>

#include "vmm/model_step.h"

/* The selectors of abi.h's GDT that user code may have in FS and GS. */
bool model_can_load(uint16_t selector, uint64_t tls)
{
	return selector == ABI_USER_SS || selector == ABI_USER_CS || selector == ABI_USER32_CS || (selector == ABI_TLS && tls != MODEL_TLS_NONE);
}

void model_init_threads(struct model *m, uint64_t entry_2)
{
	const unsigned first = m->cpu * ABI_THREADS_OF_CPU;
	struct model_thread *t = &m->parked[first + 1];

	m->tls = MODEL_TLS_NONE;
	m->current = first;
	m->parked[m->current].runnable = true;
	if (!entry_2)
		return;
	*t = (struct model_thread){ .runnable = true, .rip = entry_2, .cs = ABI_USER_CS, .rflags = RFLAGS_FIXED | RFLAGS_IF, .tls = MODEL_TLS_NONE };
	for (unsigned n = 0; n < GPR_COUNT; n++)
		t->gpr[n] = ABI_USER_GPR_2 + n * ABI_USER_GPR_STEP;
	t->gpr[GPR_RSP] = m->gpr[GPR_RSP] - ABI_USER_STACK_STEP;
	t->gpr[GPR_RDI] = ABI_USER_GS_2 + m->cpu * ABI_USER_GS_2_STEP;
	t->gpr[GPR_RCX] = m->fsgsbase;
}

unsigned model_threads(const struct model *m)
{
	unsigned count = 0;

	for (unsigned n = 0; n < ABI_THREADS; n++)
		count += m->parked[n].runnable;
	return count;
}

static uint64_t descriptor_base(const struct model_thread *t, uint16_t selector)
{
	return selector == ABI_TLS && t->tls != MODEL_TLS_NONE ? t->tls : 0;
}

static void park(const struct model *m, struct model_thread *t)
{
	memcpy(t->gpr, m->gpr, sizeof(t->gpr));
	t->rip = m->rip;
	t->cs = m->cs;
	t->rflags = m->rflags;
	t->gs_base = m->gs_base;
	t->fs_base = m->fs_base;
	t->gs = m->gs;
	t->fs = m->fs;
	t->tls = m->tls;
	t->gs_is_percpu = m->gs_is_percpu;
	t->gs_percpu_base = m->gs_percpu_base;
	t->gs_stride = m->gs_stride;
	if (m->fsgsbase)
		return;
	if (t->gs)                      /* a selector wins: the base is forgotten */
		t->gs_base = 0;
	if (t->fs)
		t->fs_base = 0;
}

/* Loads a selector again: it may have gone, and without FSGSBASE its base is the descriptor's. */
static void load(const struct model *m, const struct model_thread *t, uint16_t *selector, uint64_t *base)
{
	if (!*selector)
		return;
	if (!model_can_load(*selector, t->tls))
		*selector = 0;
	if (!m->fsgsbase)
		*base = *selector ? descriptor_base(t, *selector) : 0;
}

static void resume(struct model *m, const struct model_thread *t)
{
	memcpy(m->gpr, t->gpr, sizeof(m->gpr));
	m->rip = t->rip;
	m->cs = t->cs;
	m->rflags = t->rflags;
	m->gs_base = t->gs_base;
	m->fs_base = t->fs_base;
	m->gs = t->gs;
	m->fs = t->fs;
	m->tls = t->tls;
	m->gs_is_percpu = t->gs_is_percpu;
	m->gs_percpu_base = t->gs_percpu_base;
	m->gs_stride = t->gs_stride;
	step_look(m);
	load(m, t, &m->gs, &m->gs_base);
	load(m, t, &m->fs, &m->fs_base);
}

static unsigned next_of(const struct model *m)
{
	unsigned next = m->current;

	do
		next = (next + 1) % ABI_THREADS;
	while (!m->parked[next].runnable);
	return next;
}

void model_reschedule(struct model *m)
{
	unsigned next = next_of(m);

	m->asked = false;
	if (next == m->current)
		return;
	park(m, &m->parked[m->current]);
	m->current = next;
	resume(m, &m->parked[next]);
}

/* RCX and R11 are as SYSCALL has left them, as in the caller. */
uint64_t step_fork(struct step *s, uint64_t arg)
{
	struct model_thread *child = &s->m->parked[s->m->cpu * ABI_THREADS_OF_CPU + 1];

	if (s->m->gpr[GPR_RBX] >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EFAULT);
	if (child->runnable)
		return step_error(ABI_EAGAIN);
	if (s->m->cs == ABI_USER32_CS && (s->m->gpr[GPR_RBX] >> 32 || arg >> 32))
		step_unknown(s, "FORK of 32-bit code to an RIP or RSP of more bits, which is not in the contract");
	park(s->m, child);
	child->runnable = true;
	child->rip = s->m->gpr[GPR_RBX];
	child->gpr[GPR_RSP] = arg;
	child->gpr[GPR_RAX] = 0;
	return 1;
}

uint64_t step_exec(struct step *s, uint64_t arg)
{
	if (arg >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EFAULT);
	s->next = arg;
	s->m->cs = ABI_USER_CS;
	s->m->gs = s->m->fs = 0;
	s->m->gs_base = s->m->fs_base = 0;
	s->m->gs_is_percpu = false;
	s->m->tls = MODEL_TLS_NONE;
	return 0;
}

/* What is loaded stays loaded. */
uint64_t step_set_tls(struct step *s, uint64_t arg)
{
	if (arg != ABI_TLS_NONE && arg >> 32)
		return step_error(ABI_EINVAL);
	s->m->tls = arg == ABI_TLS_NONE ? MODEL_TLS_NONE : arg;
	return 0;
}

static struct model_thread *other(struct step *s)
{
	unsigned next = next_of(s->m);

	return next == s->m->current ? NULL : &s->m->parked[next];
}

static uint64_t peek(struct step *s, const struct model_thread *t, uint16_t selector, uint64_t base)
{
	return s->m->fsgsbase || !selector ? base : descriptor_base(t, selector);
}

uint64_t step_peek_gs(struct step *s, uint64_t arg)
{
	const struct model_thread *t = other(s);

	(void)arg;
	return t ? peek(s, t, t->gs, t->gs_base) : step_error(ABI_ESRCH);
}

uint64_t step_peek_fs(struct step *s, uint64_t arg)
{
	const struct model_thread *t = other(s);

	(void)arg;
	return t ? peek(s, t, t->fs, t->fs_base) : step_error(ABI_ESRCH);
}

static uint64_t poke(uint64_t *base, uint64_t arg)
{
	if (arg >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EIO);
	*base = arg;
	return 0;
}

uint64_t step_poke_gs(struct step *s, uint64_t arg)
{
	struct model_thread *t = other(s);

	return t ? poke(&t->gs_base, arg) : step_error(ABI_ESRCH);
}

uint64_t step_poke_fs(struct step *s, uint64_t arg)
{
	struct model_thread *t = other(s);

	return t ? poke(&t->fs_base, arg) : step_error(ABI_ESRCH);
}
