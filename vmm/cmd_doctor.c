/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c: gsgate doctor: what the run needs to know of this host, measured, and what follows from it. */
#include <stdio.h>

#include "vmm/bench.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/tiny.h"

#define FLOOR_SECONDS 1.0

static void say(bool good, const char *what, const char *yes, const char *no)
{
	printf("%-4s %-36s %s\n", good ? "yes" : "no", what, good ? yes : no);
}

int cmd_doctor(const struct options *o)
{
	struct bench b = { .seed = o->seed };
	const struct host_facts *f = &b.facts;

	options_allow(o, 0);
	bench_open(&b, o->kernel, o->timeout);
	say(f->fsgsbase, "RD/WRGSBASE in a guest", "every scheme runs", "only scheme swapgs runs; the others are skipped");
	say(f->user_hlt_faults, "stops at CPL 3", "every user boundary can be injected", "user boundaries are not reached");
	say(f->syscall_native, "SYSCALL without assistance", "left to the processor",
	    "the bench completes each SYSCALL from the guest's EFER, STAR, LSTAR and FMASK");
	say(f->user_keeps_nt, "RFLAGS.NT survives an entry at CPL 3", "programs set NT",
	    "programs do not set NT; a lost NT cannot be seen here");
	say(f->gate_keeps_ac, "gates keep RFLAGS.AC", "as the manual says",
	    "AC reads 0 in handlers; a handler that forgets it cannot be seen here");
	printf("floor: %.0f exits/s with 1 job", tiny_exits_per_second(&b.host, 1, FLOOR_SECONDS));
	printf(", %.0f exits/s with %u\n", tiny_exits_per_second(&b.host, o->jobs, FLOOR_SECONDS), o->jobs);
	bench_close(&b);
	return f->user_hlt_faults ? EXIT_GOOD : EXIT_HOST;
}
