/* SPDX-License-Identifier: MIT */
/* bench.c: opening what all sessions share: the host, measured with our own guest, and the kernel image. */
#include "vmm/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmm/die.h"
#include "vmm/facts.h"
#include "vmm/qemu_pool.h"

#define QEMU_SECONDS 300.0              /* for a run, if no other limit is given */

static bool open_kvm(struct bench *b, char *err, size_t err_size)
{
	b->host.engine = &engine_kvm;
	return kvm_host_try(&b->host.kvm, KVM_DEVICE, err, err_size);
}

static void open_qemu(struct bench *b, const struct engine *engine, const struct options *o)
{
	b->host.engine = engine;
	b->default_time = QEMU_SECONDS;
	b->host.qemu = xcalloc(1, sizeof(*b->host.qemu));
	qemu_host_open(b->host.qemu, engine == &engine_libvirt ? &qemu_maker_libvirt : &qemu_maker_child, o->connect);
}

/* KVM, or QEMU without it. */
static void open_any(struct bench *b, const struct options *o)
{
	char err[400];

	if (open_kvm(b, err, sizeof(err)))
		return;
	warn("%s; engine qemu takes its place", err);
	b->engine_fallback = true;
	open_qemu(b, &engine_qemu, o);
}

static void open_engine(struct bench *b, const struct options *o)
{
	char err[400];

	switch (o->engine) {
	case ENGINE_AUTO:
		open_any(b, o);
		break;
	case ENGINE_KVM:
		if (!open_kvm(b, err, sizeof(err)))
			die(EXIT_HOST, "%s", err);
		break;
	case ENGINE_QEMU:
		open_qemu(b, &engine_qemu, o);
		break;
	case ENGINE_LIBVIRT:
		open_qemu(b, &engine_libvirt, o);
		break;
	}
}

/* The engine that was asked for by name: one that takes another's place does so again. */
static void keep_options(struct bench *b, const struct options *o)
{
	const char *engine = o->engine == ENGINE_AUTO ? NULL : b->host.engine->name;
	const struct { const char *option, *value; } needed[] = {
		{ "--engine", engine }, { "--connect", o->connect }, { "--kernel", o->kernel_named ? o->kernel : NULL },
	};
	size_t used = 0, room = sizeof(b->replay_option);

	for (unsigned n = 0; n < sizeof(needed) / sizeof(needed[0]) && used < room; n++)
		if (needed[n].value)
			used += snprintf(b->replay_option + used, room - used, "%s%s %s", used ? " " : "", needed[n].option, needed[n].value);
}

void bench_start(struct bench *b, const struct options *o)
{
	char err[400];

	b->seed = o->seed;
	b->elf = elf_open(o->kernel, err, sizeof(err));
	if (!b->elf)
		die(EXIT_USAGE, "%s", err);
	b->host.timeout = o->timeout;
	open_engine(b, o);
	keep_options(b, o);
	watchdog_start(o->timeout);
}

void bench_open(struct bench *b, const struct options *o)
{
	bench_start(b, o);
	facts_measure(b);
}

void bench_close(struct bench *b)
{
	watchdog_stop();
	if (b->host.qemu)
		qemu_host_close(b->host.qemu);
	else
		kvm_host_close(&b->host.kvm);
	free(b->host.qemu);
	elf_close(b->elf);
}
