/* SPDX-License-Identifier: MIT */
/* qemu_pool.c: QEMUs that are ready: starting one takes as long as a hundred cases, so a machine that is not needed any more waits for
 * the next guest. */
#include "vmm/qemu_pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

#define FIRST_SECONDS 10.0               /* for the first answers of a new one ... */
#define ANSWER_SECONDS 20.0              /* ... and later: a busy machine is not a QEMU that hangs */

static void end(struct qemu_vcpu *v)
{
	v->maker->stop(v);
	free(v);
}

static bool ready(struct qemu_vcpu *v, char *err, size_t err_size)
{
	struct gdb *g = &v->gdb;
	char why[300];

	if (gdb_open(g, v->socket, FIRST_SECONDS) && gdb_queue(g, "Qqemu.sstep=1") && gdb_flush(g) &&
	    qemu_state_open(g, err, err_size) && qemu_state_save(g, v->state, &v->saved, true, err, err_size)) {
		g->limit = ANSWER_SECONDS;
		qemu_state_nmi_input(&v->saved);
		qemu_state_read(&v->saved, &v->blank);
		return true;
	}
	if (g->trouble[0]) {
		v->maker->describe(v, why, sizeof(why));
		snprintf(err, err_size, "%s: %s%s%s", v->maker->name, g->trouble, *why ? ": " : "", why);
	}
	return false;
}

static struct qemu_vcpu *start_one(struct qemu_host *h)
{
	struct qemu_vcpu *v = xcalloc(1, sizeof(*v));
	char err[600];

	v->maker = h->maker;
	if (!h->maker->start(h, v, err, sizeof(err)) || !ready(v, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	return v;
}

static void add_idle(struct qemu_host *h, struct qemu_vcpu *v)
{
	v->next = h->idle;
	h->idle = v;
	pthread_cond_broadcast(&h->changed);
}

static void *start_asked(void *context)
{
	struct qemu_host *h = context;
	struct qemu_vcpu *v;

	pthread_mutex_lock(&h->lock);
	while (!h->closing) {
		if (!h->asked) {
			pthread_cond_wait(&h->changed, &h->lock);
			continue;
		}
		h->asked--;
		pthread_mutex_unlock(&h->lock);
		v = start_one(h);
		pthread_mutex_lock(&h->lock);
		h->coming--;
		add_idle(h, v);
	}
	while ((v = h->idle)) {
		h->idle = v->next;
		end(v);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* The thread takes no signal. */
static void run_starter(struct qemu_host *h)
{
	sigset_t all, old;

	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&h->starter, NULL, start_asked, h))
		die(EXIT_HOST, "cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void qemu_host_open(struct qemu_host *h, const struct qemu_maker *maker, const char *uri)
{
	h->maker = maker;
	h->uri = uri;
	maker->check(h);
	run_starter(h);
}

void qemu_host_close(struct qemu_host *h)
{
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->starter, NULL);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
}

struct qemu_vcpu *qemu_pool_take(struct qemu_host *h)
{
	struct qemu_vcpu *v;

	pthread_mutex_lock(&h->lock);
	h->waiting++;
	while (!h->idle) {
		if (h->coming < h->waiting) {
			h->coming++;
			h->asked++;
			pthread_cond_broadcast(&h->changed);
		}
		pthread_cond_wait(&h->changed, &h->lock);
	}
	h->waiting--;
	v = h->idle;
	h->idle = v->next;
	pthread_mutex_unlock(&h->lock);
	return v;
}

void qemu_pool_give(struct qemu_host *h, struct qemu_vcpu *v)
{
	pthread_mutex_lock(&h->lock);
	add_idle(h, v);
	pthread_mutex_unlock(&h->lock);
}
