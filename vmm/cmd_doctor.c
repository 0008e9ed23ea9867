/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c: gsgate doctor: what this host can and cannot do, measured: what follows from it, and what helps. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/bench.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/facts.h"
#include "vmm/tiny.h"

#define FLOOR_SECONDS 1.0
#define OTHER_HOST "a host whose KVM uses VMX or SVM: there the processor itself does this"

/* One fact: a line, and if the answer is no and something helps, a second one. */
static void say(bool good, const char *what, const char *yes, const char *no, const char *remedy)
{
	printf("%-4s %-37s %s\n", good ? "yes" : "no", what, good ? yes : no);
	if (!good && remedy)
		printf("     remedy: %s\n", remedy);
}

static const char *text(char *out, size_t out_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(out, out_size, fmt, args);
	va_end(args);
	return out;
}

static void say_stops(const struct host_facts *f, const struct more_facts *m)
{
	char yes[160], no[160];

	say(m->boundaries && m->same == m->boundaries, "stops at CPL 0 are exact",
	    text(yes, sizeof(yes), "%u boundaries of a system call: HLT bytes and breakpoints see the same state", m->boundaries),
	    text(no, sizeof(no), "HLT bytes and breakpoints agree at %u of %u boundaries: results cannot be trusted", m->same,
		 m->boundaries), OTHER_HOST);
	say(f->user_hlt_faults, "stops at CPL 3", "every user boundary can be injected", "user boundaries are not reached",
	    OTHER_HOST);
	say(m->steps && !m->steps_missed, "single steps at CPL 0 are exact", "not needed: the bench never steps",
	    text(no, sizeof(no), "%u of %u boundaries of a system call are not seen; the bench never steps", m->steps_missed,
		 m->steps), NULL);
}

static void say_entries(const struct host_facts *f, const struct more_facts *m)
{
	static const char *const tf[] = {
		[TF_NEVER] = "no #DB comes: user code cannot be stepped across a system call here",
		[TF_ONE_LATE] = "the first #DB comes one instruction late: a step across SYSRET cannot be judged here",
		[TF_ELSEWHERE] = "the first #DB comes at a wrong place: a step across SYSRET cannot be judged here",
		[TF_AT_TARGET] = "",
	};

	say(f->syscall_native, "SYSCALL without assistance", "left to the processor",
	    "the bench completes each SYSCALL from the guest's EFER, STAR, LSTAR and FMASK", NULL);
	say(m->sysret_tf == TF_AT_TARGET, "SYSRET restores RFLAGS.TF", "the first #DB comes at its target", tf[m->sysret_tf],
	    OTHER_HOST);
	say(f->user_keeps_nt, "RFLAGS.NT survives an entry at CPL 3", "programs set NT",
	    "programs do not set NT; a lost NT cannot be seen here", OTHER_HOST);
	say(f->iret_checks_rip, "IRET looks at RIP", "to a RIP that is not canonical it faults in the kernel, as the manual says",
	    "the user's first fetch faults in its place; the kernel's fixup for that cannot be seen here", OTHER_HOST);
	say(f->gate_keeps_ac, "gates keep RFLAGS.AC", "as the manual says",
	    "AC reads 0 in handlers; a handler that forgets it cannot be seen here", OTHER_HOST);
}

static void say_instructions(const struct host_facts *f, const struct more_facts *m)
{
	say(f->fsgsbase, "RD/WRGSBASE in a guest", "every scheme runs", "only scheme swapgs runs; the others are skipped",
	    "a processor with FSGSBASE (cpuid 7 EBX bit 0); in a virtual machine, have it passed through");
	say(f->fsgsbase_can_be_off, "CR4.FSGSBASE = 0 takes it away", "user code gets #UD, as the manual says",
	    "user code never gets #UD for RD/WRGSBASE; the bench looks at CR4 itself", OTHER_HOST);
	say(m->lsl, "LSL in a guest", "a kernel may find its CPU number by it",
	    "a kernel that finds its CPU number by LSL dies here", OTHER_HOST);
}

static void say_debug(const struct more_facts *m)
{
	say(m->kernel_watch, "data watchpoints fire at CPL 0", "a #DB can come by itself; DR0 watches a word that nothing touches",
	    "#DB is injected, never caused", OTHER_HOST);
	say(m->user_watch, "data watchpoints fire at CPL 3", "a #DB can come by itself", "#DB is injected, never caused",
	    OTHER_HOST);
}

static void say_events(const struct more_facts *m)
{
	char yes[160];

	say(m->machine_check, "machine checks", "event mce runs", "mce is not delivered: its cases break delivery", OTHER_HOST);
	say(m->interrupt, "interrupts without an irqchip", "KVM_INTERRUPT arrives at its gate",
	    "interrupts cannot be injected here", OTHER_HOST);
	say(m->interrupt_ready, "KVM tells when RFLAGS.IF is open", "interrupts are injected when it says so",
	    "the bench must look at RFLAGS.IF itself", NULL);
	say(m->dirty_log, "dirty page log",
	    text(yes, sizeof(yes), "a case compares the pages in it (one store: %u more than were written)", m->dirty_extra),
	    "written pages are missing from it: memory cannot be judged here", OTHER_HOST);
}

int cmd_doctor(const struct options *o)
{
	struct bench b = { .seed = o->seed };
	struct more_facts m = { 0 };
	bool usable;

	if (o->arg_count)
		die(EXIT_USAGE, "doctor takes no argument");
	bench_open(&b, o->kernel, o->timeout);
	facts_image(&b, &m);
	facts_tiny(&b, &m);
	say_stops(&b.facts, &m);
	say_entries(&b.facts, &m);
	say_instructions(&b.facts, &m);
	say_debug(&m);
	say_events(&m);
	printf("floor: %.0f exits/s with 1 job", tiny_exits_per_second(&b.host, 1, FLOOR_SECONDS));
	printf(", %.0f exits/s with %u\n", tiny_exits_per_second(&b.host, o->jobs, FLOOR_SECONDS), o->jobs);
	usable = b.facts.user_hlt_faults && m.boundaries && m.same == m.boundaries && m.dirty_log;
	bench_close(&b);
	return usable ? EXIT_GOOD : EXIT_HOST;
}
