/* SPDX-License-Identifier: MIT */
/* prctl.c: SYS_PRCTL: FS and GS bases of the running thread, and a GS base that is another one on each CPU. */
#include "guest/cpu.h"
#include "guest/gsbase.h"
#include "guest/prctl.h"
#include "guest/usercopy.h"


static uint64_t percpu_gs(const struct thread *t, uint64_t cpu)
{
	return t->gs_percpu.base + cpu * t->gs_percpu.stride;
}

void prctl_cancel_percpu(void)
{
	thread_current()->gs_is_percpu = false;
}

uint64_t prctl_next_gs(struct thread *t, uint64_t saved, uint64_t was, uint64_t cpu)
{
	if (t->gs_is_percpu && saved != percpu_gs(t, was))
		t->gs_is_percpu = false;
	return t->gs_is_percpu ? percpu_gs(t, cpu) : saved;
}

/* User code may have used WRGSBASE since. */
static void notice_wrgsbase(void)
{
	uint64_t cpu = percpu_this()->cpu;

	prctl_next_gs(thread_current(), user_gs_base(), cpu, cpu);
}

static bool is_user_range(uint64_t pointer, uint64_t size)
{
	return pointer <= ABI_TASK_SIZE_MAX - size;
}

static uint64_t put(uint64_t pointer, uint64_t value)
{
	return is_user_range(pointer, sizeof(value)) ? put_user(pointer, value) : -ABI_EFAULT;
}

/* A selector and its base belong together: the base that is asked for goes with none. Nothing switches in here: the kernel is
 * preempted on its way out only. */
static uint64_t set_gs(uint64_t base)
{
	if (base >= ABI_TASK_SIZE_MAX)
		return -ABI_EPERM;
	prctl_cancel_percpu();
	gsbase_load_selector(0);
	user_gs_base_set(base);
	return 0;
}

static uint64_t set_fs(uint64_t base)
{
	if (base >= ABI_TASK_SIZE_MAX)
		return -ABI_EPERM;
	cpu_load_fs(0);
	cpu_wrmsr(MSR_FS_BASE, base);
	thread_current()->fs_base = base;
	return 0;
}

static uint64_t get_fs(uint64_t pointer)
{
	return put(pointer, cpu_rdmsr(MSR_FS_BASE));
}

static uint64_t get_gs(uint64_t pointer)
{
	return put(pointer, user_gs_base());
}

/* U stays in user space on every CPU that there can be, not only on those that run. */
static uint64_t set_gs_percpu(uint64_t pointer)
{
	struct thread *t = thread_current();
	struct thread_percpu wanted;

	if (!is_user_range(pointer, sizeof(wanted)) || get_user(pointer, &wanted.base) || get_user(pointer + 8, &wanted.stride))
		return -ABI_EFAULT;
	if (wanted.base >= ABI_TASK_SIZE_MAX)
		return -ABI_EPERM;
	if (wanted.stride > (ABI_TASK_SIZE_MAX - wanted.base) / ABI_CPUS)
		return -ABI_EOVERFLOW;
	gsbase_load_selector(0);
	t->gs_percpu = wanted;
	t->gs_is_percpu = true;
	user_gs_base_set(percpu_gs(t, percpu_this()->cpu));
	return 0;
}

static uint64_t get_gs_percpu(uint64_t pointer)
{
	const struct thread *t = thread_current();

	if (!t->gs_is_percpu)
		return -ABI_ENOENT;
	if (!is_user_range(pointer, sizeof(t->gs_percpu)) || put_user(pointer, t->gs_percpu.base))
		return -ABI_EFAULT;
	return put_user(pointer + 8, t->gs_percpu.stride);
}

static uint64_t (*const calls[])(uint64_t argument) = {
	[ABI_PRCTL_SET_GS - ABI_PRCTL_SET_GS] = set_gs,
	[ABI_PRCTL_SET_FS - ABI_PRCTL_SET_GS] = set_fs,
	[ABI_PRCTL_GET_FS - ABI_PRCTL_SET_GS] = get_fs,
	[ABI_PRCTL_GET_GS - ABI_PRCTL_SET_GS] = get_gs,
	[ABI_PRCTL_SET_GS_PERCPU - ABI_PRCTL_SET_GS] = set_gs_percpu,
	[ABI_PRCTL_GET_GS_PERCPU - ABI_PRCTL_SET_GS] = get_gs_percpu,
};

uint64_t sys_prctl(struct abi_frame *frame)
{
	uint64_t call = frame->rdi - ABI_PRCTL_SET_GS;

	if (call >= sizeof(calls) / sizeof(calls[0]))
		return -ABI_EINVAL;
	notice_wrgsbase();
	return calls[call](frame->rsi);
}
