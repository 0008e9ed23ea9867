/* SPDX-License-Identifier: MIT */
/* syscall.c: the system calls, and the decision how to return. */
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/debug.h"
#include "guest/exit.h"
#include "guest/gsbase.h"
#include "guest/nmi.h"
#include "guest/prctl.h"
#include "guest/percpu.h"
#include "guest/report.h"
#include "guest/setframe.h"
#include "guest/smp.h"
#include "guest/signal.h"
#include "guest/syscall.h"
#include "guest/threadcall.h"
#include "guest/trap.h"
#include "guest/usercopy.h"
#include "guest/vector.h"
#include "guest/work.h"

#define STAR_USER_BASE 0x23                     /* SYSRET: SS is base + 8, CS is base + 16 */
_Static_assert(STAR_USER_BASE == ABI_USER32_CS && STAR_USER_BASE + 8 == ABI_USER_SS && STAR_USER_BASE + 16 == ABI_USER_CS, "SYSRET's selectors");
_Static_assert(ABI_KERNEL_CS + 8 == ABI_KERNEL_SS, "SYSCALL's selectors");

void entry_SYSCALL_64(void), entry_SYSCALL_64_pure_cpu0(void), entry_SYSCALL_64_pure_cpu1(void);
void kernel_breakpoint(void);

/* Scheme pure has one for each CPU. */
static uint64_t syscall_entry(enum scheme scheme)
{
	static void (*const pure[ABI_CPUS])(void) = { entry_SYSCALL_64_pure_cpu0, entry_SYSCALL_64_pure_cpu1 };

	return (uint64_t)(scheme == SCHEME_PURE ? pure[percpu_this()->cpu] : entry_SYSCALL_64);
}

void syscall_init(enum scheme scheme)
{
	cpu_wrmsr(MSR_STAR, (uint64_t)STAR_USER_BASE << 48 | (uint64_t)ABI_KERNEL_CS << 32);
	cpu_wrmsr(MSR_LSTAR, syscall_entry(scheme));
	cpu_wrmsr(MSR_FMASK, ABI_SYSCALL_FMASK);
	cpu_wrmsr(MSR_EFER, cpu_rdmsr(MSR_EFER) | EFER_SCE);
}

static uint64_t sys_echo(struct abi_frame *frame)
{
	return frame->rdi;
}

/* Refuses where IRET would fault in the kernel, on the user's GS. */
static uint64_t sys_jump(struct abi_frame *frame)
{
	if (frame->rdi >= ABI_TASK_SIZE_MAX)
		return -ABI_EFAULT;
	frame->rip = frame->rdi;
	return 0;
}

static uint64_t sys_read(struct abi_frame *frame)
{
	uint64_t value;

	if (frame->rdi > ABI_TASK_SIZE_MAX - sizeof(value) || get_user(frame->rdi, &value))
		return -ABI_EFAULT;
	return value;
}

static uint64_t sys_yield(struct abi_frame *frame __attribute__((unused)))
{
	work_request_own(WORK_RESCHED);
	return 0;
}

/* It comes at the boundary after the OUT. */
static uint64_t sys_raise(struct abi_frame *frame)
{
	uint8_t vector = frame->rdi;

	if (vector == VECTOR_BP) {
		kernel_breakpoint();
		return 0;
	}
	if (vector != VECTOR_DB && vector != VECTOR_NMI && vector != VECTOR_MC)
		return -ABI_EINVAL;
	nmi_faults = frame->rdi & ABI_RAISE_FAULT;
	nmi_raises = frame->rdi & ABI_RAISE_AGAIN;
	cpu_outb(ABI_PORT_IPI, vector);
	nmi_faults = 0;
	return 0;
}

static uint64_t sys_nmi_faults(struct abi_frame *frame)
{
	nmi_faults = frame->rdi;
	return 0;
}

static uint64_t (*const table[])(struct abi_frame *frame) = {
	[ABI_SYS_ECHO] = sys_echo,
	[ABI_SYS_SET_GS] = sys_set_gs,
	[ABI_SYS_GET_GS] = sys_get_gs,
	[ABI_SYS_JUMP] = sys_jump,
	[ABI_SYS_READ] = sys_read,
	[ABI_SYS_EXIT] = sys_exit,
	[ABI_SYS_YIELD] = sys_yield,
	[ABI_SYS_SIGRETURN] = sys_sigreturn,
	[ABI_SYS_LOAD_GS] = sys_load_gs,
	[ABI_SYS_SET_RIP] = sys_set_rip,
	[ABI_SYS_RAISE] = sys_raise,
	[ABI_SYS_WATCH] = sys_watch,
	[ABI_SYS_PRCTL] = sys_prctl,
	[ABI_SYS_SET_FRAME] = sys_set_frame,
	[ABI_SYS_NMI_FAULTS] = sys_nmi_faults,
	[ABI_SYS_RESCHED_OTHER] = sys_resched_other,
	[ABI_SYS_SET_GS_OTHER] = sys_set_gs_other,
	[ABI_SYS_MIGRATE] = sys_migrate,
	[ABI_SYS_FORK] = sys_fork,
	[ABI_SYS_EXEC] = sys_exec,
	[ABI_SYS_SET_TLS] = sys_set_tls,
	[ABI_SYS_LOAD_FS] = sys_load_fs,
	[ABI_SYS_PEEK_GS] = sys_peek_gs,
	[ABI_SYS_POKE_GS] = sys_poke_gs,
	[ABI_SYS_PEEK_FS] = sys_peek_fs,
	[ABI_SYS_POKE_FS] = sys_poke_fs,
	[ABI_SYS_HANDLER] = sys_handler,
	[ABI_SYS_ASK_WORK] = sys_ask_work,
	[ABI_SYS_RESTORE] = sys_restore,
	[ABI_SYS_BREAK] = sys_break,
	[ABI_SYS_WATCH_KERNEL] = sys_watch_kernel,
	[ABI_SYS_STEPS] = sys_steps,
};
#define SYSCALL_COUNT (sizeof(table) / sizeof(table[0]))

static uint64_t call(uint64_t number, struct abi_frame *frame)
{
	return number < SYSCALL_COUNT && table[number] ? table[number](frame) : (uint64_t)-ABI_ENOSYS;
}

/* What SYS_PRCTL is about has 64 bits. */
static uint64_t call_32(uint64_t number, struct abi_frame *frame)
{
	return number == ABI_SYS_PRCTL ? (uint64_t)-ABI_EINVAL : call(number, frame);
}

bool do_syscall_64(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	cpu_sti();                      /* a system call may be interrupted, its way in and out may not */
	frame->rax = call(frame->error, frame);
	cpu_cli();
	return exit_to_user(frame);
}

/* The upper halves are nothing that 32-bit code has set, or could see. RF belongs to the INT, which is done. */
void exc_int80(struct abi_frame *frame)
{
	trap_check_entry();
	context_enter(frame);
	frame->rdi = (uint32_t)frame->rdi;
	frame->rsi = (uint32_t)frame->rsi;
	frame->rflags &= ~RFLAGS_RF;
	cpu_sti();
	frame->rax = call_32((uint32_t)frame->rax, frame);
	cpu_cli();
}
