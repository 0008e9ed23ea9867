/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c: gsgate doctor: what this host can and cannot do, measured, engine by engine. */
#include "vmm/bench.h"
#include "vmm/commands.h"
#include "vmm/die.h"
#include "vmm/doctor.h"

static const struct {
	enum engine_choice engine;
	bool (*measure)(const struct options *o);
} engines[] = {
	{ ENGINE_KVM, doctor_kvm },
	{ ENGINE_QEMU, doctor_qemu },
	{ ENGINE_LIBVIRT, doctor_libvirt },
};

/* One that is wrong is nobody's lack. */
static void check_image(const char *path)
{
<<<<<<< HEAD
	char err[400];
	struct elf *elf = elf_open(path, err, sizeof(err));

	if (!elf)
		die(EXIT_USAGE, "%s", err);
	elf_close(elf);
=======
	printf("%-4s %-37s %s\n", good ? "yes" : "no", what, good ? yes : no);
	if (!good && remedy)
		printf("     remedy: %s\n", remedy);
}

/* One line, whatever a program or a name from outside contains. */
static const char *text(char *out, size_t out_size, const char *fmt, ...)
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
	say(f->faults_set_rf, "faults save RFLAGS.RF = 1", "as the manual says",
	    "a fault saves RF as it was; the judge expects that here", OTHER_HOST);
	say(!f->absent_ss_is_np, "IRET to an absent stack segment is #SS", "as the manual says",
	    "it is #NP; the model of the user program expects that here", OTHER_HOST);
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

static void say_debug(const struct host_facts *f, const struct more_facts *m)
{
	say(m->kernel_watch, "data watchpoints fire at CPL 0", "a #DB can come by itself; DR0 watches a word that nothing touches",
	    "#DB is injected, never caused", OTHER_HOST);
	say(f->watchpoints_fire, "data watchpoints fire at CPL 3", "a #DB can come by itself",
	    "#DB is injected, never caused: scenario watch is skipped", OTHER_HOST "; or `--engine qemu`");
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

/* `done` of all boundaries; nothing was seen if there are none. */
static void say_qemu_all(const struct qemu_facts *f, unsigned done, const char *what, const char *yes, const char *cost)
{
	char good[160], bad[1000];
	unsigned all = f->boundaries;

	say(all && done == all, what, text(good, sizeof(good), "at each of %u boundaries of a system call, %s", all, yes),
	    text(bad, sizeof(bad), "at %u of %u boundaries of a system call: %s%s%s", done, all, cost, *f->why ? ": " : "", f->why),
	    OTHER_QEMU);
}

static void say_qemu_event(const struct qemu_facts *f, const struct qemu_event *e, const char *what, const char *yes,
			   const char *cost)
{
	if (e->stuck && !*f->why)
		say(false, what, "", "it comes, but this image does not get back to the boundary as it was: no more was tried",
		    OTHER_IMAGE "; `gsgate run` says what is wrong with this one");
	else
		say_qemu_all(f, e->came, what, yes, cost);
}

static void say_qemu(const struct qemu_facts *f)
{
	char yes[160], no[1000];

	say(f->answer == QEMU_ANSWERS, "QEMU",
	    text(yes, sizeof(yes), "version %s; measured without KVM (TCG), which an engine of its own can be built on", f->version),
	    text(no, sizeof(no), "%s; the image cannot be tried without KVM here",
		 f->answer == QEMU_ABSENT ? "no qemu-system-x86_64 in PATH" : f->why), OTHER_QEMU);
	if (f->answer != QEMU_ANSWERS)
		return;
	say(f->boots, "QEMU boots this image", "by its PVH note; the bench writes into its RAM before the first instruction",
	    text(no, sizeof(no), "%s; nothing can be injected in it there", f->why), OTHER_IMAGE " and " OTHER_QEMU);
	if (!f->boots)
		return;
	say(f->state, "QEMU tells the state", "A, I, CR4 and EFER in one answer of its gdb stub",
	    "A, I, CR4 or EFER is not what it must be: nothing could be judged there", OTHER_QEMU);
	say_qemu_all(f, f->same, "QEMU: stops are exact", "breakpoints and single steps see the same state",
		     "results could not be trusted");
	say_qemu_event(f, &f->nmi, "QEMU: monitor command nmi", "the NMI comes at once and returns",
		       "event nmi could not be injected");
	say_qemu_event(f, &f->mce, "QEMU: monitor command mce", "the machine check comes at once and returns",
		       "event mce could not be injected");
	say(f->trap, "QEMU: #DB by RFLAGS.TF", "set by the gdb stub, it comes at the next boundary",
	    "event db could not be raised", OTHER_QEMU);
>>>>>>> 2223749319e104c542c87e634df336cf579ab2c9
}

/* All of them, or the one that was named; one that works is enough. */
int cmd_doctor(const struct options *o)
{
	bool usable = false;

	if (o->arg_count)
		die(EXIT_USAGE, "doctor takes no argument");
<<<<<<< HEAD
	check_image(o->kernel);
	for (unsigned n = 0; n < sizeof(engines) / sizeof(engines[0]); n++)
		if (o->engine == ENGINE_AUTO || o->engine == engines[n].engine)
			usable |= engines[n].measure(o);
=======
	bench_open(&b, o);
	facts_image(&b, &m);
	facts_tiny(&b, &m);
	say_stops(&b.facts, &m);
	say_entries(&b.facts, &m);
	say_instructions(&b.facts, &m);
	say_debug(&b.facts, &m);
	say_events(&m);
	facts_qemu(b.elf, &q);
	say_qemu(&q);
	printf("floor: %.0f exits/s with 1 job", floor_exits_per_second(&b, 1, FLOOR_SECONDS));
	printf(", %.0f exits/s with %u\n", floor_exits_per_second(&b, o->jobs, FLOOR_SECONDS), o->jobs);
	usable = b.facts.user_hlt_faults && m.boundaries && m.same == m.boundaries && m.dirty_log;
	bench_close(&b);
>>>>>>> 2223749319e104c542c87e634df336cf579ab2c9
	return usable ? EXIT_GOOD : EXIT_HOST;
}
