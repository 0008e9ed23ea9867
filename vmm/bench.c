/* SPDX-License-Identifier: MIT */
/* bench.c: opening what all sessions share: the host, measured with our own guest, and the kernel image. */
#include "vmm/bench.h"

#include "vmm/die.h"
#include "vmm/facts.h"

#define KVM_DEVICE "/dev/kvm"

void bench_open(struct bench *b, const char *kernel, double timeout)
{
	char err[400];

	b->elf = elf_open(kernel, err, sizeof(err));
	if (!b->elf)
		die(EXIT_USAGE, "%s", err);
	b->host.engine = &engine_kvm;
	b->host.timeout = timeout;
	kvm_host_open(&b->host.kvm, KVM_DEVICE);
	watchdog_start(timeout);
	facts_measure(b);
}

void bench_close(struct bench *b)
{
	watchdog_stop();
	kvm_host_close(&b->host.kvm);
	elf_close(b->elf);
}
