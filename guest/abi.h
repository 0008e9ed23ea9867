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

/* User space: four pages of text, one page each for data and stack. Data starts zeroed. */
#define ABI_USER_TEXT    0x400000
#define ABI_USER_TEXT_SIZE 0x4000
#define ABI_USER_DATA    0x600000
#define ABI_USER_STACK   0x7ff000            /* lowest byte of the stack page */
#define ABI_USER_RSP     0x7fff00            /* RSP of the first user instruction */
#define ABI_USER_STACK_STEP 0x2000           /* thread n has its stack page and its first RSP so much times n lower */
#define ABI_USER_UNMAPPED 0x900000           /* never mapped: a user pointer that faults */

/* Per-CPU areas: K of CPU n is the symbol percpu_areas + n * ABI_PERCPU_SIZE. */
#define ABI_CPUS         2
#define ABI_PERCPU_SIZE  0x1000

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
#define ABI_PANIC_IST_SLOT   3               /* the K slot of an IST stack was overwritten */
#define ABI_PANIC_CMDLINE    4               /* unknown word on the command line */

/* What a CPU can send itself besides: each is as the bench's own. */
#define ABI_VECTOR_DB      1
#define ABI_VECTOR_NMI     2
#define ABI_VECTOR_MC      18

/* Interrupts of the bench, in both cases without an end-of-interrupt. */
#define ABI_VECTOR_IRQ     0x40              /* its own source: counted and nothing else */
#define ABI_VECTOR_RESCHED 0x41              /* what a handler asks for at ABI_PORT_IPI */

/* Interrupts that a CPU sends to another: EAX = vector | CPU number << 8 at ABI_PORT_IPI, by an OUT of four bytes. */
#define ABI_VECTOR_CALL    0x43              /* a function is to be called there */
#define ABI_VECTOR_KICK    0x44              /* its work flags have been set */
#define ABI_LAST_VECTOR    0x44

/* The bench writes 1 into the symbol event_request together with an event of flavour `.resched`: the handler takes
 * it back to 0 and asks for a reschedule. The symbol thread_work holds 8 bytes for each CPU: the running
 * thread's work flags, 0 at CPL 3. */

/* Selectors as loaded (with RPL). */
#define ABI_KERNEL_CS    0x10
#define ABI_KERNEL_SS    0x18
#define ABI_USER_CS      0x33
#define ABI_USER_SS      0x2b
#define ABI_TSS          0x40
#define ABI_ABSENT_SS    0x53                /* the user's, but not present */
#define ABI_ABSENT_CS    0x5b

/* Debug registers in every golden run: DR0 watches the symbol debug_watch_word, which
 * nothing touches, for 8-byte writes; DR7 is ABI_DR7_ARMED outside #DB and NMI bodies. While user code has asked for it
 * (ABI_SYS_WATCH), DR1 watches 8 bytes of its memory, and DR7 is ABI_DR7_WATCHING instead. */
#define ABI_DR6_RESET    0xffff0ff0
#define ABI_DR7_ARMED    0x90402             /* G0, R/W0 = 01 (write), LEN0 = 10 (8 bytes), bit 10 */
#define ABI_DR7_DISARMED 0x400
#define ABI_DR7_WATCHING 0xb9040a            /* ABI_DR7_ARMED and G1, R/W1 = 11 (read or write), LEN1 = 10 (8 bytes) */

/* RFLAGS bits that SYSCALL clears (MSR_FMASK): TF IF DF NT AC and the arithmetic ones. */
#define ABI_SYSCALL_FMASK 0x257fd5

/* System calls: RAX number, RDI argument, RAX result; RCX and R11 as SYSCALL leaves them;
 * every other register is kept. */
