/* SPDX-License-Identifier: MIT */
/* gdb.h: the client of a gdb stub: one question, one answer, in bounded time. */
#ifndef VMM_GDB_H
#define VMM_GDB_H

#include "vmm/gdb_packet.h"
#include "vmm/gdb_regs.h"

/* After the first trouble every call fails, and `trouble` keeps saying what it was. */
struct gdb {
	int fd;                         /* a connected socket; the caller's */
	double limit;                   /* seconds for one answer */
	bool closed;                    /* by the other side */
	struct gdb_regs regs;
	struct gdb_payload reply;       /* the last answer */
	char trouble[200];              /* "" if there is none */
	char said[4096];                /* the beginning of what the last monitor command has printed */
	char in[3 * GDB_PAYLOAD];       /* what has arrived and is not read yet */
	size_t used;
	char out[4096];                 /* what is queued ... */
	size_t out_used;
	unsigned owed;                  /* ... and how many answers that will have */
};

/* Says hello and reads the description of the registers. */
bool gdb_open(struct gdb *g, int fd, double limit);

/* Asks and takes the answer into g->reply. An answer "E.." is trouble. */
bool gdb_ask(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A command of QEMU's monitor. What that prints is in g->said, its beginning if it is long; that is no trouble. */
bool gdb_monitor(struct gdb *g, const char *command);

/* A packet whose answer is OK, sent with the next ones in one piece. */
bool gdb_queue(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool gdb_flush(struct gdb *g);

/* Sends what is queued, lets the guest go on (`c`, or `s` by one instruction) and waits for its stop. If that does not come in
 * time *late is set; gdb_interrupt() stops the guest then. */
bool gdb_resume(struct gdb *g, const char *how, double seconds, bool *late);
bool gdb_interrupt(struct gdb *g);

bool gdb_state(struct gdb *g, struct cpu_state *out);
/* Writes what differs, queued. False if the stub cannot write one of them. */
bool gdb_set_changed(struct gdb *g, const struct cpu_state *from, const struct cpu_state *to);
bool gdb_read(struct gdb *g, uint64_t at, void *out, size_t size);

/* A breakpoint of the stub's own; the guest's memory and debug registers are not touched. */
bool gdb_break(struct gdb *g, uint64_t at, bool set);

/* On to the next breakpoint; by one instruction. A guest that ends is trouble. */
bool gdb_go(struct gdb *g);
bool gdb_step(struct gdb *g);

#endif
