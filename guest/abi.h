/* SPDX-License-Identifier: MIT */
/* abi.h: the contract between the guest kernel and the bench, and the only file
 * that both include. Numbers, layouts and names; no code. Usable from assembly. */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#define ABI_VERSION 5

/* Memory. All RAM is mapped at ABI_KERNEL_VIRT + physical address. User pages are
 * mapped where the ELF's user segments say (virtual) onto their physical address. */
#define ABI_RAM_SIZE     0x400000
#define ABI_KERNEL_VIRT  0xffffffff80000000
#define ABI_TASK_SIZE_MAX 0x7ffffffff000
#define ABI_VIRTUAL_BITS 48                  /* of an address; bits 63 to 47 are equal */
#define ABI_PAGE_TABLE_LEVELS 4

/* User space: four pages of text, one page each for data and stack. Data starts zeroed. */
#define ABI_USER_TEXT    0x400000
#define ABI_USER_TEXT_SIZE 0x4000
#define ABI_USER_DATA    0x600000
#define ABI_USER_STACK   0x7ff000            /* lowest byte of the stack page */
#define ABI_USER_RSP     0x7fff00            /* RSP of the first user instruction */
#define ABI_USER_STACK_STEP 0x2000           /* thread n has its stack page and its first RSP so much times n lower */
#define ABI_USER_STACK_2 (ABI_USER_STACK - ABI_USER_STACK_STEP) /* thread 1's */
#define ABI_USER_RSP_2   (ABI_USER_RSP - ABI_USER_STACK_STEP)
#define ABI_USER_UNMAPPED 0x900000           /* never mapped: a user pointer that faults */

/* Per-CPU areas: K of CPU n is the symbol percpu_areas + n * ABI_PERCPU_SIZE. */
#define ABI_CPUS         2
#define ABI_PERCPU_SIZE  0x1000

/* What I holds under scheme pure, always: it changes only if somebody swaps or writes it. Canonical, no K, and no U of the bench's. */
#define ABI_GS_POISON    0xffffdead00000000
/* User threads: as many as threads= on the command line says, one without it; SYS_FORK makes the second one, too. Each has the
 * kernel stack of its number among the thread stacks of abi_stacks. The word at K + ABI_PERCPU_CURRENT points to what the kernel
 * keeps of the running one; ABI_THREAD_WORK from there lie its work flags. */
#define ABI_THREADS      2
#define ABI_PERCPU_CURRENT 0x18
#define ABI_THREAD_WORK  0x28
#define ABI_WORK_RESCHED 1

/* I/O ports, OUT only. DONE and PANIC take EAX. */
#define ABI_PORT_CONSOLE 0xe9                /* AL: one character */
#define ABI_PORT_DONE    0xf4                /* EAX: the workload's result, 0 is good */
#define ABI_PORT_PANIC   0xf5                /* EAX: enum below; the guest halts after it */

#define ABI_PORT_IPI     0xf6                /* AL: a vector for this CPU itself: an interrupt when IF allows it; NMI, #MC
                                              * and #DB at the next boundary. User code may write here, too. */

#define ABI_PORT_SPIN    0xf7                /* whoever waits for another CPU writes here in each round, and user code may: the
                                              * other CPU's turn. A CPU is left nowhere else but here and at an interrupt that it
                                              * sends to another. */

#define ABI_PANIC_ASSERT     1               /* a check of the C half failed */
#define ABI_PANIC_TRAP       2               /* an exception that no code expects */
#define ABI_PANIC_IST_SLOT   3               /* the K slot of a kernel stack was overwritten */
#define ABI_PANIC_CMDLINE    4               /* unknown word on the command line */

/* What a CPU can send itself besides: each is as the bench's own. */
#define ABI_VECTOR_DB      1
#define ABI_VECTOR_NMI     2
#define ABI_VECTOR_MC      18
#define ABI_VECTOR_BP      3                 /* by its own instruction alone */

