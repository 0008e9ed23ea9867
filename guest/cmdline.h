/* SPDX-License-Identifier: MIT */
/* cmdline.h: what the bench asks of this boot. */
#ifndef GUEST_CMDLINE_H
#define GUEST_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/abi.h"
#include "guest/desc.h"

struct cmdline {
	enum scheme scheme;             /* scheme=swapgs|ist|lsl|pure, needed; all fall back to swapgs without FSGSBASE */
	uint64_t program;               /* program=NAME, needed: entry of user_NAME */
	uint64_t program_1;             /* entry of user_NAME_cpu1, 0 if there is none */
	uint64_t gs;                    /* gs=0x..., RDI of the first user instruction */
	uint64_t gs_1;                  /* gs1=0x..., the same on CPU 1 */
	uint64_t cpus;                  /* cpus=0x2; 1 without it */
	uint64_t flags;                 /* flags=0x..., RSI of the first user instruction */
	bool fsgsbase;                  /* set CR4.FSGSBASE under swapgs too */
	bool nofsgsbase;                /* as if CPUID did not offer it */
	uint64_t program_2[ABI_CPUS];   /* ... and of user_NAME_2, user_NAME_cpu1_2; 0 if there is none */
	uint64_t threads;               /* threads=0x2: of all CPUs together; twice as many as cpus: the second thread of each, too */
	bool switch_2019;               /* switch=2019: how FS and GS are switched */
	bool timer_migrates;            /* timer=migrate: what the timer asks for */
	bool lapic;                     /* NMIs come through the local APIC */
};

/* Panics with ABI_PANIC_CMDLINE on anything that it does not know. */
void cmdline_parse(struct cmdline *out);

/* Panics with ABI_PANIC_CMDLINE, saying what is wrong; word may be NULL. */
void cmdline_refuse(const char *why, const char *word) __attribute__((noreturn));

#endif
