/* SPDX-License-Identifier: MIT */
/* doctor_qemu.c: what this host's QEMU can and cannot do as an engine, what follows from it, and what helps. */
#include <stdio.h>

#include "vmm/doctor.h"
#include "vmm/facts_qemu.h"

#define OTHER_QEMU "QEMU 7.2 or newer, first in PATH (Debian: qemu-system-x86)"
#define OTHER_IMAGE "the image that belongs to this gsgate"

/* `done` of `all` boundaries; nothing was seen if there are none. */
static bool say_all(const struct qemu_facts *f, unsigned done, unsigned all, const char *what, const char *yes, const char *cost)
{
	char good[160], bad[1200];
	bool is_good = all && done == all && f->boundaries;

	doctor_say(is_good, what, doctor_text(good, sizeof(good), "at each of %u boundaries of a system call, %s", all, yes),
		   doctor_text(bad, sizeof(bad), "at %u of %u boundaries of a system call: %s%s%s", done, all, cost, *f->why ? ": " : "",
			       f->why), OTHER_QEMU);
	return is_good;
}

static bool say_boundaries(const struct qemu_facts *f)
{
	unsigned all = f->boundaries, events = f->injectable;

	return say_all(f, f->same, all, "QEMU: stops are exact", "breakpoints and single steps see the same state",
		       "results could not be trusted") &
	       say_all(f, f->loaded, all, "QEMU: states can be written", "another one is loaded and there, and then the old one again",
		       "a case would not begin where the one before has begun") &
	       say_all(f, f->came[EVENT_NMI], events, "QEMU: monitor command nmi", "the NMI comes at once", "event nmi cannot be injected") &
	       say_all(f, f->came[EVENT_MCE], events, "QEMU: monitor command mce", "the machine check comes at once",
		       "event mce cannot be injected") &
	       say_all(f, f->came[EVENT_DB], events, "QEMU: an exception in a written state", "a #DB comes at once",
		       "event db cannot be injected");
}

static bool say(const struct qemu_facts *f)
{
	char yes[160], no[1200];
	bool usable;

	doctor_say(f->answers, "QEMU", doctor_text(yes, sizeof(yes), "version %s; engine qemu runs on it without KVM (TCG)", f->version),
		   doctor_text(no, sizeof(no), "%s; engine qemu cannot run here", f->why), OTHER_QEMU);
	if (!f->answers)
		return false;
	doctor_say(f->boots, "QEMU boots this image", "from RAM and a first state that the bench has written",
		   doctor_text(no, sizeof(no), "%s; nothing can be injected in it there", f->why), OTHER_IMAGE " and " OTHER_QEMU);
	if (!f->boots)
		return false;
	usable = say_boundaries(f);
	doctor_host("QEMU: ", &f->host, NULL);
	if (f->steps_all > 0)
		printf("floor: %.0f steps/s with 1 job, %.0f steps/s with all, under QEMU\n", f->steps_one, f->steps_all);
	return usable;
}

bool doctor_qemu(const struct options *o)
{
	struct qemu_facts f;

	facts_qemu(o, ENGINE_QEMU, &f);
	return say(&f);
}