/* Interrupts of the bench, in both cases without an end-of-interrupt. */
#define ABI_VECTOR_IRQ     0x40              /* its own source: counted and nothing else */
#define ABI_VECTOR_RESCHED 0x41              /* what a handler asks for at ABI_PORT_IPI */
#define ABI_VECTOR_TIMER   0x42              /* always asks for a reschedule */

/* Interrupts that a CPU sends to another: EAX = vector | CPU number << 8 at ABI_PORT_IPI, by an OUT of four bytes. */
#define ABI_VECTOR_CALL    0x43              /* a function is to be called there */
#define ABI_VECTOR_KICK    0x44              /* its work flags have been set */
#define ABI_LAST_VECTOR    0x44

/* The bench writes 1 into the symbol event_request together with an event of flavour `.resched`: the handler takes
 * it back to 0 and asks for a reschedule. The running thread's work flags are 0 at CPL 3. */

/* Selectors as loaded (with RPL). */
#define ABI_KERNEL_CS    0x10
#define ABI_KERNEL_SS    0x18
#define ABI_USER_CS      0x33
#define ABI_USER_SS      0x2b
#define ABI_TSS          0x40
#define ABI_ABSENT_SS    0x53                /* the user's, but not present */
#define ABI_ABSENT_CS    0x5b
#define ABI_CPU_NUMBER   0x63                /* nothing to load: its limit says which CPU this is, for LSL */
#define ABI_TLS          0x73                /* data, the running thread's own descriptor: ABI_SYS_SET_TLS */
#define ABI_TLS_DESCRIPTOR 0x00cff3000000ffff /* with base 0 */

/* Debug registers in every golden run: DR0 watches the symbol debug_watch_word, which
 * nothing touches, for 8-byte writes; DR7 is ABI_DR7_ARMED outside #DB and NMI bodies. While user code has asked for it,
 * DR1 watches 8 bytes of its memory (ABI_SYS_WATCH), DR2 has an instruction breakpoint in its text (ABI_SYS_BREAK), and DR3 watches 8 bytes of
 * the kernel's (ABI_SYS_WATCH_KERNEL): none that entry code touches, or the CPU on the way into it. */
#define ABI_DR6_RESET    0xffff0ff0
#define ABI_DR7_ARMED    0x90402             /* G0, R/W0 = 01 (write), LEN0 = 10 (8 bytes), bit 10 */
#define ABI_DR7_DISARMED 0x400
#define ABI_DR7_WATCH    0xb00008            /* besides, for ABI_SYS_WATCH: G1, R/W1 = 11 (read or write), LEN1 = 10 (8 bytes) */
#define ABI_DR7_BREAK    0x20                /* for ABI_SYS_BREAK: G2, R/W2 = 00 (execution), LEN2 = 00 */
#define ABI_DR7_KERNEL   0x90000080          /* for ABI_SYS_WATCH_KERNEL: G3, R/W3 = 01 (write), LEN3 = 10 (8 bytes) */

/* RFLAGS bits that SYSCALL clears (MSR_FMASK): TF IF DF NT AC and the arithmetic ones. */
#define ABI_SYSCALL_FMASK 0x257fd5

/* System calls: RAX number, RDI argument, RAX result; RCX and R11 as SYSCALL leaves them;
 * every other register is kept. */
#define ABI_SYS_ECHO     0                   /* returns RDI */
#define ABI_SYS_SET_GS   1                   /* U := RDI; -EPERM if RDI >= ABI_TASK_SIZE_MAX */
#define ABI_SYS_GET_GS   2                   /* returns U */
#define ABI_SYS_JUMP     3                   /* user RIP := RDI, returns 0; RCX kept, so only to the next
                                              * instruction it goes by SYSRET */
#define ABI_SYS_READ     4                   /* returns the 8 bytes at user pointer RDI, -EFAULT if it faults */
#define ABI_SYS_EXIT     5                   /* ends the workload: RDI goes to ABI_PORT_DONE */
#define ABI_SYS_YIELD    6                   /* asks for a reschedule of itself, returns 0 */
#define ABI_SYS_SIGRETURN 7                  /* RIP CS RFLAGS RSP SS := five words at user pointer RDI, returns 0;
                                              * -EFAULT if reading faults or RIP is out of user space */
