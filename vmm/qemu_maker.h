/* SPDX-License-Identifier: MIT */
/* qemu_maker.h: who makes QEMU machines: the bench itself, as child processes, or libvirt. What both do alike is the engine's. */
#ifndef VMM_QEMU_MAKER_H
#define VMM_QEMU_MAKER_H

#include <stdbool.h>
#include <stddef.h>

struct qemu_host;
struct qemu_vcpu;

struct qemu_maker {
	const char *name;               /* for messages */
	/* Can it work here at all? Exits with the contract's status and one line if not. */
	void (*check)(struct qemu_host *h);
	/* A machine that has executed nothing: fills in v->ram, v->state and v->socket. */
	bool (*start)(struct qemu_host *h, struct qemu_vcpu *v, char *err, size_t err_size);
	void (*stop)(struct qemu_vcpu *v);
	/* Why it does not answer; "" if nobody knows. */
	void (*describe)(struct qemu_vcpu *v, char *out, size_t out_size);
	bool (*nmi)(struct qemu_vcpu *v);
	bool (*monitor)(struct qemu_vcpu *v, const char *command);
};

extern const struct qemu_maker qemu_maker_child, qemu_maker_libvirt;

#endif
