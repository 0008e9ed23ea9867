/* SPDX-License-Identifier: MIT */
/* scenario.h: a scenario file, data only: what is claimed, which program runs, what is injected. */
#ifndef VMM_SCENARIO_H
#define VMM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vmm/caseid.h"
#include "vmm/death.h"
#include "vmm/event.h"
#include "vmm/gsvalue.h"
#include "vmm/judge.h"

#define SCENARIO_PINS 32

enum cmdline_word { CMDLINE_NOFSGSBASE, CMDLINE_SWITCH_2019, CMDLINE_TIMER_MIGRATE, CMDLINE_WORDS };
const char *cmdline_word_name(enum cmdline_word word);

/* What a host may lack, so that the scenario is skipped there. */
enum need { NEED_WATCHPOINTS, NEED_BREAKPOINTS, NEED_KERNEL_INT3, NEED_COMPAT, NEED_COUNT };

/* What the end of a run prints of it besides. */
enum show { SHOW_EXITS, SHOW_EXECUTED };

/* A case whose verdict is known: a regression test. */
struct pin {
	struct caseid id;
	bool good;                      /* no rule is broken, or */
	enum rule rule;                 /* this one is */
	int line;                       /* of the scenario file */
};

struct scenario {
	char name[64];                  /* file name without .scn */
	char path[512];
	bool is_file;                   /* named by its file, not found among ours */
	char claim[200];                /* one sentence */
	char rows[100], bugs[100];      /* comma-separated; "" if none */
	char program[32];               /* program= on the guest's command line */
	unsigned cpus, threads;
	bool boots;                     /* the golden run begins where CPU 1 does; else where user code does */
	unsigned turns;                 /* so many turns has the other CPU in each case; 0: it stands still */
	unsigned schemes;               /* bit (1 << enum scheme) */
	unsigned gs;                    /* bit (1 << enum gs_name); 0: all that the scheme can meet */
	unsigned events;                /* bit (1 << enum event) */
	unsigned deaths;                /* bit (1 << enum death): which its cases may end in */
	uint64_t flags;                 /* flags= on the guest's command line */
	unsigned cmdline;               /* words that stand there besides (bit 1 << enum cmdline_word) */
	unsigned shows;                 /* bit (1 << enum show) */
	unsigned needs;                 /* bit (1 << enum need) */
	struct pin pins[SCENARIO_PINS];
	unsigned pin_count;
};

/* Does the timer take its thread to the other CPU? */
bool scenario_timer_migrates(const struct scenario *s);

/* The scheme that the kernel runs if it is asked for this one: without FSGSBASE it falls back to swapgs. */
enum scheme scenario_scheme(const struct scenario *s, enum scheme asked);

/* False with one line in err, "file:line: ..." where a line is at fault. */
bool scenario_read(const char *path, struct scenario *out, char *err, size_t err_size);
/* The same from an open file; path is what it is called. */
bool scenario_parse(FILE *file, const char *path, struct scenario *out, char *err, size_t err_size);

/* Every *.scn of a directory, sorted by name, in one block for free(). Their number, or -1 with a line in err. */
int scenario_list(const char *dir, struct scenario **out, char *err, size_t err_size);

#endif
