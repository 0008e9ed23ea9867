/* SPDX-License-Identifier: MIT */
/* doctor_kvm.c: what this host's KVM can and cannot do, what follows from it, and what helps. */
#include <stdio.h>
#include <string.h>

#include "vmm/bench.h"
#include "vmm/doctor.h"
#include "vmm/facts.h"
#include "vmm/floor.h"

#define FLOOR_SECONDS 0.2
#define OTHER_HOST "a host whose KVM uses VMX or SVM: there the processor itself does this"

static void say_stops(const struct host_facts *f, const struct more_facts *m)
{
	char yes[160], no[160];

	doctor_say(m->boundaries && m->same == m->boundaries, "stops at CPL 0 are exact",
		   doctor_text(yes, sizeof(yes), "%u boundaries of a system call: HLT bytes and breakpoints see the same state", m->boundaries),
		   doctor_text(no, sizeof(no), "HLT bytes and breakpoints agree at %u of %u boundaries: results cannot be trusted", m->same,
			       m->boundaries), OTHER_HOST);
	doctor_say(f->user_hlt_faults, "stops at CPL 3", "every user boundary can be injected", "user boundaries are not reached",
		   OTHER_HOST);
	doctor_say(m->steps && !m->steps_missed, "single steps at CPL 0 are exact", "not needed: the bench never steps",
		   doctor_text(no, sizeof(no), "%u of %u boundaries of a system call are not seen; the bench never steps", m->steps_missed,
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

	doctor_say(f->syscall_native, "SYSCALL without assistance", "left to the processor",
		   "the bench completes each SYSCALL from the guest's EFER, STAR, LSTAR and FMASK", NULL);
	if (f->compat)
		doctor_say(f->int_native, "INT n of user code without assistance", "left to the processor",
			   "the bench brings each INT n, and INT3 of 32-bit code, to the gate that the guest's IDT has for it", NULL);
	doctor_say(m->sysret_tf == TF_AT_TARGET, "SYSRET restores RFLAGS.TF", "the first #DB comes at its target", tf[m->sysret_tf],
		   OTHER_HOST);
}

static void say_instructions(const struct host_facts *f)
{
	doctor_say(f->fsgsbase, "RD/WRGSBASE in a guest", "every scheme runs", "only scheme swapgs runs; the others are skipped",
		   "a processor with FSGSBASE (cpuid 7 EBX bit 0); in a virtual machine, have it passed through");
	doctor_say(f->lsl_native, "LSL in a guest", "scheme lsl runs", f->lsl ? "scheme lsl runs: the bench executes it" :
		   "scheme lsl is skipped: nor does KVM say which instruction it cannot execute", OTHER_HOST);
}

static void say_debug(const struct more_facts *m)
{
	doctor_say(m->kernel_watch, "data watchpoints fire at CPL 0", "a #DB can come by itself; DR0 watches a word that nothing touches",
		   "#DB is injected, never caused", OTHER_HOST);
}

static void say_events(const struct more_facts *m)
{
	char yes[160];

	doctor_say(m->machine_check, "machine checks", "event mce runs", "mce is not delivered: its cases break delivery", OTHER_HOST);
	doctor_say(m->interrupt, "interrupts without an irqchip", "KVM_INTERRUPT arrives at its gate",
		   "interrupts cannot be injected here", OTHER_HOST);
	doctor_say(m->interrupt_ready, "KVM tells when RFLAGS.IF is open", "interrupts are injected when it says so",
		   "the bench must look at RFLAGS.IF itself", NULL);
	doctor_say(m->dirty_log, "dirty page log",
		   doctor_text(yes, sizeof(yes), "a case compares the pages in it (one store: %u more than were written)", m->dirty_extra),
		   "written pages are missing from it: memory cannot be judged here", OTHER_HOST);
}

/* The reason ends with a remedy of its own. */
static bool is_there(void)
{
	struct kvm_host kvm = { 0 };
	char why[400], *remedy;
	bool there = kvm_host_try(&kvm, KVM_DEVICE, why, sizeof(why));

	if (there) {
		doctor_say(true, "KVM", "engine kvm runs without any other program", "", NULL);
		kvm_host_close(&kvm);
		return true;
	}
	remedy = strstr(why, "; ");
	if (remedy)
		*remedy = '\0';
	doctor_say(false, "KVM", "", why, remedy ? remedy + 2 : "a host with KVM");
	return false;
}

bool doctor_kvm(const struct options *o)
{
	struct options options = *o;
	struct more_facts m = { 0 };
	struct bench b = { 0 };
	bool usable;

	if (!is_there())
		return false;
	options.engine = ENGINE_KVM;
	bench_open(&b, &options);
	facts_image(&b, &m);
	facts_tiny(&b, &m);
	say_stops(&b.facts, &m);
	say_entries(&b.facts, &m);
	say_instructions(&b.facts);
	doctor_host(NULL, &b.facts, OTHER_HOST);
	say_debug(&m);
	say_events(&m);
	printf("floor: %.0f exits/s with 1 job", floor_exits_per_second(&b, 1, FLOOR_SECONDS));
	printf(", %.0f exits/s with %u\n", floor_exits_per_second(&b, o->jobs, FLOOR_SECONDS), o->jobs);
	usable = b.facts.user_hlt_faults && m.boundaries && m.same == m.boundaries && m.dirty_log;
	bench_close(&b);
	return usable;
}
