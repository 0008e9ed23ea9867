/* SPDX-License-Identifier: MIT */
/* qemu.h: QEMU as a child process, stopped before its guest's first instruction. */
#ifndef VMM_QEMU_H
#define VMM_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vmm/mem.h"

#define QEMU_PROGRAM "qemu-system-x86_64"
#define QEMU_OLDEST_MAJOR 7             /* the oldest that anything has been measured with */
#define QEMU_OLDEST_MINOR 2

struct qemu {
	pid_t pid;
	int gdb;                        /* its gdb stub: a connected socket */
	int errors;                     /* file: what it has said */
	int state;                      /* file that it saves into (qcow2.h) */
	struct mem ram;                 /* the guest's, shared */
};

/* Where it is, by PATH. False if it is nowhere. */
bool qemu_find(char *path, size_t path_size);

/* Asks the program for its version. False with a line in err if it does not say, or says one that is too old. */
bool qemu_version(const char *path, char *version, size_t version_size, char *err, size_t err_size);

/* Starts it on nothing, for a guest that the bench puts into RAM and into a saved state (qemu_state.h). Its firmware is 64 KB of zero bytes,
 * RAM is zero. Ports are nobody's. A triple fault resets the CPU to QEMU_RESET and goes on there: have a breakpoint there.
 * It runs without KVM, has no name for anything in the file system, so nothing is left there whoever is killed, and dies with the
 * calling thread, and on every exit(). */
#define QEMU_RESET 0xfffffff0u
bool qemu_start_empty(struct qemu *q, const char *path, char *err, size_t err_size);
void qemu_stop(struct qemu *q);

/* What is to be said of one that does not answer as it should: how it ended, if it did, and what it said. "" if nothing. */
void qemu_describe(struct qemu *q, char *out, size_t out_size);

#endif
