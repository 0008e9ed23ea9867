/* SPDX-License-Identifier: MIT */
/* model_signal.c: signals: what is stored for the handler, where the program goes on, and how it comes back. */
#include "guest/abi.h"
#include "vmm/model_step.h"

#define WORDS (sizeof(struct abi_signal) / sizeof(uint64_t))

/* What the kernel stores word by word: up to one that cannot be. */
static bool store(struct step *s, uint64_t to, const uint64_t *word)
{
	if (to > ABI_TASK_SIZE_MAX - 8 * WORDS)
		return false;
	for (unsigned n = 0; n < WORDS; n++) {
		for (unsigned i = 0; i < 8; i++)
			if (model_byte(s->m, to + 8 * n + i, true) != BYTE_GOOD)
				return false;
		if (!step_store(s, to + 8 * n, 8, word[n]))
			return false;
	}
	return true;
}

/* At the end of the visit to the kernel, when all registers are what they would have been without. */
void model_deliver(struct step *s)
{
	struct model *m = s->m;
	const uint64_t rsp = m->gpr[GPR_RSP], to = (rsp - ABI_SIGNAL_GAP - 8 * WORDS) & ~15ull;
	const uint64_t word[WORDS] = {
		s->next, m->cs, m->rflags, rsp, ABI_USER_SS, m->gpr[GPR_RAX], m->gpr[GPR_RCX], m->gpr[GPR_R11], m->gpr[GPR_RDI],
	};

	m->signal = false;
	if (!m->handler)
		return;
	if (!store(s, to, word)) {
		step_to_rbx(s);
		m->gpr[GPR_RAX] = step_error(ABI_EFAULT);
		return;
	}
	s->next = m->handler;
	m->cs = ABI_USER_CS;
	m->gpr[GPR_RDI] = m->gpr[GPR_RSP] = to;
	m->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
}

uint64_t model_handler(struct step *s, uint64_t arg)
{
	if (arg >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EFAULT);
	s->m->handler = arg;
	return 0;
}

/* The other words first, as the kernel does: of words that it may read all can be read, so the order is not seen. */
uint64_t model_restore(struct step *s, uint64_t arg)
{
	uint64_t word[WORDS];

	if (!step_copy_from(s, arg + 40, word + 5, WORDS - 5) || model_sigreturn(s, arg))
		return step_error(ABI_EFAULT);
	if (s->m->refused)
		step_unknown(s, "SYS_RESTORE of a CS or SS that cannot be loaded, which is not in the contract");
	s->m->gpr[GPR_RCX] = word[6];
	s->m->gpr[GPR_R11] = word[7];
	s->m->gpr[GPR_RDI] = word[8];
	return word[5];
}

/* Each once. A reschedule ends the turn of the thread. */
uint64_t model_ask_work(struct step *s, uint64_t arg)
{
	uint64_t notified = s->m->notified;

	if (arg & ~(uint64_t)(ABI_WORK_RESCHED | ABI_WORK_SIGNAL | ABI_WORK_NOTIFY | ABI_WORK_MIGRATE) || (arg & ABI_WORK_MIGRATE && s->m->cpus < 2))
		return step_error(ABI_EINVAL);
	if (arg & ABI_WORK_RESCHED) {
		s->m->rescheduled[s->m->cpu]++;
		s->reschedules = true;
	}
	s->m->signal |= !!(arg & ABI_WORK_SIGNAL);
	s->m->notified += !!(arg & ABI_WORK_NOTIFY);
	s->moves = arg & ABI_WORK_MIGRATE;
	return notified;
}
