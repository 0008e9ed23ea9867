/* SPDX-License-Identifier: MIT */
/* bench.h: opening what all sessions share: the host, measured, and the kernel image. */
#ifndef VMM_BENCH_H
#define VMM_BENCH_H

#include "vmm/session.h"

/* Exits with the contract's status and one line if the image or the host is not usable. Starts the watchdog with
 * `timeout` seconds for a single entry into the guest. */
void bench_open(struct bench *b, const char *kernel, double timeout);
void bench_close(struct bench *b);

#endif
