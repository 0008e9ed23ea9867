/* SPDX-License-Identifier: MIT */
/* doctor.c: how doctor says a fact, and the facts that every engine's host is measured for. */
#include "vmm/doctor.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_say(bool good, const char *what, const char *yes, const char *no, const char *remedy)
{
	printf("%-4s %-50s %s\n", good ? "yes" : "no", what, good ? yes : no);
	if (!good && remedy)
		printf("     remedy: %s\n", remedy);
}

const char *doctor_text(char *out, size_t out_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(out, out_size, fmt, args);
	va_end(args);
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	return out;
}

void doctor_host(const char *whose, const struct host_facts *f, const char *remedy)
{
	const struct {
		bool good;
		const char *what, *yes, *no;
	} facts[] = {
		{ f->user_keeps_nt, "RFLAGS.NT survives an entry at CPL 3", "programs set NT",
		  "programs do not set NT; a lost NT cannot be seen here" },
		{ f->iret_checks_rip, "IRET looks at RIP", "to a RIP that is not canonical it faults in the kernel, as the manual says",
		  "the user's first fetch faults in its place; the kernel's fixup for that cannot be seen here" },
		{ !f->absent_ss_is_np, "IRET to an absent stack segment", "#SS, as the manual says", "#NP; the bench expects that here" },
		{ f->gate_keeps_ac, "gates keep RFLAGS.AC", "as the manual says",
		  "AC reads 0 in handlers; a handler that forgets it cannot be seen here" },
		{ f->faults_set_rf, "faults save RFLAGS.RF as 1", "as the manual says", "they save it as it was; the bench expects that here" },
		{ f->watchpoints_fire, "data watchpoints fire at CPL 3", "a #DB can come by itself",
		  "#DB is injected, never caused: scenario watch is skipped" },
		{ f->breakpoints_fire, "instruction breakpoints fire at CPL 3", "user code can be stopped by the guest",
		  "scenario breakpoints is skipped" },
		{ f->kernel_int3, "INT3 at CPL 0 comes to its gate", "kernel code can have #BP", "scenario breakpoint-kernel is skipped" },
		{ f->compat, "32-bit code runs at CPL 3", "and its INT 0x80 comes to its gate", "or its INT 0x80 goes astray: scenarios of 32-bit code are skipped" },
		{ f->fsgsbase_can_be_off, "CR4.FSGSBASE = 0 takes RD/WRGSBASE away", "user code gets #UD, as the manual says",
		  "user code never gets #UD for RD/WRGSBASE; the bench looks at CR4 itself" },
	};
	char what[80];

	for (unsigned n = 0; n < sizeof(facts) / sizeof(facts[0]); n++) {
		snprintf(what, sizeof(what), "%s%s%s", whose ? whose : "", whose ? ": " : "", facts[n].what);
		doctor_say(facts[n].good, what, facts[n].yes, facts[n].no, remedy);
	}
}