#define ABI_SYS_LOAD_GS  8                   /* GS selector := RDI with RPL 3, or null; -EINVAL and null if it cannot be
                                              * loaded; U is kept either way */
#define ABI_SYS_SET_RIP  9                   /* what a debugger may do to a stopped thread: RIP and RCX := RDI, R11 := RFLAGS,
                                              * returns 0; RIP is not looked at, so below ABI_TASK_SIZE_MAX it goes by SYSRET */
#define ABI_SYS_RAISE    10                  /* the kernel sends itself the vector in DIL (#DB, NMI or #MC; #BP by INT3), returns 0; with
                                              * ABI_RAISE_FAULT in RDI an NMI's body faults then; -EINVAL for others */
#define ABI_RAISE_FAULT  0x100
#define ABI_RAISE_AGAIN  0x200               /* ... and then the body of the first NMI sends itself another one */
#define ABI_SYS_WATCH    11                  /* from now on the aligned 8 bytes at user pointer RDI are watched in DR1, nothing if
                                              * it is 0; returns how many instructions have touched those that were watched
                                              * before, by user code or by the kernel for it. -EINVAL if not aligned; -EFAULT
                                              * outside of user space: what entry code touches is never watched */
#define ABI_SYS_PRCTL    12                  /* RDI: what, RSI: its argument, below; -EINVAL for others */
#define ABI_SYS_SET_FRAME 24                 /* what a debugger may do to a stopped thread: SIGRETURN's five words, and RCX := RIP and
                                              * R11 := RFLAGS; returns 0; -EFAULT if reading faults. RIP is not looked at */
#define ABI_SYS_NMI_FAULTS 25                /* RDI not 0: from now on the body of every NMI faults; 0: no more; returns 0 */
/* With two CPUs. The other one must run a thread for RESCHED_OTHER and SET_GS_OTHER: nothing else is in the contract. MIGRATE:
 * the thread waits until the one that runs there has ended. */
#define ABI_SYS_RESCHED_OTHER 32             /* asks for a reschedule of the other CPU's thread, returns 0 */
#define ABI_SYS_SET_GS_OTHER 33              /* U of the other CPU's thread := RDI, before it runs on; -EPERM as for SET_GS */
#define ABI_SYS_MIGRATE  34                  /* the thread goes on on CPU RDI, never by SYSRET; returns 0, -EINVAL if there is none */

/* Threads. A reschedule (SYS_YIELD, the timer, what a handler asks for) takes the next runnable thread, in turn. FS and GS of a
 * thread that does not run: with FSGSBASE offered selectors and bases are kept as they are; without it a selector that is not null wins,
 * and when the thread runs again the base is that of the descriptor. A selector that can no longer be loaded then becomes null (and its base 0
 * without FSGSBASE). The other thread is the one that does not call; -ESRCH if there is none. */
#define ABI_SYS_FORK     16                  /* the second thread is made: all registers, FS and GS as the caller's, but RIP := RBX,
                                              * RSP := RDI, RAX := 0. Returns 1; -EAGAIN if there are ABI_THREADS; -EFAULT if RBX
                                              * is out of user space */
#define ABI_SYS_EXEC     17                  /* RIP := RDI, bases of FS and GS 0, selectors null, no TLS descriptor; returns 0;
                                              * -EFAULT if RDI is out of user space */
#define ABI_SYS_SET_TLS  18                  /* base of the caller's TLS descriptor := RDI, which has 32 bits (else -EINVAL), or
                                              * ABI_TLS_NONE: it is not present. Loaded segments stay as they are. Returns 0 */
#define ABI_TLS_NONE     0xffffffffffffffff
#define ABI_SYS_LOAD_FS  19                  /* as SYS_LOAD_GS, for FS */
#define ABI_SYS_PEEK_GS  20                  /* returns the other thread's GS base; without FSGSBASE, if its selector is not null,
                                              * that of the descriptor, 0 if there is none */