#define ABI_SYS_ECHO     0                   /* returns RDI */
#define ABI_SYS_SET_GS   1                   /* U := RDI; -EPERM if RDI >= ABI_TASK_SIZE_MAX */
#define ABI_SYS_GET_GS   2                   /* returns U */
#define ABI_SYS_JUMP     3                   /* user RIP := RDI, returns 0; never by SYSRET, RCX kept */
#define ABI_SYS_READ     4                   /* returns the 8 bytes at user pointer RDI, -EFAULT if it faults */
#define ABI_SYS_EXIT     5                   /* ends the workload: RDI goes to ABI_PORT_DONE */
#define ABI_SYS_YIELD    6                   /* asks for a reschedule of itself, returns 0 */
#define ABI_SYS_SIGRETURN 7                  /* RIP CS RFLAGS RSP SS := five words at user pointer RDI, returns 0;
                                              * -EFAULT if reading faults or RIP is out of user space */
#define ABI_SYS_LOAD_GS  8                   /* GS selector := RDI with RPL 3, or null; -EINVAL and null if it cannot be
                                              * loaded; U is kept either way */
#define ABI_SYS_SET_RIP  9                   /* what a debugger may do to a stopped thread: RIP and RCX := RDI, R11 := RFLAGS,
                                              * returns 0; RIP is not looked at, so below ABI_TASK_SIZE_MAX it goes by SYSRET */
#define ABI_SYS_RAISE    10                  /* the kernel sends itself the vector in DIL (#DB, NMI or #MC), returns 0; with
                                              * ABI_RAISE_FAULT in RDI an NMI's body faults then; -EINVAL for others */
#define ABI_RAISE_FAULT  0x100
#define ABI_RAISE_AGAIN  0x200               /* ... and then the body of the first NMI sends itself another one */
#define ABI_SYS_WATCH    11                  /* from now on the aligned 8 bytes at user pointer RDI are watched in DR1, nothing if
                                              * it is 0; returns how many instructions have touched those that were watched
                                              * before, by user code or by the kernel for it. -EINVAL if not aligned; -EFAULT
                                              * outside of user space: what entry code touches is never watched */
/* With two CPUs. The other one must run a thread for RESCHED_OTHER and SET_GS_OTHER: nothing else is in the contract. MIGRATE:
 * the thread waits until the one that runs there has ended. */
#define ABI_SYS_RESCHED_OTHER 32             /* asks for a reschedule of the other CPU's thread, returns 0 */
#define ABI_SYS_SET_GS_OTHER 33              /* U of the other CPU's thread := RDI, before it runs on; -EPERM as for SET_GS */
#define ABI_SYS_MIGRATE  34                  /* the thread goes on on CPU RDI, never by SYSRET; returns 0, -EINVAL if there is none */
#define ABI_EPERM        1
#define ABI_EFAULT       14
#define ABI_EINVAL       22
#define ABI_ENOSYS       38

/* SIGRETURN lets the IRET find out whether CS and SS, with RPL 3, can be loaded. Of RFLAGS user code can set these; IF is 1. */
#define ABI_SIGRETURN_FLAGS 0x240cd5         /* CF PF AF ZF SF OF DF AC ID */

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

/* The command line: NUL-terminated words "scheme=ist program=syscall gs=0x1000 flags=0x0
 * nofsgsbase" that the bench writes into the symbol boot_cmdline before the first instruction; where nobody has, the PVH entry
 * takes the loader's. nofsgsbase: as if CPUID did not offer FSGSBASE; then scheme=ist falls back to swapgs, and CR4.FSGSBASE
 * is 0. lapic: there is a local APIC, whose pin LINT1 is to raise NMIs. cpus=2: CPU 1 begins at the symbol _start_secondary with its
 * number in EDI, in the state in which CPU 0 began, and runs user_NAME_cpu1, with gs1= as its user GS value. The workload ends where
 * the last thread does. */
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
 * stack's vector may change only while it interrupts another of its kind. */
#define ABI_COUNTS_WORK  0x100
#define ABI_WHILE_NESTED 0x200
struct abi_exempt {
	uint64_t addr, size;
	uint64_t vector;
	char reason[48];
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
