/* SPDX-License-Identifier: MIT */
/* run.h: letting the guest run to its next stop. What the host does differently from the architecture on the
 * way (a stop at CPL 3 that arrives as #GP, SYSCALL and INT n that need assistance) is undone here and seen by nobody else. */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/machine.h"
#include "vmm/stops.h"

enum stop_kind {
	STOP_BOUNDARY,          /* at a stop that was set; RIP names the instruction about to execute */
	STOP_DONE,              /* ABI_PORT_DONE; value = the workload's result */
	STOP_PANIC,             /* ABI_PORT_PANIC; value = reason */
	STOP_HALT,              /* the guest executed HLT itself */
	STOP_SHUTDOWN,          /* triple fault */
	STOP_INTERNAL,          /* KVM_EXIT_INTERNAL_ERROR; value = suberror */
	STOP_HANG,              /* the watchdog's limit passed */
	STOP_EXIT,              /* any other exit; value = its reason */
	STOP_TURN,              /* the other CPU's turn: ABI_PORT_SPIN, or an interrupt was sent to it */
};

struct stop {
	enum stop_kind kind;
	uint64_t value;
};

/* A genuine fault on its way past the stop at its gate. */
struct passing {
	gva_t gate, next;               /* next: 0 if none is on its way */
	bool next_was_set;
	unsigned faults;
};

#define RUN_CONSOLE_SIZE 256
#define RUN_ARTEFACTS 3

struct run {
	struct machine *machine;
	struct stops *stops;
	gva_t gate[RUN_ARTEFACTS];      /* first instructions of #GP, #PF and #UD, where artefacts arrive */
	bool report_faults;             /* a genuine one of these stops at its gate; else it runs on ... */
	gva_t boundary;                 /* ... unless its gate is the very boundary that is waited for */
	unsigned ipi;                   /* vector that the guest asked for at ABI_PORT_IPI, 0 if none is pending */
	uint64_t sent;                  /* vectors from another CPU: bit n for 64 + n, each pending once */
	unsigned to_other;              /* at STOP_TURN: the vector that was sent to the other CPU; 0 if none was */
	struct passing passing;
	uint64_t syscall_assists, int_assists;  /* how often this host needed one */
	uint64_t user_stops;
	gpa_t rsp0_frame;               /* where the frame pushed by an artefact would lie ... */
	uint8_t under_frame[48];        /* ... what lay there before */
	uint64_t cr2_before;
	char console[RUN_CONSOLE_SIZE]; /* the last line the guest printed */
	unsigned console_used;
	bool console_line_ended;
};

/* The guest's IDT must be loaded already: finds the gates of #GP, #PF and #UD. False if they are not in text. */
bool run_init(struct run *r, struct machine *m, struct stops *s);

/* Runs to the next stop. The stop at the current RIP, if any, must have been lifted. Sets stops at the gates of #GP,
 * #PF and #UD, for the artefacts, and leaves them set. */
struct stop run_to_stop(struct run *r);

/* Executes one instruction, whatever it is: to the next boundary, at CPL 0 or 3, by way of the carpet. Which stops are set
 * does not matter and does not change. */
struct stop run_one(struct run *r);

/* Runs to the next stop from a boundary whose stop is to stay. */
struct stop run_past(struct run *r);

const char *stop_name(enum stop_kind kind);

#endif