#define ABI_SYS_POKE_GS  21                  /* the other thread's GS base := RDI, -EIO if RDI >= ABI_TASK_SIZE_MAX; its selector is
                                              * kept. Returns 0 */
#define ABI_SYS_PEEK_FS  22                  /* the same for FS */
#define ABI_SYS_POKE_FS  23
#define ABI_SYS_HANDLER  26                  /* signals go to RDI from now on, to nobody if it is 0; returns 0, -EFAULT if it is out of
                                              * user space */
#define ABI_SYS_ASK_WORK 27                  /* RDI: ABI_WORK_..., to be done on the way out of this call; returns how many notifications
                                              * were counted before; -EINVAL for other bits */
#define ABI_SYS_RESTORE  28                  /* RIP CS RFLAGS RSP SS RAX RCX R11 RDI := struct abi_signal at RDI, by the rules of SIGRETURN */
#define ABI_SYS_BREAK    29                  /* #DB comes before the instruction at RDI, if that is not 0, when user code comes there next,
                                              * and then no more; returns whether it has come for the one before; -EFAULT outside of user space: kernel text never has one */
#define ABI_SYS_WATCH_KERNEL 30              /* below ABI_FORBIDDEN: tries to watch the first and last words of that kind of kernel memory;
                                              * returns how many were not refused. ABI_WATCH_ALLOWED: watches debug_watch_word in DR3, too,
                                              * which is 1; ABI_WATCH_NOTHING: nothing any more; -EINVAL for others */
#define ABI_FORBIDDEN_GDT    0
#define ABI_FORBIDDEN_IDT    1
#define ABI_FORBIDDEN_TSS    2
#define ABI_FORBIDDEN_PERCPU 3
#define ABI_FORBIDDEN_THREAD 4
#define ABI_FORBIDDEN_STACKS 5
#define ABI_FORBIDDEN_DEBUG  6
#define ABI_FORBIDDEN_BASES  7
#define ABI_FORBIDDEN        8
#define ABI_WATCH_ALLOWED    0x100
#define ABI_WATCH_NOTHING    0x101
#define ABI_SYS_STEPS    31                  /* returns how many single steps user code has been seen to make since it asked last;
                                              * RDI bit 0: from now on each sends a signal, too, or does not */
#define ABI_EPERM        1
#define ABI_ENOENT       2
#define ABI_ESRCH        3
#define ABI_EIO          5
#define ABI_EAGAIN       11
#define ABI_EFAULT       14
#define ABI_EINVAL       22
#define ABI_ENOSYS       38
#define ABI_EOVERFLOW    75

/* SYS_PRCTL. SET_GS and SET_FS: the selector becomes null and the base RSI, -EPERM if that is not below ABI_TASK_SIZE_MAX. GET_GS
 * and GET_FS: the live base to user pointer RSI, -EFAULT. SET_GS_PERCPU: on CPU n U is base + n * stride, wherever the thread
 * runs; {base, stride} at user pointer RSI; -EFAULT, -EPERM for the base, -EOVERFLOW if U could leave user space on any of
 * ABI_CPUS. GET_GS_PERCPU: writes the two there, -ENOENT if none are set, -EFAULT. Every other way of setting GS takes the two
 * back: SET_GS, LOAD_GS, SYS_SET_GS, and WRGSBASE by the time the kernel next looks (at each SYS_PRCTL and each switch): it finds
 * a base that is not base + n * stride, and lets the thread keep that. */
#define ABI_PRCTL_SET_GS 0x1001
#define ABI_PRCTL_SET_FS 0x1002
#define ABI_PRCTL_GET_FS 0x1003
#define ABI_PRCTL_GET_GS 0x1004
#define ABI_PRCTL_SET_GS_PERCPU 0x1005
#define ABI_PRCTL_GET_GS_PERCPU 0x1006

