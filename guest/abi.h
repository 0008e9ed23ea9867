/* SPDX-License-Identifier: MIT */
/* abi.h: the contract between the guest kernel and the bench, and the only file
 * that both include; the system calls are in a file of their own, by way of this one.
 * Numbers, layouts and names; no code. Usable from assembly. */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include "guest/abi_calls.h"

#define ABI_VERSION 7

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
#define ABI_USER_RSP_2   (ABI_USER_RSP - ABI_USER_STACK_STEP) /* thread 1's */
#define ABI_USER_UNMAPPED 0x900000           /* never mapped: a user pointer that faults */

/* Per-CPU areas: K of CPU n is the symbol percpu_areas + n * ABI_PERCPU_SIZE. */
#define ABI_CPUS         2
#define ABI_PERCPU_SIZE  0x1000

/* What I holds under scheme pure, always: it changes only if somebody swaps or writes it. Canonical, no K, and no U of the bench's. */
#define ABI_GS_POISON    0xffffdead00000000
/* User threads: threads= on the command line says how many there are from the start, on all CPUs together and on each as many; one on each
 * without it. SYS_FORK makes a CPU's second one, too. Those of CPU n have the numbers from n * ABI_THREADS_OF_CPU on. Each has the kernel
 * stack of its number among the thread stacks of abi_stacks, and the element of its number of the array `threads` is what the kernel
 * keeps of it. The word at K + ABI_PERCPU_CURRENT points to that of the running one; ABI_THREAD_WORK from there lie its work flags. */
#define ABI_THREADS_OF_CPU 2
#define ABI_THREADS      (ABI_CPUS * ABI_THREADS_OF_CPU)
#define ABI_PERCPU_CURRENT 0x18
#define ABI_THREAD_WORK  0x28

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
#define ABI_VECTOR_TIMER   0x42              /* always asks for a reschedule, or for what timer= says */

/* Interrupts that a CPU sends to another: EAX = vector | CPU number << 8 at ABI_PORT_IPI, by an OUT of four bytes. */
#define ABI_VECTOR_CALL    0x43              /* a function is to be called there */
#define ABI_VECTOR_KICK    0x44              /* its work flags have been set */
/* User code may execute INT with it: a system call of 32-bit code. */
#define ABI_VECTOR_INT80   0x80
#define ABI_LAST_VECTOR    0x80

/* The bench writes 1 into the symbol event_request together with an event of flavour `.resched`: the handler takes
 * it back to 0 and asks for a reschedule. The running thread's work flags are 0 at CPL 3. */

/* Selectors as loaded (with RPL). */
#define ABI_KERNEL_CS    0x10
#define ABI_KERNEL_SS    0x18
#define ABI_USER_CS      0x33
#define ABI_USER32_CS    0x23                /* 32-bit code: compatibility mode */
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

/* A user exception (#BP, #UD, #NP, #SS, #GP, #PF) comes back like a signal: RIP := RBX, RAX := vector,
 * RDX := error code (0 if the vector has none), RDI := CR2 for #PF; all else is kept. So does the fault of an IRET that
 * cannot load what SIGRETURN asked for: RFLAGS and RSP are then those of the five words, CS and SS the user's; and that of
 * an IRET to where SET_RIP asked for, if that is not canonical: there, or at CPL 0 already, as the processor has it. What a fault
 * goes on at is always 64-bit code. */

/* First user instruction: GPR n (hardware numbering: 0 RAX, 1 RCX .. 15 R15) holds
 * ABI_USER_GPR + n * ABI_USER_GPR_STEP, but RSP is ABI_USER_RSP, RDI the user GS value
 * asked for (gs= on the command line), RCX 1 if FSGSBASE is offered and else 0,
 * and RSI the flags= value. RFLAGS is 0x202, A, I and FS base as the scheme says with U = 0. */
#define ABI_USER_GPR      0x0123456780001000
#define ABI_USER_GPR_STEP 0x0000100000010001

/* The second thread of a CPU begins at the symbol user_NAME_2 of the program user_NAME, on CPU 1 at user_NAME_cpu1_2, with ABI_USER_GPR_2 in
 * the place of ABI_USER_GPR, RSP by its number, RDI ABI_USER_GS_2 and a step for each CPU, and RCX as the first one's; all else (RSI, too) by the
 * same formula. */
#define ABI_USER_GPR_2    0x0fedcba980002000
#define ABI_USER_GS_2     0x300005000         /* settable by system call, more than 32 bits, no name's value */
#define ABI_USER_GS_2_STEP 0x10000

/* The command line: NUL-terminated words "scheme=ist program=syscall gs=0x1000 flags=0x0
 * nofsgsbase" that the bench writes into the symbol boot_cmdline before the first instruction; where nobody has, the PVH entry
 * takes the loader's. nofsgsbase: as if CPUID did not offer FSGSBASE; then every other scheme falls back to swapgs, and CR4.FSGSBASE
 * is 0. lapic: there is a local APIC, whose pin LINT1 is to raise NMIs. cpus=2: CPU 1 begins at the symbol _start_secondary with its
 * number in EDI, in the state in which CPU 0 began, and runs user_NAME_cpu1, with gs1= as its user GS value. The workload ends where
 * the last CPU's does. threads=0x2, with two CPUs 0x4: the second thread of each CPU is there from the start.
 * timer=migrate, with two CPUs: what the timer asks for is ABI_WORK_MIGRATE.
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
#define ABI_STACK_IDLE   0x80000000     /* of a CPU that runs no thread. A thread stack belongs to a thread that begins on that CPU */

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
