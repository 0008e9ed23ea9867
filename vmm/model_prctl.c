/* SPDX-License-Identifier: MIT */
/* model_prctl.c: SYS_PRCTL in the model: FS and GS bases, and a GS base that is another one on each CPU. */
#include "guest/abi.h"
#include "vmm/model_step.h"

static uint64_t percpu_gs(const struct model *m)
{
	return m->gs_percpu_base + m->cpu * m->gs_stride;
}

/* The kernel looks: a base that WRGSBASE has set meanwhile ends the stride. */
void step_look(struct model *m)
{
	m->gs_is_percpu = m->gs_is_percpu && m->gs_base == percpu_gs(m);
}

/* The thread goes on on another CPU. */
void model_move(struct model *m, unsigned cpu)
{
	step_look(m);
	m->cpu = cpu;
	if (m->gs_is_percpu)
		m->gs_base = percpu_gs(m);
}

static uint64_t set_gs(struct step *s, uint64_t base)
{
	if (base >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EPERM);
	s->m->gs = 0;
	s->m->gs_is_percpu = false;
	s->m->gs_base = base;
	return 0;
}

static uint64_t set_fs(struct step *s, uint64_t base)
{
	if (base >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EPERM);
	s->m->fs_base = base;
	return 0;
}

static uint64_t get_fs(struct step *s, uint64_t pointer)
{
	return step_copy_to(s, pointer, s->m->fs_base) ? 0 : step_error(ABI_EFAULT);
}

static uint64_t get_gs(struct step *s, uint64_t pointer)
{
	return step_copy_to(s, pointer, s->m->gs_base) ? 0 : step_error(ABI_EFAULT);
}

static uint64_t set_gs_percpu(struct step *s, uint64_t pointer)
{
	uint64_t wanted[2];

	if (!step_copy_from(s, pointer, wanted, 2))
		return step_error(ABI_EFAULT);
	if (wanted[0] >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EPERM);
	if (wanted[1] > (ABI_TASK_SIZE_MAX - wanted[0]) / ABI_CPUS)
		return step_error(ABI_EOVERFLOW);
	s->m->gs = 0;
	s->m->gs_is_percpu = true;
	s->m->gs_percpu_base = wanted[0];
	s->m->gs_stride = wanted[1];
	s->m->gs_base = percpu_gs(s->m);
	return 0;
}

/* The stride is written only if the base could be. */
static uint64_t get_gs_percpu(struct step *s, uint64_t pointer)
{
	if (!s->m->gs_is_percpu)
		return step_error(ABI_ENOENT);
	if (pointer > ABI_TASK_SIZE_MAX - 16 || !step_copy_to(s, pointer, s->m->gs_percpu_base) ||
	    !step_copy_to(s, pointer + 8, s->m->gs_stride))
		return step_error(ABI_EFAULT);
	return 0;
}

uint64_t step_prctl(struct step *s, uint64_t call)
{
	uint64_t argument = s->m->gpr[GPR_RSI];

	if (call - ABI_PRCTL_SET_GS > ABI_PRCTL_GET_GS_PERCPU - ABI_PRCTL_SET_GS)
		return step_error(ABI_EINVAL);
	step_look(s->m);
	switch (call) {
	case ABI_PRCTL_SET_GS:
		return set_gs(s, argument);
	case ABI_PRCTL_SET_FS:
		return set_fs(s, argument);
	case ABI_PRCTL_GET_FS:
		return get_fs(s, argument);
	case ABI_PRCTL_GET_GS:
		return get_gs(s, argument);
	case ABI_PRCTL_SET_GS_PERCPU:
		return set_gs_percpu(s, argument);
	default:
		return get_gs_percpu(s, argument);
	}
}
