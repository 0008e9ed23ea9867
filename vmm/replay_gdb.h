/* SPDX-License-Identifier: MIT */
/* replay_gdb.h: a case once more, held at one of its stops for a person's gdb. */
#ifndef VMM_REPLAY_GDB_H
#define VMM_REPLAY_GDB_H

#include <stddef.h>

#include "vmm/event.h"
#include "vmm/options.h"
#include "vmm/session.h"

struct held {
	const char *text;               /* the case id */
	const char *socket;             /* gdb_serve_listen() has made it */
	enum hold hold;
	const struct bench *bench;      /* of engine qemu */
	const struct unit *unit;
	size_t target;                  /* the boundary: index into the map */
	enum event event;
	unsigned muted;                 /* rules that the golden run itself breaks */
};

/* Brings a guest of its own there, prints how to connect, and ends the process when gdb has gone; or because the case never comes there. */
void replay_gdb(struct held *h) __attribute__((noreturn));

#endif
