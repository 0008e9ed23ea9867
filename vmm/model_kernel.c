/* SPDX-License-Identifier: MIT */
/* model_kernel.c: what a visit to the kernel leaves in the user's registers: system calls and faults. */
#include "guest/abi.h"
#include "vmm/model_step.h"

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
static uint64_t sys_read(struct step *s, uint64_t arg)
{
	uint64_t value = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		if (arg + i >= ABI_TASK_SIZE_MAX || model_byte(s->m, arg + i, false) == BYTE_FAULT)
			return error_result(ABI_EFAULT);
	step_load(s, arg, 8, &value);
	return value;
}

static uint64_t sys_exit(struct step *s, uint64_t arg)
{
	s->m->exited = true;
	s->m->exit_code = (uint32_t)arg;        /* the port takes EAX */
	return 0;
}

/* One thread: it is scheduled again at once. */
static uint64_t sys_yield(struct step *s, uint64_t arg)
{
	(void)s;
	(void)arg;
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
};

void step_syscall(struct step *s)
{
	uint64_t number = s->m->gpr[GPR_RAX], result = error_result(ABI_ENOSYS);

	s->outcome = STEP_KERNEL;
	s->m->rflags &= ~RFLAGS_RF;
	s->m->gpr[GPR_RCX] = s->next;
	s->m->gpr[GPR_R11] = s->m->rflags;
	if (number < sizeof(syscalls) / sizeof(*syscalls))
		result = syscalls[number](s, s->m->gpr[GPR_RDI]);
	s->m->gpr[GPR_RAX] = result;
}
