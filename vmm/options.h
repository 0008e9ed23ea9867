/* SPDX-License-Identifier: MIT */
/* options.h: the command line, parsed. */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum engine_choice { ENGINE_AUTO, ENGINE_KVM, ENGINE_QEMU, ENGINE_LIBVIRT };

/* Where a case is held for a gdb. */
enum hold { HOLD_BEFORE, HOLD_GATE, HOLD_HANDLER, HOLD_RETURN };

struct options {
	enum engine_choice engine;
	const char *connect;            /* the URI for engine libvirt, or NULL */
	const char *kernel;             /* --kernel, or guest.elf beside the program */
	bool kernel_named;              /* by --kernel */
	unsigned schemes;               /* bit 1 << enum scheme; 0: all */
	unsigned gs;                    /* bit 1 << enum gs_name; 0: the legal set */
	unsigned events;                /* bit 1 << enum event; 0: all */
	unsigned jobs;                  /* 0: one per CPU */
	uint64_t seed;
	double timeout;                 /* seconds, one entry into the guest */
	double time;                    /* seconds, the whole run; 0: no limit */
	bool strict;                    /* a skip makes the run incomplete */
	bool boundaries;                /* list --boundaries */
	unsigned around;                /* replay --around: neighbours on each side */
	uint64_t image;                 /* replay --image: the hash of the image's text ... */
	bool image_named;               /* ... if one is given */
	const char *artifacts, *dump;   /* run --artifacts, replay --dump: folders, or NULL */
	const char *gdb;                /* replay --gdb: the socket to be made, or NULL */
	enum hold stop;                 /* replay --stop */
	bool stop_named;
	const char *summary, *journal;  /* files, or NULL; summary "-" is stdout */
	const char *map;                /* run --map: a file, or NULL */
	char **args;                    /* what is no option */
	int arg_count;
};

/* Parses what follows the subcommand. Exits with EXIT_USAGE and one line if it is wrong. */
void options_parse(struct options *o, int argc, char **argv);

/* What a command takes besides the options of all: arguments, --boundaries. Exits with EXIT_USAGE if there is more. */
enum { OPTIONS_ARGS = 1, OPTIONS_BOUNDARIES = 2 };
void options_allow(const struct options *o, unsigned allowed);

/* Beside the program: its own folder + name, for finding guest.elf and the scenarios. */
void options_beside(const char *name, char *out, unsigned long out_size);

#endif
