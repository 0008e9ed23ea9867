/* SPDX-License-Identifier: MIT */
/* model_debug.c: system calls about debug registers: what is watched, where a breakpoint is, how often either hit. */
#include "guest/abi.h"
#include "vmm/model_step.h"

uint64_t model_watch(struct step *s, uint64_t arg)
{
	uint64_t hits = s->m->hits;

	if (arg % MODEL_WATCHED)
		return step_error(ABI_EINVAL);
	if (arg > ABI_TASK_SIZE_MAX - MODEL_WATCHED)
		return step_error(ABI_EFAULT);
	s->m->watch = arg;
	s->m->hits = 0;
	return hits;
}

uint64_t model_break(struct step *s, uint64_t arg)
{
	uint64_t breaks = s->m->breaks;

	if (arg >= ABI_TASK_SIZE_MAX)
		return step_error(ABI_EFAULT);
	s->m->stop_at = arg;
	s->m->breaks = 0;
	return breaks;
}

/* Whatever the kernel's list says, none of it may be accepted: where the registers point is judged apart. */
uint64_t model_watch_kernel(struct step *s, uint64_t arg)
{
	if (arg < ABI_FORBIDDEN)
		return 0;
	if (arg != ABI_WATCH_ALLOWED && arg != ABI_WATCH_NOTHING)
		return step_error(ABI_EINVAL);
	s->m->kernel_watch = arg == ABI_WATCH_ALLOWED;
	return s->m->kernel_watch;
}

uint64_t model_steps(struct step *s, uint64_t arg)
{
	uint64_t steps = s->m->steps;

	if (arg & 2 && s->m->cpus < 2)
		return step_error(ABI_EINVAL);
	s->m->steps = 0;
	s->m->step_signals = arg & 1;
	s->m->step_moves = arg & 2;
	return steps;
}
