/* SPDX-License-Identifier: MIT */
/* libvirt.c: machines by way of libvirt, as the bench sees them. */
#include "vmm/libvirt.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/abi.h"
#include "vmm/clock.h"
#include "vmm/libvirt_carrier.h"
#include "vmm/libvirt_talk.h"

#define START_SECONDS 120.0             /* the embedded driver first asks QEMU for all that it can do */
#define ANSWER_SECONDS 30.0             /* libvirt itself gives QEMU 15 to end */

/* One for all machines of this process. */
static struct {
	pthread_mutex_t lock;
	pid_t pid;
	int control;
	char uri[1000];
} carrier = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* It removes what is left. */
static void end_carrier(void)
{
	double until = clock_now() + ANSWER_SECONDS;
	struct timespec tick = { .tv_nsec = 2000000 };

	close(carrier.control);
	while (waitpid(carrier.pid, NULL, WNOHANG) == 0 && clock_now() < until)
		nanosleep(&tick, NULL);
}

static bool start_carrier(const char *uri)
{
	int pair[2];

	if (!talk_pair(pair))
		return false;
	snprintf(carrier.uri, sizeof(carrier.uri), "%s", uri);
	carrier.pid = fork();
	if (carrier.pid == 0)
		carrier_run(pair[1], carrier.uri);
	close(pair[1]);
	carrier.control = pair[0];
	if (carrier.pid < 0) {
		close(pair[0]);
		carrier.pid = 0;
		return false;
	}
	atexit(end_carrier);
	return true;
}

__attribute__((format(printf, 2, 0)))
static bool refuse(struct libvirt *l, const char *fmt, const char *what)
{
	snprintf(l->trouble, sizeof(l->trouble), fmt, what);
	return false;
}

/* Hands the carrier one end of a new socket. */
static bool hand_over(struct libvirt *l, const char *uri)
{
	struct talk *t = xcalloc(1, sizeof(*t));
	int pair[2] = { -1, -1 };
	bool good;

	pthread_mutex_lock(&carrier.lock);
	good = (carrier.pid || start_carrier(uri)) && !strcmp(uri, carrier.uri) && talk_pair(pair);
	if (good) {
		t->word = TALK_START;
		t->fds = 1;
		t->fd[0] = pair[1];
		good = talk_send(carrier.control, t);
		close(pair[1]);
	}
	pthread_mutex_unlock(&carrier.lock);
	free(t);
	l->carrier = pair[0];
	return good || refuse(l, "libvirt: %s", carrier.pid ? "its process is gone, or has another URI" : strerror(errno));
}

/* The answer, in *t. */
static bool hear(struct libvirt *l, struct talk *t, double seconds)
{
	if (!talk_hear(l->carrier, t, seconds))
		return refuse(l, "libvirt: %s", errno ? strerror(errno) : "its process is gone");
	return t->word == TALK_GOOD || refuse(l, "%.399s", t->text);
}

static bool ask(struct libvirt *l, enum talk_word word, const char *text, char *out, size_t out_size)
{
	struct talk *t = xcalloc(1, sizeof(*t));
	bool good = talk_say(l->carrier, word, text) ? hear(l, t, ANSWER_SECONDS) : refuse(l, "libvirt: %s", "its process is gone");

	if (good && out)
		snprintf(out, out_size, "%s", t->text);
	free(t);
	return good;
}

bool libvirt_start(struct libvirt *l, const char *uri, char *err, size_t err_size)
{
	struct talk *t = xcalloc(1, sizeof(*t));
	bool good;

	memset(l, 0, sizeof(*l));
	l->carrier = l->gdb = l->state = -1;
	good = libvirt_uri(uri, l->trouble, sizeof(l->trouble)) == EXIT_GOOD && hand_over(l, uri ? uri : "qemu:///embed") &&
	       hear(l, t, START_SECONDS);
	if (good && t->fds == TALK_FDS) {
		l->gdb = t->fd[TALK_GDB];
		l->state = t->fd[TALK_STATE];
		mem_init_file(&l->ram, t->fd[TALK_RAM], ABI_RAM_SIZE);
		close(t->fd[TALK_RAM]);
	} else {
		snprintf(err, err_size, "%s", l->trouble);
		if (l->carrier >= 0)
			close(l->carrier);
	}
	free(t);
	return good;
}

void libvirt_stop(struct libvirt *l)
{
	close(l->gdb);
	ask(l, TALK_STOP, "", NULL, 0);
	close(l->carrier);
	close(l->state);
	mem_free(&l->ram);
}

bool libvirt_nmi(struct libvirt *l)
{
	return ask(l, TALK_NMI, "", NULL, 0);
}

bool libvirt_monitor(struct libvirt *l, const char *command, char *out, size_t out_size)
{
	return ask(l, TALK_MONITOR, command, out, out_size);
}

void libvirt_describe(struct libvirt *l, char *out, size_t out_size)
{
	*out = '\0';
	if (!ask(l, TALK_DESCRIBE, "", out, out_size))
		snprintf(out, out_size, "%s", l->trouble);
}
