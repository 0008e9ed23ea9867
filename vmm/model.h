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

struct model {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	uint64_t gs_base;               /* U */
	uint64_t fs_base;
	uint16_t gs;                    /* selector; the others stay 0 */
	bool fsgsbase;                  /* offered to user code; else RD/WRGSBASE raise #UD ... */
	bool fsgsbase_can_be_off;       /* ... if CR4 decides on this host, as on hardware */
	bool absent_ss_is_np;           /* an IRET to a stack segment that is not present raises #NP on this host, not #SS */
	bool refused;                   /* in the visit that led here the kernel tried an IRET that cannot be: bad_iret */
	struct model_iret bad_iret;
	uint64_t watch;                 /* SYS_WATCH: these 8 bytes are watched in DR1, none if 0 ... */
	uint64_t hits;                  /* ... and so many instructions have touched them */
	bool watch_hit;                 /* the step that led here was an instruction at CPL 3 that touched them */
	unsigned cpu, cpus;             /* where the thread runs, of how many */
	bool sets_other;                /* SYS_SET_GS_OTHER: the other CPU's thread is to have ... */
	uint64_t other_gs;              /* ... this base */
	uint64_t rescheduled[ABI_CPUS]; /* how often it has asked for a reschedule on each CPU */
	uint64_t stack_page;            /* the thread's own */
	bool exited;                    /* SYS_EXIT was called; result in exit_code */
	uint64_t exit_code;
	const uint8_t *text;            /* user text as the image has it, at ABI_USER_TEXT */
	size_t text_size;
	uint8_t data[4096], stack[4096];        /* the pages at ABI_USER_DATA and stack_page */
};

struct model_boot {
	uint64_t entry;                 /* first user instruction */
	uint64_t gs;                    /* gs= */
	uint64_t flags;                 /* flags= */
	bool fsgsbase, fsgsbase_can_be_off, absent_ss_is_np;
	unsigned cpu, cpus;
	const uint8_t *text;
	size_t text_size;
};

void model_init(struct model *m, const struct model_boot *boot);

/* Executes the instruction at m->rip up to the next boundary at CPL 3, the whole kernel visit included if it
 * is a SYSCALL or faults. False with one line in err if the program uses what the model does not know. */
bool model_step(struct model *m, char *err, size_t err_size);

/* DR7 while the program runs. */
uint64_t model_dr7(const struct model *m);

/* Does an access to these bytes hit what the program watches? */
bool model_is_watched(const struct model *m, uint64_t addr, unsigned size);

/* True if the instruction at m->rip enters the kernel (SYSCALL, #BP, #UD, #GP, #PF). */
bool model_enters_kernel(const struct model *m);

#endif
