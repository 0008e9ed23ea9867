/* SPDX-License-Identifier: MIT */
/* main.c: the boot story, from one stack and static page tables to the first user instruction. */
#include "guest/cmdline.h"
#include "guest/cpu.h"
#include "guest/debug.h"
#include "guest/fsgs.h"
#include "guest/lapic.h"
#include "guest/mce.h"
#include "guest/percpu.h"
#include "guest/stacks.h"
#include "guest/syscall.h"
#include "guest/thread.h"

#define GPR(n) ((uint64_t)ABI_USER_GPR + (n) * (uint64_t)ABI_USER_GPR_STEP)

void kmain(struct abi_frame *first) __attribute__((noreturn));
void boot_enter_user(struct abi_frame *first) __attribute__((noreturn));

static bool fsgsbase_offered(const struct cmdline *args)
{
	return !args->nofsgsbase && cpu_cpuid_eax(0) >= CPUID_FEATURES_7 &&
	       cpu_cpuid_ebx(CPUID_FEATURES_7) & CPUID_7_EBX_FSGSBASE;
}

/* Opted in for the scheme that needs it, which falls back to swapgs where it is not offered. The sign test of swapgs is true
 * only while user code cannot set a negative base: there it is on by request alone. */
static bool fsgsbase_choose(struct cmdline *args)
{
	bool offered = fsgsbase_offered(args);

	if (args->fsgsbase && !offered)
		cmdline_refuse("command line: FSGSBASE is needed and not offered", "fsgsbase");
	if (!offered)
		args->scheme = SCHEME_SWAPGS;
	return args->scheme == SCHEME_IST || args->fsgsbase;
}

/* By whether user code has the instructions, whatever the scheme. */
static enum fsgs_way switch_choose(const struct cmdline *args, bool fsgsbase)
{
	if (args->switch_2019 && !fsgsbase)
		cmdline_refuse("command line: FSGSBASE is needed and not offered", "switch=2019");
	if (args->switch_2019)
		return FSGS_AS_2019;
	return fsgsbase ? FSGS_BY_INSTRUCTION : FSGS_BY_MSR;
}

static void gs_init(void)
{
	cpu_wrmsr(MSR_FS_BASE, 0);
	cpu_wrmsr(MSR_GS_BASE, (uint64_t)percpu_expected());
	cpu_wrmsr(MSR_KERNEL_GS_BASE, 0);
}

static void cr4_init(bool fsgsbase)
{
	uint64_t cr4 = (cpu_read_cr4() & ~CR4_FSGSBASE) | CR4_DE | CR4_MCE;

	cpu_write_cr4(fsgsbase ? cr4 | CR4_FSGSBASE : cr4);
}

/* Every register different, so that a frame with two of them exchanged is seen. */
static void user_frame(struct abi_frame *f, const struct cmdline *args, bool fsgsbase)
{
	*f = (struct abi_frame){
		.rax = GPR(0), .rcx = fsgsbase, .rdx = GPR(2), .rbx = GPR(3),
		.rbp = GPR(5), .rsi = args->flags, .rdi = args->gs,
		.r8 = GPR(8), .r9 = GPR(9), .r10 = GPR(10), .r11 = GPR(11),
		.r12 = GPR(12), .r13 = GPR(13), .r14 = GPR(14), .r15 = GPR(15),
		.error = ABI_NO_ERROR,
		.rip = args->program, .cs = ABI_USER_CS, .rflags = RFLAGS_IF | RFLAGS_FIXED,
		.rsp = ABI_USER_RSP, .ss = ABI_USER_SS,
	};
}

void kmain(struct abi_frame *first)
{
	struct cmdline args;
	bool fsgsbase;

	cmdline_parse(&args);                   /* what the bench wants */
	fsgsbase = fsgsbase_choose(&args);      /* before anything depends on it */
	percpu_init();                          /* K points to something */
	thread_init(&args, fsgsbase);           /* and it to a thread */
	fsgs_init(switch_choose(&args, fsgsbase)); /* which can be switched */
	stacks_init();                          /* the IST stacks know K */
	desc_init(args.scheme);                 /* exceptions can arrive; zeroes both bases */
	gs_init();                              /* A = K, I = U = 0: C handlers can run */
	syscall_init();                         /* user code can call */
	cr4_init(fsgsbase);                     /* #MC instead of shutdown; WRGSBASE or not */
	mce_init();                             /* banks report */
	debug_init();                           /* armed as in every golden run */
	if (args.lapic)
		lapic_init();                   /* an NMI finds its way in */
	user_frame(first, &args, fsgsbase);     /* registers of the first user instruction */
	boot_enter_user(first);                 /* through the exit that every thread takes */
}
