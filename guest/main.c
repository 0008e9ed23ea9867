/* SPDX-License-Identifier: MIT */
/* main.c: the boot story, from one stack and static page tables to the first user instruction. */
#include "guest/cmdline.h"
#include "guest/context.h"
#include "guest/cpu.h"
#include "guest/debug.h"
#include "guest/fsgs.h"
#include "guest/gsbase.h"
#include "guest/lapic.h"
#include "guest/mce.h"
#include "guest/percpu.h"
#include "guest/smp.h"
#include "guest/stacks.h"
#include "guest/syscall.h"
#include "guest/thread.h"
#include "guest/work.h"

#define GPR(n) ((uint64_t)ABI_USER_GPR + (n) * (uint64_t)ABI_USER_GPR_STEP)

void kmain(struct abi_frame *first) __attribute__((noreturn));
void kmain_secondary(unsigned cpu) __attribute__((noreturn));
/* Not static, so that a case id can name it. */
void cpu_init(unsigned cpu) __attribute__((noipa));
void boot_enter_user(struct abi_frame *first) __attribute__((noreturn));
void boot_enter_user_pure(struct abi_frame *first) __attribute__((noreturn));

/* Of all CPUs. */
static struct cmdline args;
static bool fsgsbase;

static bool fsgsbase_offered(void)
{
	return !args.nofsgsbase && cpu_cpuid_eax(0) >= CPUID_FEATURES_7 &&
	       cpu_cpuid_ebx(CPUID_FEATURES_7) & CPUID_7_EBX_FSGSBASE;
}

/* Opted in for the schemes that need it, which fall back to swapgs where it is not offered. The sign test of swapgs is true
 * only while user code cannot set a negative base: there it is on by request alone. */
static bool fsgsbase_choose(void)
{
	bool offered = fsgsbase_offered();

	if (args.fsgsbase && !offered)
		cmdline_refuse("command line: FSGSBASE is needed and not offered", "fsgsbase");
	if (!offered)
		args.scheme = SCHEME_SWAPGS;
	return args.scheme != SCHEME_SWAPGS || args.fsgsbase;
}

/* Under scheme pure GS is no matter of a switch. Else by whether user code has the instructions, whatever the scheme. */
static enum fsgs_way fsgs_choose(void)
{
	if (args.switch_2019 && !fsgsbase)
		cmdline_refuse("command line: FSGSBASE is needed and not offered", "switch=2019");
	if (args.scheme == SCHEME_PURE)
		return FSGS_IN_THREAD;
	if (args.switch_2019)
		return FSGS_AS_2019;
	return fsgsbase ? FSGS_BY_INSTRUCTION : FSGS_BY_MSR;
}

/* A = K; I as the first exit to user code needs it. */
static void gs_init(unsigned cpu)
{
	cpu_wrmsr(MSR_FS_BASE, 0);
	cpu_wrmsr(MSR_GS_BASE, (uint64_t)&percpu_areas[cpu]);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, args.scheme == SCHEME_PURE ? ABI_GS_POISON : 0);
}

static void cr4_init(void)
{
	uint64_t cr4 = (cpu_read_cr4() & ~CR4_FSGSBASE) | CR4_DE | CR4_MCE;

	cpu_write_cr4(fsgsbase ? cr4 | CR4_FSGSBASE : cr4);
}

/* Every register different, so that a frame with two of them exchanged is seen. */
static void user_frame(struct abi_frame *f, uint64_t program, uint64_t gs, uint64_t rsp)
{
	*f = (struct abi_frame){
		.rax = GPR(0), .rcx = fsgsbase, .rdx = GPR(2), .rbx = GPR(3),
		.rbp = GPR(5), .rsi = args.flags, .rdi = gs,
		.r8 = GPR(8), .r9 = GPR(9), .r10 = GPR(10), .r11 = GPR(11),
		.r12 = GPR(12), .r13 = GPR(13), .r14 = GPR(14), .r15 = GPR(15),
		.error = ABI_NO_ERROR,
		.rip = program, .cs = ABI_USER_CS, .rflags = RFLAGS_IF | RFLAGS_FIXED,
		.rsp = rsp, .ss = ABI_USER_SS,
	};
}

/* All that an exception's entry needs comes before the first exception can: GS, CR4.FSGSBASE, the stacks. */
void cpu_init(unsigned cpu)
{
	desc_load(cpu);                         /* its own GDT and TSS; zeroes both bases */
	gs_init(cpu);                           /* A = K, I = U = 0: C handlers can run */
	syscall_init(args.scheme);              /* user code can call */
	cr4_init();                             /* #MC instead of shutdown; WRGSBASE or not */
	mce_init();                             /* banks report */
	debug_init();                           /* armed as in every golden run */
	desc_live();                            /* exceptions can arrive */
}

/* Through the exit that every thread takes. The kernel has run until now. */
static __attribute__((noreturn)) void enter_user(struct abi_frame *first)
{
	context_leave();
	if (args.scheme == SCHEME_PURE)
		boot_enter_user_pure(first);
	boot_enter_user(first);
}

void kmain(struct abi_frame *first)
{
	cmdline_parse(&args);                   /* what the bench wants */
	fsgsbase = fsgsbase_choose();           /* before anything depends on it */
	percpu_init();                          /* K points to something */
	gsbase_init(args.scheme);               /* where U is kept */
	stacks_init();                          /* the stacks know K */
	thread_init(&args, fsgsbase);           /* K points to a thread ... */
	fsgs_init(fsgs_choose());               /* ... which can be switched */
	work_init(&args);                       /* ... or taken elsewhere */
	desc_init(args.scheme);                 /* the tables of all CPUs */
	cpu_init(0);
	if (args.lapic)
		lapic_init();                   /* an NMI finds its way in */
	smp_init(args.cpus);                    /* the others come up */
	user_frame(first, args.program, args.gs, ABI_USER_RSP); /* registers of the first user instruction */
	enter_user(first);
}

/* On its idle stack; all that is not its own is there. */
void kmain_secondary(unsigned cpu)
{
	struct abi_frame *first = (struct abi_frame *)stacks_top(cpu, IST_NONE) - 1;

	cpu_init(cpu);
	percpu_areas[cpu].online = 1;
	user_frame(first, args.program_1, args.gs_1, ABI_USER_RSP - cpu * ABI_THREADS_OF_CPU * ABI_USER_STACK_STEP);
	enter_user(first);
}
