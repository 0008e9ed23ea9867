/* SPDX-License-Identifier: MIT */
/* model_kernel.c: what a visit to the kernel leaves in the user's registers: system calls and faults. */
#include "guest/abi.h"
#include "vmm/model_step.h"

#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_GP 13

static uint64_t error_result(unsigned number)
{
	return -(uint64_t)number;
}

/* A fault looks like a signal: user code goes on at RBX. The caller has set RDI if the vector is #PF. */
void step_fault(struct step *s, unsigned vector, uint64_t error)
{
	s->m->gpr[GPR_RAX] = vector;
	s->m->gpr[GPR_RDX] = error;
	s->m->rflags &= ~RFLAGS_RF;
	s->next = s->m->gpr[GPR_RBX];
	s->outcome = STEP_KERNEL;
}

void step_ud2(struct step *s)
{
	step_fault(s, VECTOR_UD, 0);
}

void step_int3(struct step *s)
{
	step_fault(s, VECTOR_BP, 0);
}

/* IOPL is 0 (SDM vol. 2A, CLI). */
void step_cli(struct step *s)
{
	step_fault(s, VECTOR_GP, 0);
}

static uint64_t sys_echo(struct step *s, uint64_t arg)
{
	(void)s;
	return arg;
}

static uint64_t sys_set_gs(struct step *s, uint64_t arg)
{
	if (arg >= ABI_TASK_SIZE_MAX)
		return error_result(ABI_EPERM);
	s->m->gs_base = arg;
	return 0;
}

static uint64_t sys_get_gs(struct step *s, uint64_t arg)
{
	(void)arg;
	return s->m->gs_base;
}

static uint64_t sys_jump(struct step *s, uint64_t arg)
{
	if (arg >= ABI_TASK_SIZE_MAX)
		step_unknown(s, "SYS_JUMP out of user space, which is not in the contract");
	s->next = arg;
	return 0;
}

/* The kernel refuses what is not wholly user space before it looks, so even a non-canonical pointer is -EFAULT. */
static bool read_words(struct step *s, uint64_t from, uint64_t *to, unsigned words)
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

static uint64_t sys_read(struct step *s, uint64_t arg)
{
	uint64_t value;

	return read_words(s, arg, &value, 1) ? value : error_result(ABI_EFAULT);
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
	unsigned cs = refuses(f->cs, ABI_USER_CS, ABI_ABSENT_CS, VECTOR_NP);
	unsigned ss = refuses(f->ss, ABI_USER_SS, ABI_ABSENT_SS, s->m->absent_ss_is_np ? VECTOR_NP : VECTOR_SS);

	s->next = f->rip;
	s->m->rflags = f->rflags;
	s->m->gpr[GPR_RSP] = f->rsp;
	if (!cs && !ss)
		return 0;
	return refuse(s, f, cs ? cs : ss, (cs ? f->cs : f->ss) & ~3ull);
}

/* An address that is not canonical is refused with #GP(0): by the IRET, or by the fetch behind it. User code cannot tell. */
static uint64_t sys_set_rip(struct step *s, uint64_t arg)
{
	const struct model_iret f = { arg, ABI_USER_CS, s->m->rflags, s->m->gpr[GPR_RSP], ABI_USER_SS };

	s->m->gpr[GPR_RCX] = arg;
	s->next = arg;
	if (!cpu_is_canonical(arg))
		return refuse(s, &f, VECTOR_GP, 0);
	if (arg >= ABI_TASK_SIZE_MAX)
		step_unknown(s, "SYS_SET_RIP out of user space, which is not in the contract");
	return 0;
}

static uint64_t sys_sigreturn(struct step *s, uint64_t arg)
{
	struct model_iret f;
	uint64_t word[5];

	if (!read_words(s, arg, word, 5) || word[0] >= ABI_TASK_SIZE_MAX)
		return error_result(ABI_EFAULT);
	f = (struct model_iret){
		word[0], (word[1] & 0xffff) | 3, (word[2] & ABI_SIGRETURN_FLAGS) | RFLAGS_FIXED | RFLAGS_IF, word[3],
		(word[4] & 0xffff) | 3,
	};
	return return_by_iret(s, &f);
}

