/* SPDX-License-Identifier: MIT */
/* qemu_child.h: the child processes that QEMU runs in: what they find open, and that none outlives the bench. */
#ifndef VMM_QEMU_CHILD_H
#define VMM_QEMU_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* What a child finds under these numbers. */
enum { FD_IN, FD_CONSOLE, FD_ERRORS, FD_GDB, FD_RAM, FD_STATE, FD_BIOS, FD_COUNT };

/* Starts argv[0] with these FD_COUNT files open and no other. -1 with errno. It dies with the calling thread, however that ends, and on
 * every exit(). */
pid_t child_spawn(char *const argv[], const int fd[]);

/* Has it ended, now or within so many seconds? Then it is forgotten. */
bool child_ended(pid_t pid, double seconds, int *status);
void child_put_down(pid_t pid);

/* A file without a name, for `what` of QEMU. */
int child_file(const char *what);

#endif
