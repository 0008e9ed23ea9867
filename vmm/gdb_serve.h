/* SPDX-License-Identifier: MIT */
/* gdb_serve.h: a socket for a person's gdb, and what passes between that and QEMU's stub, which can have one client only. */
#ifndef VMM_GDB_SERVE_H
#define VMM_GDB_SERVE_H

#include <stdbool.h>

/* Makes the socket; once in a process. Exits with EXIT_USAGE and one line if that cannot be. It is gone after any exit(), and after
 * SIGINT, SIGTERM and SIGHUP, which from now on end the process with 128 and their number. */
void gdb_serve_listen(const char *path);

/* Waits for a gdb and passes bytes on until it goes away. False if the stub does. */
bool gdb_serve(int stub);

#endif
