/* SPDX-License-Identifier: MIT */
/* model.h: the bench's own model of the user program: what every register, A and the user's memory must
 * be at the next boundary at CPL 3. It interprets the program's text and the system call contract of
 * guest/abi.h, and never looks at the running guest. Pure: knows nothing of KVM. */
#ifndef VMM_MODEL_H
#define VMM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi.h"
#include "vmm/state.h"

/* The five words that IRET takes. */
struct model_iret {
	uint64_t rip, cs, rflags, rsp, ss;
};

#define MODEL_WATCHED 8                 /* bytes */

/* What a thread has of its own. */
struct model_thread {
	bool runnable;
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	uint64_t gs_base, fs_base;
	uint16_t gs, fs;                /* selectors; DS and ES stay 0 */
	uint16_t cs;                    /* 64-bit code, or 32-bit code */
	uint64_t tls;                   /* base of its TLS descriptor; MODEL_TLS_NONE: not present */
	bool gs_is_percpu;
	uint64_t gs_percpu_base, gs_stride;
};
#define MODEL_TLS_NONE UINT64_MAX
/* Registers between an instruction and the #DB behind it. */
struct model_trap {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
};

struct model {
	unsigned current;               /* the running thread, by its number, whose state is here */
	struct model_thread parked[ABI_THREADS];        /* those that take turns with it; of the running one only `runnable` counts */
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	uint64_t gs_base;               /* U */
	uint64_t fs_base;
	uint16_t gs, fs;                /* selectors; DS and ES stay 0 */
	uint16_t cs;                    /* 64-bit code, or 32-bit code */
	uint64_t tls;
	bool gs_is_percpu;              /* SET_GS_PERCPU: U is gs_percpu_base + cpu * gs_stride */
	uint64_t gs_percpu_base, gs_stride;
	bool fsgsbase;                  /* offered to user code; else RD/WRGSBASE raise #UD ... */
	bool fsgsbase_can_be_off;       /* ... if CR4 decides on this host, as on hardware */
	bool absent_ss_is_np;           /* an IRET to a stack segment that is not present raises #NP on this host, not #SS */
	bool refused;                   /* in the visit that led here the kernel tried an IRET that cannot be: bad_iret */
	struct model_iret bad_iret;
	uint64_t watch;                 /* SYS_WATCH: these 8 bytes are watched in DR1, none if 0 ... */
	uint64_t hits;                  /* ... and so many instructions have touched them */
	bool watch_hit;                 /* the step that led here was an instruction at CPL 3 that touched them */
	uint64_t steps;                 /* single steps that it was not told of */
	uint64_t stop_at;               /* SYS_BREAK: #DB comes before this instruction, once, none if 0 ... */
	uint64_t breaks;                /* ... and it has come so often */
	bool broke;                     /* it came behind the step that led here */
	bool kernel_watch;              /* SYS_WATCH_KERNEL: DR3 watches what DR0 does */
	bool step_signals;              /* each sends a signal */
	bool step_moves;                /* each takes the thread to the other CPU */
	uint64_t handler, notified;     /* of signals; notifications counted */
	bool signal;                    /* one is to be delivered at the end of this visit to the kernel */
	bool stepped;                   /* the step that led here was an instruction at CPL 3 that completed with TF: #DB came */
	unsigned cpu, cpus;             /* where these threads run, of how many */
	bool sets_other;                /* SYS_SET_GS_OTHER: the other CPU's thread is to have ... */
	uint64_t other_gs;              /* ... this base */
	uint64_t rescheduled[ABI_CPUS]; /* how often it has asked for a reschedule on each CPU */
	bool asked;                     /* another CPU has asked for a reschedule of the running thread: its next visit to the kernel does it */
	uint64_t stack_page;            /* the first thread's own; one step below is the second one's */
	struct model_trap trap;         /* if watch_hit, stepped or broke: there */
	bool exited;                    /* SYS_EXIT was called; result in exit_code */
	uint64_t exit_code;
	const uint8_t *text;            /* user text as the image has it, at ABI_USER_TEXT */
	size_t text_size;
	uint8_t data[4096], stack[4096], stack_2[4096]; /* the pages at ABI_USER_DATA, at stack_page and one step below it */
};

struct model_boot {
	uint64_t entry;                 /* first user instruction */
	uint64_t entry_2;               /* of the CPU's second thread; 0 if there is none */
	uint64_t gs;                    /* gs= */
	uint64_t flags;                 /* flags= */
	bool fsgsbase, fsgsbase_can_be_off, absent_ss_is_np;
	unsigned cpu, cpus;
	const uint8_t *text;
	size_t text_size;
};

void model_init(struct model *m, const struct model_boot *boot);

/* Executes the instruction at m->rip up to the next boundary at CPL 3, the whole kernel visit included if it
 * is a system call or faults. False with one line in err if the program uses what the model does not know. */
bool model_step(struct model *m, char *err, size_t err_size);

/* Steps on until the program has been in the kernel; the same result. */
bool model_run_to_kernel(struct model *m, char *err, size_t err_size);

/* How many threads there are to take turns. */
unsigned model_threads(const struct model *m);

/* Another thread's turn: its state is the current one from now on. The same again if there is no other. */
void model_reschedule(struct model *m);

/* The running thread goes on on this CPU. */
void model_move(struct model *m, unsigned cpu);

/* DR7 while the program runs. */
uint64_t model_dr7(const struct model *m);

/* Does an access to these bytes hit what the program watches? */
bool model_is_watched(const struct model *m, uint64_t addr, unsigned size);

/* True if the instruction at m->rip enters the kernel (SYSCALL, INT 0x80, #BP, #UD, #GP, #PF). */
bool model_enters_kernel(const struct model *m);

#endif
