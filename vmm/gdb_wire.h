/* SPDX-License-Identifier: MIT */
/* gdb_wire.h: packets to and from a gdb stub, in bounded time: what lies between gdb_packet.h and the questions of gdb.h. */
#ifndef VMM_GDB_WIRE_H
#define VMM_GDB_WIRE_H

#include "vmm/gdb.h"

/* Keeps the first trouble. Always false. */
bool gdb_fail(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool gdb_send(struct gdb *g, const char *bytes, size_t size);

/* The next packet, into g->reply. */
bool gdb_take(struct gdb *g);

/* The same, but that nothing arrives for so many seconds is no trouble: then *late is set. */
bool gdb_take_within(struct gdb *g, double seconds, bool *late);

#endif
