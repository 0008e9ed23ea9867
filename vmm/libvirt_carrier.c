/* SPDX-License-Identifier: MIT */
/* libvirt_carrier.c: the process that calls libvirt for the bench: when the bench ends, however it does, it is still there to
 * destroy the machines and remove the files. */
#define _GNU_SOURCE
#include "vmm/libvirt_carrier.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/libvirt_domain.h"
#include "vmm/libvirt_talk.h"

#define NOBODY 65534

struct carried {
	int socket;
	unsigned number;
	struct domain domain;
	struct carried *next;
};

static struct hypervisor hypervisor;
static char trouble[DOMAIN_LINE];       /* why there is no hypervisor; "" if there is one */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fewer = PTHREAD_COND_INITIALIZER;
static struct carried *all;

/* Out of the reach of what is meant for the bench: signals from the terminal, and to its process group. Whoever waits for the end of the
 * bench's output must not wait for this process. */
static int stand_apart(int control)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ };
	int null = open("/dev/null", O_RDWR);

	setsid();
	for (size_t n = 0; n < sizeof(ignored) / sizeof(ignored[0]); n++)
		signal(ignored[n], SIG_IGN);
	for (int fd = 0; fd < 3; fd++)
		if (fd != control)
			dup2(null, fd);
	if (dup2(control, 3) != 3 || fcntl(3, F_SETFD, FD_CLOEXEC))
		_exit(1);
	close_range(4, ~0u, 0);
	prctl(PR_SET_NAME, "gsgate-libvirt");
	return 3;
}

/* The embedded driver as root demands that a certain user exists, and this QEMU needs no rights at all. Root is kept for removing the
 * folder; what is executed from here on cannot take it back. */
static bool become_nobody(const struct folder *f)
{
	if (geteuid())
		return true;
	if (chown(f->path, NOBODY, NOBODY) || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, 0) || setresuid(NOBODY, NOBODY, 0))
		return false;
	prctl(PR_SET_DUMPABLE, 1);      /* its own /proc, which libvirt reads */
	return !access(f->path, R_OK | W_OK | X_OK);
}

static void become_again(void)
{
	if (seteuid(0) || setegid(0))
		return;                 /* it was not root */
}

static void open_hypervisor(const char *uri)
{
	struct folder *f = &hypervisor.folder;

	hypervisor.embedded = !uri || !strcmp(uri, "qemu:///embed");
	if (!folder_make(f, hypervisor.embedded ? DOMAIN_PATH_ROOM : sizeof("/gdb10000"), trouble, sizeof(trouble)))
		return;
	if (hypervisor.embedded && (setenv("HOME", f->path, 1) || !become_nobody(f))) {
		snprintf(trouble, sizeof(trouble), "libvirt: user %d, as whom QEMU runs if the bench is root, cannot use the folder %s: set TMPDIR",
			 NOBODY, f->path);
		return;
	}
	hypervisor_open(&hypervisor, uri, trouble);
}

static bool answer_start(struct carried *c)
{
	struct talk *t = calloc(1, sizeof(*t));
	bool good = false;
	char err[DOMAIN_LINE] = "out of memory";

	if (*trouble)
		snprintf(err, sizeof(err), "%s", trouble);
	else
		good = t && domain_create(&hypervisor, c->number, &c->domain, err);
	if (!good) {
		talk_say(c->socket, TALK_BAD, err);
	} else {
		t->word = TALK_GOOD;
		t->fds = TALK_FDS;
		t->fd[TALK_GDB] = c->domain.gdb;
		t->fd[TALK_RAM] = c->domain.ram;
		t->fd[TALK_STATE] = c->domain.state;
		good = talk_send(c->socket, t);
		/* Whoever waits for the stub's end waits for QEMU's. */
		close(c->domain.gdb);
		c->domain.gdb = -1;
	}
	free(t);
	return good;
}

static bool answer(struct carried *c, const struct talk *asked)
{
	char out[sizeof(asked->text)] = "", err[DOMAIN_LINE] = "it was not understood";
	bool good = true;

	if (asked->word == TALK_NMI)
		good = domain_nmi(&c->domain, err);
	else if (asked->word == TALK_MONITOR)
		good = domain_monitor(&c->domain, asked->text, out, sizeof(out), err);
	else if (asked->word == TALK_DESCRIBE)
		domain_describe(&hypervisor, &c->domain, out);
	else
		good = false;
	return talk_say(c->socket, good ? TALK_GOOD : TALK_BAD, good ? out : err);
}

/* Until the bench wants no more, or is gone. */
static void serve(struct carried *c)
{
	struct talk *t = calloc(1, sizeof(*t));

	while (t && talk_hear(c->socket, t, -1) && t->word != TALK_STOP && answer(c, t))
		;
	domain_destroy(&hypervisor, &c->domain);
	if (t && t->word == TALK_STOP)
		talk_say(c->socket, TALK_GOOD, "");
	free(t);
}

static void forget(struct carried *c)
{
	struct carried **at;

	pthread_mutex_lock(&lock);
	for (at = &all; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	close(c->socket);
	free(c);
	pthread_cond_signal(&fewer);
	pthread_mutex_unlock(&lock);
}

static void *carry(void *arg)
{
	struct carried *c = arg;

	if (answer_start(c))
		serve(c);
	else if (c->domain.domain)
		domain_destroy(&hypervisor, &c->domain);
	forget(c);
	return NULL;
}

static void take(int socket)
{
	static unsigned count;
	struct carried *c = calloc(1, sizeof(*c));
	pthread_t thread;

	if (!c) {
		close(socket);
		return;
	}
	c->socket = socket;
	c->number = ++count;
	pthread_mutex_lock(&lock);
	c->next = all;
	all = c;
	pthread_mutex_unlock(&lock);
	if (pthread_create(&thread, NULL, carry, c))
		forget(c);
	else
		pthread_detach(thread);
}

/* A thread of the bench may still hold the other end of a machine's socket. */
static void end_all(void)
{
	pthread_mutex_lock(&lock);
	for (struct carried *c = all; c; c = c->next)
		shutdown(c->socket, SHUT_RDWR);
	while (all)
		pthread_cond_wait(&fewer, &lock);
	pthread_mutex_unlock(&lock);
}

void carrier_run(int control, const char *uri)
{
	struct talk *t = calloc(1, sizeof(*t));

	control = stand_apart(control);
	open_hypervisor(uri);
	while (t && talk_hear(control, t, -1))
		if (t->word == TALK_START && t->fds == 1)
			take(t->fd[0]);
	end_all();
	hypervisor_close(&hypervisor);
	become_again();
	folder_remove(&hypervisor.folder);
	_exit(0);
}
