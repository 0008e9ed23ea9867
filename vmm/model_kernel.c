/* SPDX-License-Identifier: MIT */
/* model_kernel.c: what a visit to the kernel leaves in the user's registers: system calls and faults. */
#include "guest/abi.h"
#include "vmm/model_step.h"
#include "vmm/vector.h"

#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_GP 13

uint64_t step_error(unsigned number)
{
	return -(uint64_t)number;
}

/* Always 64-bit code. What 32-bit code has left in the upper half nobody knows (SDM vol. 1, 3.4.1.1). */
void step_to_rbx(struct step *s)
{
	if (s->m->cs == ABI_USER32_CS && s->m->gpr[GPR_RBX] >> 32)
		step_unknown(s, "RBX of more than 32 bits after 32-bit code, which is not in the contract");
	s->next = s->m->gpr[GPR_RBX];
	s->m->cs = ABI_USER_CS;
}

/* A fault looks like a signal: user code goes on at RBX. The caller has set RDI if the vector is #PF. */
void step_fault(struct step *s, unsigned vector, uint64_t error)
{
	s->m->gpr[GPR_RAX] = vector;
	s->m->gpr[GPR_RDX] = error;
	s->m->rflags &= ~RFLAGS_RF;
	s->outcome = STEP_KERNEL;
	step_to_rbx(s);
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
		return step_error(ABI_EPERM);
	s->m->gs_base = arg;
	s->m->gs_is_percpu = false;
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

static uint64_t sys_read(struct step *s, uint64_t arg)
{
	uint64_t value;

	return step_copy_from(s, arg, &value, 1) ? value : step_error(ABI_EFAULT);
}

/* Seen where an NMI comes, and by nobody else. */
static uint64_t sys_nmi_faults(struct step *s, uint64_t arg)
{
	(void)s;
	(void)arg;
	return 0;
}

static uint64_t sys_exit(struct step *s, uint64_t arg)
{
	s->m->exited = true;
	s->m->exit_code = (uint32_t)arg;        /* the port takes EAX */
	return 0;
}

/* Whatever the fault, null is what is left. The base is kept either way. */
static uint64_t load_selector(const struct step *s, uint16_t *selector, uint64_t arg)
{
	bool good;

	*selector = arg & 0xfffc ? (arg & 0xffff) | 3 : 0;
	good = !*selector || model_can_load(*selector, s->m->tls);
	if (!good)
		*selector = 0;
	return good ? 0 : step_error(ABI_EINVAL);
}

static uint64_t sys_load_gs(struct step *s, uint64_t arg)
{
	s->m->gs_is_percpu = false;
	return load_selector(s, &s->m->gs, arg);
}

static uint64_t sys_load_fs(struct step *s, uint64_t arg)
{
	return load_selector(s, &s->m->fs, arg);
}

static uint64_t sys_yield(struct step *s, uint64_t arg)
{
	s->m->rescheduled[s->m->cpu]++;
	(void)arg;
	s->reschedules = true;
	return 0;
}

/* The event comes and goes while the call is made. */
static uint64_t sys_raise(struct step *s, uint64_t arg)
{
	uint8_t vector = arg;

	(void)s;
	if (vector != ABI_VECTOR_BP && vector != ABI_VECTOR_DB && vector != ABI_VECTOR_NMI && vector != ABI_VECTOR_MC)
		return step_error(ABI_EINVAL);
	return 0;
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
		return step_error(ABI_EPERM);
	need_other(s);
	s->m->sets_other = true;
	s->m->other_gs = arg;
	return 0;
}

static uint64_t sys_migrate(struct step *s, uint64_t arg)
{
	if (arg >= s->m->cpus)
		return step_error(ABI_EINVAL);
	if (arg != s->m->cpu && model_threads(s->m) > 1)
		step_unknown(s, "one of two threads goes to another CPU, which is not in the contract");
	if (arg != s->m->cpu)
		model_move(s->m, arg);
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
	[ABI_SYS_SIGRETURN] = model_sigreturn,
	[ABI_SYS_LOAD_GS] = sys_load_gs,
	[ABI_SYS_SET_RIP] = model_set_rip,
	[ABI_SYS_RAISE] = sys_raise,
	[ABI_SYS_PRCTL] = step_prctl,
	[ABI_SYS_RESCHED_OTHER] = sys_resched_other,
	[ABI_SYS_SET_GS_OTHER] = sys_set_gs_other,
	[ABI_SYS_MIGRATE] = sys_migrate,
	[ABI_SYS_FORK] = step_fork,
	[ABI_SYS_EXEC] = step_exec,
	[ABI_SYS_SET_TLS] = step_set_tls,
	[ABI_SYS_LOAD_FS] = sys_load_fs,
	[ABI_SYS_PEEK_GS] = step_peek_gs,
	[ABI_SYS_POKE_GS] = step_poke_gs,
	[ABI_SYS_PEEK_FS] = step_peek_fs,
	[ABI_SYS_POKE_FS] = step_poke_fs,
	[ABI_SYS_WATCH] = model_watch,
	[ABI_SYS_SET_FRAME] = model_set_frame,
	[ABI_SYS_NMI_FAULTS] = sys_nmi_faults,
	[ABI_SYS_HANDLER] = model_handler,
	[ABI_SYS_ASK_WORK] = model_ask_work,
	[ABI_SYS_RESTORE] = model_restore,
	[ABI_SYS_BREAK] = model_break,
	[ABI_SYS_WATCH_KERNEL] = model_watch_kernel,
	[ABI_SYS_STEPS] = model_steps,
};

static uint64_t result_of(struct step *s, uint64_t number)
{
	if (number >= sizeof(syscalls) / sizeof(*syscalls) || !syscalls[number])
		return step_error(ABI_ENOSYS);
	return syscalls[number](s, s->m->gpr[GPR_RDI]);
}

static void finish_call(struct step *s, uint64_t result)
{
	s->m->gpr[GPR_RAX] = result;
	if (s->m->signal)
		model_deliver(s);
}

/* In 32-bit code it is another entry, or #UD, as the processor has it (SDM vol. 2B and APM vol. 3, SYSCALL). */
void step_syscall(struct step *s)
{
	if (s->m->cs != ABI_USER_CS) {
		step_unknown(s, "SYSCALL of 32-bit code, which is not in the contract");
		return;
	}
	s->outcome = STEP_KERNEL;
	s->m->rflags &= ~RFLAGS_RF;
	s->m->gpr[GPR_RCX] = s->next;
	s->m->gpr[GPR_R11] = s->m->rflags;
	finish_call(s, result_of(s, s->m->gpr[GPR_RAX]));
}

/* INT 0x80, of 32-bit code or of 64-bit code that wants to look like it. */
void step_int(struct step *s)
{
	uint32_t number = s->m->gpr[GPR_RAX];

	if (s->op[0].imm.value.u != ABI_VECTOR_INT80 || s->insn.length != vector_called_by(ABI_VECTOR_INT80)) {
		step_unknown(s, "INT of another vector than ABI_VECTOR_INT80, or with a prefix");
		return;
	}
	s->outcome = STEP_KERNEL;
	s->m->rflags &= ~RFLAGS_RF;
	s->m->gpr[GPR_RDI] = (uint32_t)s->m->gpr[GPR_RDI];
	s->m->gpr[GPR_RSI] = (uint32_t)s->m->gpr[GPR_RSI];
	finish_call(s, number == ABI_SYS_PRCTL ? step_error(ABI_EINVAL) : result_of(s, number));
}
