/* SPDX-License-Identifier: MIT */
/* bench.h: opening what all sessions share: the host, measured, and the kernel image. */
#ifndef VMM_BENCH_H
#define VMM_BENCH_H

#include "vmm/options.h"
#include "vmm/session.h"

/* Takes --engine, --connect, --kernel, --seed and --timeout. Exits with the contract's status and one line if the image or the host
 * is not usable. An engine that was not asked for by name may be replaced by another one: that is said on stderr. */
void bench_open(struct bench *b, const struct options *o);
/* The same without measuring. */
void bench_start(struct bench *b, const struct options *o);
void bench_close(struct bench *b);

#endif
