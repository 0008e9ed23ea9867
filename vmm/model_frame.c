/* SPDX-License-Identifier: MIT */
/* model_frame.c: system calls after which user code goes on by a frame that was given, and the IRET that cannot take it. */
#include "guest/abi.h"
#include "vmm/model_step.h"

#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_GP 13

/* The kernel refuses what is not wholly user space before it looks, so even a non-canonical pointer is -EFAULT. */
bool step_copy_from(struct step *s, uint64_t from, uint64_t *to, unsigned words)
{
	unsigned i;

	for (i = 0; i < 8 * words; i++)
		if (from + i >= ABI_TASK_SIZE_MAX)
			return false;
	for (i = 0; i < 8 * words; i++) {
		if (model_byte(s->m, from + i, false) == BYTE_FAULT)
			return false;
		if (i % 8 == 7 && !step_load(s, from + i - 7, 8, &to[i / 8]))
			to[i / 8] = 0;  /* unknown, and told */
	}
	return true;
}

/* Eight bytes at once, or none of them. */
bool step_copy_to(struct step *s, uint64_t to, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		if (to + i >= ABI_TASK_SIZE_MAX || model_byte(s->m, to + i, true) == BYTE_FAULT)
			return false;
	return step_store(s, to, 8, value);
}

/* The vector with which IRET to CPL 3 refuses a selector of RPL 3 in the GDT of abi.h, 0 if it does not. */
static unsigned refuses(uint64_t selector, uint64_t good, uint64_t absent, unsigned absent_vector)
{
	if (selector == good)
		return 0;
	return selector == absent ? absent_vector : VECTOR_GP;
}

/* The IRET that cannot be, and what user code sees of it. */
static uint64_t refuse(struct step *s, const struct model_iret *f, unsigned vector, uint64_t error)
{
	s->m->refused = true;
	s->m->bad_iret = *f;
	step_fault(s, vector, error);
	return s->m->gpr[GPR_RAX];
}

/* CS is looked at before SS; the error code is the selector without its RPL (SDM vol. 2A, IRET). */
static uint64_t return_by_iret(struct step *s, const struct model_iret *f)
{
	unsigned cs = f->cs == ABI_USER32_CS ? 0 : refuses(f->cs, ABI_USER_CS, ABI_ABSENT_CS, VECTOR_NP);
	unsigned ss = refuses(f->ss, ABI_USER_SS, ABI_ABSENT_SS, s->m->absent_ss_is_np ? VECTOR_NP : VECTOR_SS);

	if (f->cs == ABI_USER32_CS && (f->rip >> 32 || f->rsp >> 32))
		return step_unknown(s, "RIP or RSP of more than 32 bits for 32-bit code, which is not in the contract");
	s->next = f->rip;
	s->m->cs = f->cs;
	s->m->rflags = f->rflags;
	s->m->gpr[GPR_RSP] = f->rsp;
	if (!cs && !ss)
		return 0;
	return refuse(s, f, cs ? cs : ss, (cs ? f->cs : f->ss) & ~3ull);
}

/* An address that is not canonical is refused with #GP(0): by the IRET, or by the fetch behind it. User code cannot tell. */
uint64_t model_set_rip(struct step *s, uint64_t arg)
{
	const struct model_iret f = { arg, s->m->cs, s->m->rflags, s->m->gpr[GPR_RSP], ABI_USER_SS };

	s->m->gpr[GPR_RCX] = arg;
	s->next = arg;
	if (!cpu_is_canonical(arg))
		return refuse(s, &f, VECTOR_GP, 0);
	if (arg >= ABI_TASK_SIZE_MAX)
		step_unknown(s, "SYS_SET_RIP out of user space, which is not in the contract");
	return 0;
}

uint64_t model_sigreturn(struct step *s, uint64_t arg)
{
	struct model_iret f;
	uint64_t word[5];

	if (!step_copy_from(s, arg, word, 5) || word[0] >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EFAULT);
	f = (struct model_iret){
		word[0], (word[1] & 0xffff) | 3, (word[2] & ABI_SIGRETURN_FLAGS) | RFLAGS_FIXED | RFLAGS_IF, word[3],
		(word[4] & 0xffff) | 3,
	};
	return return_by_iret(s, &f);
}

/* RCX and R11 follow, so that SYSRET could be taken if the words allow it. Where IRET refuses RIP the selectors are good. */
uint64_t model_set_frame(struct step *s, uint64_t arg)
{
	struct model_iret f;
	uint64_t word[5];

	if (!step_copy_from(s, arg, word, 5))
		return step_error(ABI_EFAULT);
	f = (struct model_iret){
		word[0], (word[1] & 0xffff) | 3, (word[2] & ABI_SET_FRAME_FLAGS) | RFLAGS_FIXED | RFLAGS_IF, word[3],
		(word[4] & 0xffff) | 3,
	};
	if (f.rip >= ABI_TASK_SIZE_MAX)
		step_unknown(s, "SYS_SET_FRAME out of user space, which is not in the contract");
	s->m->gpr[GPR_RCX] = f.rip;
	s->m->gpr[GPR_R11] = f.rflags;
	return return_by_iret(s, &f);
}
