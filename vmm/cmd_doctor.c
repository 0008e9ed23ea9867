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
	char err[400];
	struct elf *elf = elf_open(path, err, sizeof(err));

	if (!elf)
		die(EXIT_USAGE, "%s", err);
	elf_close(elf);
}

/* All of them, or the one that was named; one that works is enough. */
int cmd_doctor(const struct options *o)
{
	bool usable = false;

	if (o->arg_count)
		die(EXIT_USAGE, "doctor takes no argument");
	check_image(o->kernel);
	for (unsigned n = 0; n < sizeof(engines) / sizeof(engines[0]); n++)
		if (o->engine == ENGINE_AUTO || o->engine == engines[n].engine)
			usable |= engines[n].measure(o);
	return usable ? EXIT_GOOD : EXIT_HOST;
}
