/* SPDX-License-Identifier: MIT */
/* threadcall.c: the system calls about threads: to make one, to begin anew, and to look at the other one's FS and GS. */
#include "guest/cpu.h"
#include "guest/fsgs.h"
#include "guest/prctl.h"
#include "guest/thread.h"
#include "guest/threadcall.h"

/* The live bases are saved first: what the thread struct has is older. */
uint64_t sys_fork(struct abi_frame *frame)
{
	struct thread *own = thread_current();
	struct abi_frame first = *frame;

	if (frame->rbx >= ABI_TASK_SIZE_MAX)
		return -ABI_EFAULT;
	first.rip = frame->rbx;
	first.rsp = frame->rdi;
	first.rax = 0;
	cpu_cli();
	fsgs_save(own);
	cpu_sti();
	return thread_make(percpu_this()->cpu, &first, own) ? 1 : -ABI_EAGAIN;
}

/* As if it were switched to itself, with nothing left of what it was. */
uint64_t sys_exec(struct abi_frame *frame)
{
	struct thread *own = thread_current();
	struct thread was;

	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EFAULT;
	prctl_cancel_percpu();          /* base 0 may be what a stride gives here */
	cpu_cli();
	fsgs_save(own);
	was = *own;
	own->gs_base = own->fs_base = 0;
	own->gs = own->fs = 0;
	own->tls = 0;
	fsgs_load_tls(own);
	fsgs_load(&was, own);
	cpu_sti();
	frame->rip = frame->rdi;
	frame->cs = ABI_USER_CS;
	return 0;
}

uint64_t sys_set_tls(struct abi_frame *frame)
{
	struct thread *own = thread_current();

	if (frame->rdi != ABI_TLS_NONE && frame->rdi >> 32)
		return -ABI_EINVAL;
	cpu_cli();
	own->tls = frame->rdi == ABI_TLS_NONE ? 0 : fsgs_tls_word(frame->rdi);
	fsgs_load_tls(own);
	cpu_sti();
	return 0;
}

/* RPL 3, as for GS. What a switch without FSGSBASE will find is what is here now. */
uint64_t sys_load_fs(struct abi_frame *frame)
{
	uint32_t selector = frame->rdi & 0xfffc ? (frame->rdi & 0xffff) | 3 : 0;

	thread_current()->fs_base = cpu_rdmsr(MSR_FS_BASE);
	return fsgs_load_fs(selector);
}

uint64_t sys_peek_gs(struct abi_frame *frame __attribute__((unused)))
{
	const struct thread *other = thread_other(thread_current());

	return other ? fsgs_peek_gs(other) : (uint64_t)-ABI_ESRCH;
}

uint64_t sys_peek_fs(struct abi_frame *frame __attribute__((unused)))
{
	const struct thread *other = thread_other(thread_current());

	return other ? fsgs_peek_fs(other) : (uint64_t)-ABI_ESRCH;
}

/* The selector stays, whatever it means for the base. */
uint64_t sys_poke_gs(struct abi_frame *frame)
{
	struct thread *other = thread_other(thread_current());

	if (!other)
		return -ABI_ESRCH;
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EIO;
	other->gs_base = frame->rdi;
	return 0;
}

uint64_t sys_poke_fs(struct abi_frame *frame)
{
	struct thread *other = thread_other(thread_current());

	if (!other)
		return -ABI_ESRCH;
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EIO;
	other->fs_base = frame->rdi;
	return 0;
}
