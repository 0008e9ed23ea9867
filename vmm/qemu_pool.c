/* SPDX-License-Identifier: MIT */
/* qemu_pool.c: QEMUs that are ready: starting one takes as long as a hundred cases, so a machine that is not needed any more waits for
 * the next guest. */
#include "vmm/qemu_pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "vmm/die.h"

#define ANSWER_SECONDS 10.0

void qemu_host_open(struct qemu_host *h)
{
	char err[400];

	pthread_mutex_init(&h->lock, NULL);
	if (!qemu_find(h->path, sizeof(h->path)))
		die(EXIT_HOST, "no %s in PATH; Debian's package is qemu-system-x86", QEMU_PROGRAM);
	if (!qemu_version(h->path, h->version, sizeof(h->version), err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
}

static void end(struct qemu_vcpu *v)
{
	qemu_stop(&v->process);
	free(v);
}

void qemu_host_close(struct qemu_host *h)
{
	while (h->idle) {
		struct qemu_vcpu *v = h->idle;

		h->idle = v->next;
		end(v);
	}
	pthread_mutex_destroy(&h->lock);
}

static bool ready(struct qemu_vcpu *v, char *err, size_t err_size)
{
	struct gdb *g = &v->gdb;
	char why[300];

	if (gdb_open(g, v->process.gdb, ANSWER_SECONDS) && gdb_queue(g, "Qqemu.sstep=1") && gdb_flush(g) &&
	    qemu_state_open(g, err, err_size) && qemu_state_save(g, v->process.state, &v->saved, true, err, err_size)) {
		qemu_state_nmi_input(&v->saved);
		qemu_state_read(&v->saved, &v->blank);
		return true;
	}
	if (g->trouble[0]) {
		qemu_describe(&v->process, why, sizeof(why));
		snprintf(err, err_size, "%s: %s%s%s", QEMU_PROGRAM, g->trouble, *why ? ": " : "", why);
	}
	return false;
}

static struct qemu_vcpu *start(struct qemu_host *h)
{
	struct qemu_vcpu *v = xcalloc(1, sizeof(*v));
	char err[600];

	if (!qemu_start_empty(&v->process, h->path, h->accel ? h->accel : "tcg", err, sizeof(err)) || !ready(v, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	return v;
}

/* A QEMU ends with the thread that has started it. */
static bool lives(const struct qemu_vcpu *v)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, v->process.pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

static struct qemu_vcpu *take_idle(struct qemu_host *h)
{
	struct qemu_vcpu *v;

	pthread_mutex_lock(&h->lock);
	v = h->idle;
	if (v)
		h->idle = v->next;
	pthread_mutex_unlock(&h->lock);
	return v;
}

struct qemu_vcpu *qemu_pool_take(struct qemu_host *h)
{
	struct qemu_vcpu *v;

	while ((v = take_idle(h))) {
		if (lives(v))
			return v;
		end(v);
	}
	return start(h);
}

void qemu_pool_give(struct qemu_host *h, struct qemu_vcpu *v)
{
	pthread_mutex_lock(&h->lock);
	v->next = h->idle;
	h->idle = v;
	pthread_mutex_unlock(&h->lock);
}
