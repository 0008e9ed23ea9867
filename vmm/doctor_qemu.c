/* SPDX-License-Identifier: MIT */
/* doctor_qemu.c: what this host's QEMU, by itself or by libvirt, can and cannot do as an engine, what follows from it, and what helps. */
#include <stdio.h>

#include "vmm/doctor.h"
#include "vmm/facts_qemu.h"

#define OTHER_IMAGE "the image that belongs to this gsgate"

struct words {
	const char *name, *engine, *remedy;
};

static const struct words by_itself = { "QEMU", "qemu", "QEMU 7.2 or newer, first in PATH (Debian: qemu-system-x86)" };
static const struct words by_libvirt = {
	"libvirt", "libvirt", "libvirt with a QEMU of 7.2 or newer (Debian: libvirt-daemon-driver-qemu, qemu-system-x86; libvirt-dev to build)"
};

/* `done` of `all` boundaries; nothing was seen if there are none. */
static bool say_all(const struct qemu_facts *f, const struct words *w, unsigned done, unsigned all, const char *what, const char *yes,
		    const char *cost)
{
	bool is_good = all && done == all && f->boundaries;
	char name[80], good[160], bad[1200];

	doctor_say(is_good, doctor_text(name, sizeof(name), "%s: %s", w->name, what),
		   doctor_text(good, sizeof(good), "at each of %u boundaries of a system call, %s", all, yes),
		   doctor_text(bad, sizeof(bad), "at %u of %u boundaries of a system call: %s%s%s", done, all, cost, *f->why ? ": " : "",
			       f->why), w->remedy);
	return is_good;
}

static bool say_boundaries(const struct qemu_facts *f, const struct words *w)
{
	unsigned all = f->boundaries, events = f->injectable;

	return say_all(f, w, f->same, all, "stops are exact", "breakpoints and single steps see the same state",
		       "results could not be trusted") &
	       say_all(f, w, f->loaded, all, "states can be written", "another one is loaded and there, and then the old one again",
		       "a case would not begin where the one before has begun") &
	       say_all(f, w, f->came[EVENT_NMI], events, "NMIs from outside", "it comes at once", "event nmi cannot be injected") &
	       say_all(f, w, f->came[EVENT_MCE], events, "machine checks from outside", "it comes at once", "event mce cannot be injected") &
	       say_all(f, w, f->came[EVENT_DB], events, "exceptions in a written state", "a #DB comes at once",
		       "event db cannot be injected");
}

static bool say(const struct qemu_facts *f, const struct words *w)
{
	char name[80], yes[160], no[1200];
	bool usable;

	doctor_say(f->answers, w->name, doctor_text(yes, sizeof(yes), "%s%s%sengine %s runs without KVM (TCG)", *f->version ? "version " : "",
		   f->version, *f->version ? "; " : "", w->engine),
		   doctor_text(no, sizeof(no), "%s; engine %s cannot run here", f->why, w->engine), w->remedy);
	if (!f->answers)
		return false;
	doctor_say(f->boots, doctor_text(name, sizeof(name), "%s boots this image", w->name), "from RAM and a first state that the bench has written",
		   doctor_text(no, sizeof(no), "%s; nothing can be injected in it there", f->why), OTHER_IMAGE);
	if (!f->boots)
		return false;
	usable = say_boundaries(f, w);
	doctor_host(w->name, &f->host, NULL);
	if (f->steps_all > 0)
		printf("floor: %.0f steps/s with 1 job, %.0f steps/s with all, under %s\n", f->steps_one, f->steps_all, w->name);
	return usable;
}

bool doctor_qemu(const struct options *o)
{
	struct qemu_facts f;

	facts_qemu(o, ENGINE_QEMU, &f);
	return say(&f, &by_itself);
}

bool doctor_libvirt(const struct options *o)
{
	struct qemu_facts f;

	facts_qemu(o, ENGINE_LIBVIRT, &f);
	return say(&f, &by_libvirt);
}
