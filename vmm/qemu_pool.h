/* SPDX-License-Identifier: MIT */
/* qemu_pool.h: QEMUs that are ready: starting one takes as long as a hundred cases, so a machine that is not needed any more waits for
 * the next guest. */
#ifndef VMM_QEMU_POOL_H
#define VMM_QEMU_POOL_H

#include <pthread.h>

#include "vmm/qemu_vcpu.h"

struct qemu_host {
	const struct qemu_maker *maker;
	char path[4096];                /* of the program, if the bench starts it itself */
	char version[32];
	const char *uri;                /* --connect, or NULL */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct qemu_vcpu *idle;
	pthread_t starter;              /* a QEMU ends with the thread that has started it: this one lives as long as the host */
	unsigned asked;                 /* machines that it is to start */
	unsigned coming;                /* those, and the one that it is starting */
	unsigned waiting;               /* who wants one: no more machines are started than that */
	bool closing;
};

/* Exits with the contract's status and one line if there is nothing to make machines with. */
void qemu_host_open(struct qemu_host *h, const struct qemu_maker *maker, const char *uri);
/* Ends all that are idle. */
void qemu_host_close(struct qemu_host *h);

/* One that stands before its first instruction, or wherever the last guest left it; exits if there is none to be had. */
struct qemu_vcpu *qemu_pool_take(struct qemu_host *h);
void qemu_pool_give(struct qemu_host *h, struct qemu_vcpu *v);

#endif