static uint64_t sys_exit(struct step *s, uint64_t arg)
{
	s->m->exited = true;
	s->m->exit_code = (uint32_t)arg;        /* the port takes EAX */
	return 0;
}

/* Whatever the fault, null is what is left. U is kept either way. */
static uint64_t sys_load_gs(struct step *s, uint64_t arg)
{
	bool good;

	s->m->gs = arg & 0xfffc ? (arg & 0xffff) | 3 : 0;
	good = !s->m->gs || s->m->gs == ABI_USER_SS || s->m->gs == ABI_USER_CS;
	if (!good)
		s->m->gs = 0;
	return good ? 0 : error_result(ABI_EINVAL);
}

/* One thread: it is scheduled again at once. */
static uint64_t sys_yield(struct step *s, uint64_t arg)
{
	s->m->rescheduled[s->m->cpu]++;
	(void)arg;
	return 0;
}

/* The event comes and goes while the call is made. */
static uint64_t sys_raise(struct step *s, uint64_t arg)
{
	uint8_t vector = arg;

	(void)s;
	if (vector != ABI_VECTOR_DB && vector != ABI_VECTOR_NMI && vector != ABI_VECTOR_MC)
		return error_result(ABI_EINVAL);
	return 0;
}

static uint64_t sys_watch(struct step *s, uint64_t arg)
{
	uint64_t hits = s->m->hits;

	if (arg % MODEL_WATCHED)
		return error_result(ABI_EINVAL);
	if (arg > ABI_TASK_SIZE_MAX - MODEL_WATCHED)
		return error_result(ABI_EFAULT);
	s->m->watch = arg;
	s->m->hits = 0;
	return hits;
}

static void need_other(struct step *s)
{
	if (s->m->cpus < 2)
		step_unknown(s, "a call about the other CPU, and there is one, which is not in the contract");
}

/* What becomes of the other thread is no matter of this one's registers. */
static uint64_t sys_resched_other(struct step *s, uint64_t arg)
{
	need_other(s);
	s->m->rescheduled[!s->m->cpu]++;
	(void)arg;
	return 0;
}

static uint64_t sys_set_gs_other(struct step *s, uint64_t arg)
{
	if (arg >= ABI_TASK_SIZE_MAX)
		return error_result(ABI_EPERM);
	need_other(s);
	s->m->sets_other = true;
	s->m->other_gs = arg;
	return 0;
}

static uint64_t sys_migrate(struct step *s, uint64_t arg)
{
	if (arg >= s->m->cpus)
		return error_result(ABI_EINVAL);
	s->m->cpu = arg;
	return 0;
}

static uint64_t (*const syscalls[])(struct step *s, uint64_t arg) = {
	[ABI_SYS_ECHO]   = sys_echo,
	[ABI_SYS_SET_GS] = sys_set_gs,
	[ABI_SYS_GET_GS] = sys_get_gs,
	[ABI_SYS_JUMP]   = sys_jump,
	[ABI_SYS_READ]   = sys_read,
	[ABI_SYS_EXIT]   = sys_exit,
	[ABI_SYS_YIELD]  = sys_yield,
	[ABI_SYS_SIGRETURN] = sys_sigreturn,
	[ABI_SYS_LOAD_GS] = sys_load_gs,
	[ABI_SYS_SET_RIP] = sys_set_rip,
	[ABI_SYS_RAISE] = sys_raise,
	[ABI_SYS_WATCH] = sys_watch,
	[ABI_SYS_RESCHED_OTHER] = sys_resched_other,
	[ABI_SYS_SET_GS_OTHER] = sys_set_gs_other,
	[ABI_SYS_MIGRATE] = sys_migrate,
};

void step_syscall(struct step *s)
{
	uint64_t number = s->m->gpr[GPR_RAX], result = error_result(ABI_ENOSYS);

	s->outcome = STEP_KERNEL;
	s->m->rflags &= ~RFLAGS_RF;
	s->m->gpr[GPR_RCX] = s->next;
	s->m->gpr[GPR_R11] = s->m->rflags;
	if (number < sizeof(syscalls) / sizeof(*syscalls) && syscalls[number])
		result = syscalls[number](s, s->m->gpr[GPR_RDI]);
	s->m->gpr[GPR_RAX] = result;
}
