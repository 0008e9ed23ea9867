/* SPDX-License-Identifier: MIT */
/* abi_calls.h: the part of the contract that is about system calls: their numbers, what each does, errors, signals, the
 * work before user code runs again. Included by abi.h and by nothing else. */
#ifndef GUEST_ABI_CALLS_H
#define GUEST_ABI_CALLS_H

/* System calls: RAX number, RDI argument, RAX result; RCX and R11 as SYSCALL leaves them;
 * every other register is kept.
 * Those of 32-bit code by INT ABI_VECTOR_INT80, which 64-bit code may execute, too: EAX number, EDI and ESI arguments, RAX result; the upper
 * halves of RDI and RSI and RF are 0 afterwards, every other register is kept, and SYS_PRCTL is -EINVAL whatever it is asked for. */
#define ABI_SYS_ECHO     0                   /* returns RDI */
#define ABI_SYS_SET_GS   1                   /* U := RDI; -EPERM if RDI >= ABI_TASK_SIZE_MAX */
#define ABI_SYS_GET_GS   2                   /* returns U */
#define ABI_SYS_JUMP     3                   /* user RIP := RDI, returns 0; RCX kept, so only to the next
                                              * instruction it goes by SYSRET */
#define ABI_SYS_READ     4                   /* returns the 8 bytes at user pointer RDI, -EFAULT if it faults */
#define ABI_SYS_EXIT     5                   /* ends the workload of this CPU, all its threads': the last CPU's RDI goes to ABI_PORT_DONE */
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
/* With two CPUs. The other one must run a thread for RESCHED_OTHER and SET_GS_OTHER: nothing else is in the contract. MIGRATE, and
 * every other way to the other CPU: the thread waits until the one that runs there has ended; that of one of two threads of a CPU is
 * not in the contract. */
#define ABI_SYS_RESCHED_OTHER 32             /* asks for a reschedule of the thread that runs on the other CPU, done before that one's next
                                              * user instruction there; returns 0 */
#define ABI_SYS_SET_GS_OTHER 33              /* U of the other CPU's thread := RDI, before it runs on; -EPERM as for SET_GS */
#define ABI_SYS_MIGRATE  34                  /* the thread goes on on CPU RDI; returns 0, -EINVAL if there is none */

/* Threads. A reschedule (SYS_YIELD, the timer, what a handler asks for) takes the next runnable thread, in turn. FS and GS of a
 * thread that does not run: with FSGSBASE offered selectors and bases are kept as they are; without it a selector that is not null wins,
 * and when the thread runs again the base is that of the descriptor. A selector that can no longer be loaded then becomes null (and its base 0
 * without FSGSBASE). The other thread is the one that does not call; -ESRCH if there is none. */
#define ABI_SYS_FORK     16                  /* the second thread of the CPU is made: all registers, FS and GS (base and stride, too) as the
                                              * caller's, but RIP := RBX, RSP := RDI, RAX := 0. Returns 1; -EAGAIN if the CPU has two; -EFAULT if RBX
                                              * is out of user space */
#define ABI_SYS_EXEC     17                  /* RIP := RDI, which is 64-bit code, bases of FS and GS 0, selectors null, no TLS descriptor; returns 0;
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
                                              * were counted before; -EINVAL for other bits, and for MIGRATE where there is one CPU */
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
                                              * RDI bit 0: from now on each sends a signal, too, or does not; bit 1: each takes the thread
                                              * to the other CPU, -EINVAL if there is none */
#define ABI_EPERM        1
#define ABI_ENOENT       2
#define ABI_ESRCH        3
#define ABI_EIO          5
#define ABI_EAGAIN       11
#define ABI_EFAULT       14
#define ABI_EINVAL       22
#define ABI_ENOSYS       38
#define ABI_EOVERFLOW    75

/* SYS_PRCTL, for 64-bit code. SET_GS and SET_FS: the selector becomes null and the base RSI, -EPERM if that is not below ABI_TASK_SIZE_MAX. GET_GS
 * and GET_FS: the live base to user pointer RSI, -EFAULT. SET_GS_PERCPU: on CPU n U is base + n * stride, wherever the thread
 * runs; {base, stride} at user pointer RSI; -EFAULT, -EPERM for the base, -EOVERFLOW if U could leave user space on any of
 * ABI_CPUS. GET_GS_PERCPU: writes the two there, -ENOENT if none are set, -EFAULT. Every other way of setting GS takes the two
 * back: SET_GS, LOAD_GS, SYS_SET_GS, SET_GS_OTHER, EXEC; and WRGSBASE and POKE_GS by the time the kernel next looks (at each SYS_PRCTL, and
 * each time that the thread runs again, there or on another CPU): it finds a base that is not base + n * stride, and lets the thread
 * keep that. So WRGSBASE of just the value that U has takes nothing back: nobody can tell it from none. */
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
 * SYSCALL and INT are none of them: FMASK and the gate clear TF. */

/* What is done before a thread goes back to user code: the bits of its work flags. */
#define ABI_WORK_RESCHED 1                   /* it is scheduled again */
#define ABI_WORK_SIGNAL  2                   /* a signal is delivered, or dropped if there is no handler */
#define ABI_WORK_NOTIFY  4                   /* a notification is counted */
#define ABI_WORK_MIGRATE 8                   /* it goes on on the other CPU, behind the others */

/* A signal: user code goes on in the handler, which is 64-bit code, with TF, DF and RF clear, all registers kept but RDI and RSP: both point to a struct abi_signal on the
 * user's stack, at RSP - ABI_SIGNAL_GAP - its size, aligned to 16. Where it cannot be stored, what could be before it stays;
 * RIP := RBX, which is 64-bit code, RAX := -EFAULT. */
#define ABI_SIGNAL_GAP 128

#endif