/* SIGRETURN lets the IRET find out whether CS and SS, with RPL 3, can be loaded. Of RFLAGS user code can set these; IF is 1. */
#define ABI_SIGRETURN_FLAGS 0x250dd5         /* CF PF AF ZF SF TF OF DF RF AC ID */
#define ABI_SET_FRAME_FLAGS ABI_SIGRETURN_FLAGS
/* With TF, user code is interrupted by #DB behind each instruction that completes, and goes on as if it were not; the kernel counts.
 * SYSCALL is none of them: FMASK clears TF. */

/* What is done before a thread goes back to user code: the bits of its work flags. */
#define ABI_WORK_RESCHED 1                   /* it is scheduled again */
#define ABI_WORK_SIGNAL  2                   /* a signal is delivered, or dropped if there is no handler */
#define ABI_WORK_NOTIFY  4                   /* a notification is counted */

/* A signal: user code goes on in the handler with TF, DF and RF clear, all registers kept but RDI and RSP: both point to a struct abi_signal on the
 * user's stack, at RSP - ABI_SIGNAL_GAP - its size, aligned to 16. Where it cannot be stored, what could be before it stays;
 * RIP := RBX, RAX := -EFAULT. */
#define ABI_SIGNAL_GAP 128

/* A user exception (#BP, #UD, #NP, #SS, #GP, #PF) comes back like a signal: RIP := RBX, RAX := vector,
 * RDX := error code (0 if the vector has none), RDI := CR2 for #PF; all else is kept. So does the fault of an IRET that
 * cannot load what SIGRETURN asked for: RFLAGS and RSP are then those of the five words, CS and SS the user's; and that of
 * an IRET to where SET_RIP asked for, if that is not canonical: there, or at CPL 0 already, as the processor has it. */

/* First user instruction: GPR n (hardware numbering: 0 RAX, 1 RCX .. 15 R15) holds
 * ABI_USER_GPR + n * ABI_USER_GPR_STEP, but RSP is ABI_USER_RSP, RDI the user GS value
 * asked for (gs= on the command line), RCX 1 if FSGSBASE is offered and else 0,
 * and RSI the flags= value. RFLAGS is 0x202, A, I and FS base as the scheme says with U = 0. */
#define ABI_USER_GPR      0x0123456780001000
#define ABI_USER_GPR_STEP 0x0000100000010001

/* The second thread begins at the symbol user_NAME_2 of the program user_NAME, with ABI_USER_GPR_2 in the place of ABI_USER_GPR, RSP
 * ABI_USER_RSP_2, RDI ABI_USER_GS_2, and RCX as the first one's; all else (RSI, too) by the same formula. */
#define ABI_USER_GPR_2    0x0fedcba980002000
#define ABI_USER_GS_2     0x300005000         /* settable by system call, more than 32 bits, no name's value */

/* The command line: NUL-terminated words "scheme=ist program=syscall gs=0x1000 flags=0x0
 * nofsgsbase" that the bench writes into the symbol boot_cmdline before the first instruction; where nobody has, the PVH entry
 * takes the loader's. nofsgsbase: as if CPUID did not offer FSGSBASE; then every other scheme falls back to swapgs, and CR4.FSGSBASE
 * is 0. lapic: there is a local APIC, whose pin LINT1 is to raise NMIs. cpus=2: CPU 1 begins at the symbol _start_secondary with its
 * number in EDI, in the state in which CPU 0 began, and runs user_NAME_cpu1, with gs1= as its user GS value. The workload ends where
 * the last thread does. threads=0x2: the second thread is there from the start.
 * switch=2019: a switch reads and writes FS and GS bases in the way that was proposed in 2019; needs FSGSBASE. */
#define ABI_CMDLINE_SIZE 256

/* The trap frame that every entry builds and every C handler gets in RDI: offsets of
 * struct abi_frame, for assembly. guest/frame.c asserts that both agree. */
#define FRAME_R15    0x00
#define FRAME_R14    0x08
#define FRAME_R13    0x10
#define FRAME_R12    0x18
#define FRAME_RBP    0x20
#define FRAME_RBX    0x28
#define FRAME_R11    0x30
#define FRAME_R10    0x38
#define FRAME_R9     0x40
#define FRAME_R8     0x48
#define FRAME_RAX    0x50
#define FRAME_RCX    0x58
#define FRAME_RDX    0x60
#define FRAME_RSI    0x68
#define FRAME_RDI    0x70
#define FRAME_ERROR  0x78
#define FRAME_RIP    0x80
#define FRAME_CS     0x88
#define FRAME_RFLAGS 0x90
#define FRAME_RSP    0x98
#define FRAME_SS     0xa0
#define FRAME_SIZE   0xa8

