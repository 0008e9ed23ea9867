/* SPDX-License-Identifier: MIT */
/* session.h: one guest, booted to its first user instruction: the snapshot from which boundaries are counted. */
#ifndef VMM_SESSION_H
#define VMM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/judge.h"
#include "vmm/machine.h"
#include "vmm/model.h"
#include "vmm/run.h"
#include "vmm/scenario.h"

/* What was measured of this host, and what follows from it; see facts.c. */
struct host_facts {
	bool fsgsbase;                  /* executes RD/WRGSBASE; else only scheme `swapgs` can run */
	bool lsl;                       /* an LSL of the kernel's gives what the manual says; else scheme `lsl` cannot run ... */
	bool lsl_native;                /* ... without the bench's assistance */
	bool fsgsbase_can_be_off;       /* CR4.FSGSBASE = 0: #UD at CPL 3, as on hardware */
	bool syscall_native;            /* SYSCALL enters the kernel without the bench's assistance */
	bool user_keeps_nt;             /* RFLAGS.NT survives an entry at CPL 3; else programs do not set it */
	bool gate_keeps_ac;             /* RFLAGS.AC survives delivery, as on hardware */
	bool iret_checks_rip;           /* IRET to a RIP that is not canonical faults itself, as on hardware; else the fetch behind it */
	bool absent_ss_is_np;           /* IRET to a stack segment that is not present: #NP, on hardware #SS */
	bool faults_set_rf;             /* a fault saves RFLAGS.RF = 1, as on hardware; else as it was */
	bool watchpoints_fire;          /* a data watchpoint that the guest has armed raises #DB */
	bool breakpoints_fire;          /* so does an instruction breakpoint at CPL 3 */
	bool kernel_int3;               /* INT3 at CPL 0 comes to its gate */
	bool compat;                    /* 32-bit code runs, and its INT 0x80 comes to its gate ... */
	bool int_native;                /* ... without the bench's assistance */
	bool user_hlt_faults;           /* a stop at CPL 3 arrives as #GP(0) with exact RIP */
};

/* What all sessions share. */
struct bench {
	struct host host;
	bool engine_fallback;           /* it is not the one that `auto` would rather have */
	struct elf *elf;
	struct host_facts facts;
	uint64_t seed;
	char replay_option[600];        /* "--engine NAME --connect URI --kernel FILE": what replaying a case needs of it, or "" */
	double default_time;            /* seconds that a run may take if nobody says otherwise; 0: any */
};

/* What one session runs. */
struct unit {
	const struct scenario *scenario;
	enum scheme scheme;
	enum gs_name gs;
};

/* The NMI, #MC or #DB that the guest raised itself last, or that a data watchpoint has raised. It belongs to the golden run, and so does its handler. */
struct raised {
	bool active;                    /* its handler has not come back */
	bool nested;                    /* and another one that the guest has raised in there is on its way */
	unsigned number;                /* counts them from 1 */
	enum event event;
	uint64_t dr6;                   /* handed over with #DB */
	struct cpu_state before;        /* the boundary at which it came: registers, A, I and events */
	struct context context;         /* there */
};

/* The decisions how to return to user code, counted by the bench: case_exit.c. */
struct exits {
	uint64_t made[ABI_EXITS];       /* of the returns that have been executed */
	bool pending;                   /* the guest stood at another one ... */
	unsigned decision;              /* ... and this must have been decided */
	bool nmi;                       /* the next one is an NMI's own, which is not decided */
};

/* What the session keeps of a CPU while another one is spoken of. */
struct session_cpu {
	struct raised raised;
	struct exits exits;
	unsigned ipi;                   /* of struct run */
	uint64_t sent;
	unsigned running;               /* its thread, or SESSION_NO_THREAD; told anew where it is on its idle stack */
	uint64_t u;                     /* session.u */
	uint64_t gs_base;               /* U of the last thread that was spoken of there */
};

/* The same of the thread that begins on CPU n, and of those that take turns with it. */
struct session_thread {
	struct model model, next;
};
#define SESSION_NO_THREAD ABI_CPUS

struct walk;

struct session {
	const struct bench *bench;
	struct unit unit;
	struct machine machine;
	struct stops stops;
	struct insn_starts no_swapgs;   /* scheme pure: where the image has SWAPGS, and this guest HLT */
	struct run run;
	struct layout layout;
	struct judge judge;
	struct model model;             /* the user program at its last boundary ... */
	struct model next;              /* ... and at the one that must follow */
	unsigned cpus;                  /* machine.cpu is the one that is spoken of: see smp.h */
	unsigned running;               /* the thread whose models these are, by the CPU on which it began, or SESSION_NO_THREAD */
	struct session_cpu cpu[ABI_CPUS];
	struct session_thread thread[ABI_CPUS];
	bool mapped;                    /* the walk has been made before: I is read only where a rule asks for it */
	unsigned turns;                 /* that the other CPU has in each case */
	unsigned begun;                 /* counts the boundaries at which cases have begun */
	struct ahead *meanwhile;        /* case_turns.c: the machine after these turns, without an event */
	struct walk *walk;              /* while one is under way */
	unsigned user_visits;           /* boundaries at CPL 3 that the walk has come to */
	struct ahead *ahead;            /* case_work.c: the next of them, run ahead of the walk */
	struct raised raised;
	struct exits exits;
	struct ahead *outer;            /* case_nested.c: where it comes back, run ahead of the walk */
	uint64_t u;                     /* the value behind the name unit.gs, on this CPU */
	uint64_t flags;                 /* flags= of the program, less what this host would lose */
};

/* The scheme that its kernel runs, and is judged by. */
static inline enum scheme unit_scheme(const struct unit *u)
{
	return scenario_scheme(u->scenario, u->scheme);
}

/* Why this host cannot run a kernel of this scheme; NULL if it can. */
const char *session_lacks(const struct host_facts *f, enum scheme scheme);

/* "SCENARIO/SCHEME/GS" */
void unit_name(const struct unit *u, char *out, size_t out_size);

/* Boots. False with one line in err if the image is wrong or the guest does not get to user code; then nothing is
 * left open. Must be called by the thread that will run the session. */
bool session_open(struct session *s, const struct bench *bench, const struct unit *unit, char *err, size_t err_size);
void session_close(struct session *s);

/* Why a guest ended, for people: "triple fault at asm_exc_nmi+0x4 ...". */
void session_describe_stop(struct session *s, const struct stop *stop, char *out, size_t out_size);

/* Guest memory by virtual address under the current CR3; zeroes if it is not mapped. */
void session_read(struct session *s, gva_t at, void *out, size_t size);

#endif
