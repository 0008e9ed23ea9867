/* SPDX-License-Identifier: MIT */
/* progress.h: one line on stderr that shows how far long work is, if stderr is a terminal. */
#ifndef VMM_PROGRESS_H
#define VMM_PROGRESS_H

#include <stddef.h>

/* Redraws at most a few times a second. what: "mapping", "injecting". */
void progress_show(const char *what, size_t done, size_t total);
/* Before anything else is printed on the terminal. */
void progress_clear(void);

#endif