#ifndef __ASSEMBLER__
#include <stdint.h>

struct abi_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t error;         /* error code, or ABI_NO_ERROR; the system call number for SYSCALL */
	uint64_t rip, cs, rflags, rsp, ss;
};
#define ABI_NO_ERROR 0xffffffffffffffff

struct abi_signal {
	uint64_t rip, cs, rflags, rsp, ss, rax, rcx, r11, rdi;
};

/* The array abi_stacks: every kernel stack. slot_bytes at the lowest address are no stack
 * but live data (K, and how many NMIs are owed) at all times. Addresses are kernel virtual. */
struct abi_stack {
	uint64_t base, size, slot_bytes;
	uint32_t cpu;
	uint32_t vectors;       /* IST stack: bit n = vector n arrives here; thread stack: 0; or ABI_STACK_IDLE */
	char name[16];
};
#define ABI_STACK_IDLE   0x80000000     /* of a CPU that runs no thread. A thread stack belongs to the thread that begins on that CPU */

/* The array abi_exempt: bytes that an injected event may change for good (counters), and why. With a vector, the
 * counter is 8 bytes and goes up by one for each event of that vector handled, and for nothing else; with
 * ABI_COUNTS_WORK, for each reschedule done. With ABI_WHILE_NESTED these are bytes of a stack or its slot that an event of the
 * stack's vector may change only while it interrupts another of its kind. With ABI_KEEPS_U these 8 bytes are where U is kept while the
 * kernel runs: where user code runs an event may have set them to its U. With ABI_SWITCH_STORES bytes that a switch of threads
 * or another thread's visit to the kernel writes, and an event only if it leads to one. */
#define ABI_COUNTS_WORK  0x100
#define ABI_WHILE_NESTED 0x200
#define ABI_SWITCH_STORES 0x300
#define ABI_KEEPS_U      0x400
struct abi_exempt {
	uint64_t addr, size;
	uint64_t vector;
	char reason[48];
};

/* Exits to user code, in the per-CPU area: each return from a system call, an exception, an interrupt, or a #MC or #DB of user code, is
 * decided once and counted once by SYSRET or IRET, and each IRET by why it is none, the first reason in this order. The NMI's own exit
 * is not decided. The array abi_exits tells where the counters are. */
#define ABI_EXIT_SYSRET  0
#define ABI_EXIT_IRET    1
#define ABI_EXIT_RCX     2              /* RCX is not RIP */
#define ABI_EXIT_R11     3              /* R11 is not RFLAGS */
#define ABI_EXIT_CS      4              /* not the one that SYSRET loads */
#define ABI_EXIT_SS      5
#define ABI_EXIT_RIP     6              /* not below ABI_TASK_SIZE_MAX */
#define ABI_EXIT_RF      7
#define ABI_EXIT_TF      8
#define ABI_EXITS        9
struct abi_exit {
	uint64_t offset;                /* from K */
	char name[32];
};

/* Context tracking: two words of the per-CPU area, and abi_context tells where (offsets from K). */
#define ABI_CONTEXT_KERNEL 0
#define ABI_CONTEXT_USER   1
struct abi_context {
	uint64_t state;                 /* one of the two */
	uint64_t nmi_like;              /* how many handlers of NMI, #MC and #DB are nested */
};

/* The array abi_fixup: the kernel's instructions at which a fault may come while A = U. */
struct abi_fixup {
	uint64_t fault;
	uint64_t kind;
};
#define ABI_FIXUP_IRET   1              /* the handler's frame is that of the user code to which IRET was going */
#define ABI_FIXUP_RESUME 2              /* the kernel goes on at a place of its own */
#endif
#endif
