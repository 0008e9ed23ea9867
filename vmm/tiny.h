/* SPDX-License-Identifier: MIT */
/* tiny.h: a guest of a few instructions, for measuring the host: no image, no descriptor tables. */
#ifndef VMM_TINY_H
#define VMM_TINY_H

#include "vmm/machine.h"

/* A machine about to execute code at CPL 0 in 64-bit mode, identity mapped. */
void tiny_create(struct machine *m, struct kvm_host *host, const uint8_t *code, size_t size);

/* Does this host execute RDGSBASE and WRGSBASE at CPL 0? CPUID must already offer FSGSBASE to guests. */
bool tiny_has_fsgsbase(struct kvm_host *host);

/* Empty exits a second, all of `jobs` threads at once, each with a machine of its own: the floor. */
double tiny_exits_per_second(struct kvm_host *host, unsigned jobs, double seconds);

#endif
