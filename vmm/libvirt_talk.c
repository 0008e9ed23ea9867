/* SPDX-License-Identifier: MIT */
/* libvirt_talk.c: messages with open files over a socket. */
#include "vmm/libvirt_talk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vmm/clock.h"

union control {
	struct cmsghdr head;            /* for its alignment */
	char bytes[CMSG_SPACE(TALK_FDS * sizeof(int))];
};

bool talk_pair(int pair[2])
{
	return !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static void put_fds(struct msghdr *m, const struct talk *t)
{
	struct cmsghdr *c;

	m->msg_controllen = CMSG_SPACE(t->fds * sizeof(int));
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(t->fds * sizeof(int));
	memcpy(CMSG_DATA(c), t->fd, t->fds * sizeof(int));
}

bool talk_send(int socket, const struct talk *t)
{
	union control control = { 0 };
	struct iovec part[2] = {
		{ .iov_base = (void *)&t->word, .iov_len = sizeof(t->word) },
		{ .iov_base = (void *)t->text, .iov_len = strlen(t->text) },
	};
	struct msghdr m = { .msg_iov = part, .msg_iovlen = 2, .msg_control = t->fds ? &control : NULL };
	ssize_t n;

	if (t->fds)
		put_fds(&m, t);
	do
		n = sendmsg(socket, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

bool talk_say(int socket, enum talk_word word, const char *text)
{
	struct talk *t = calloc(1, sizeof(*t));
	bool good;

	if (!t)
		return false;
	t->word = word;
	snprintf(t->text, sizeof(t->text), "%s", text);
	good = talk_send(socket, t);
	free(t);
	return good;
}

/* Until there is something to read. */
static bool wait_for(int socket, double seconds)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	double until = clock_now() + seconds;
	int n;

	do {
		double left = until - clock_now();

		n = poll(&fd, 1, seconds < 0 ? -1 : left > 0 ? 1 + (int)(left * 1000) : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

static void take_fds(struct msghdr *m, struct talk *t)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	t->fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(t->fd, CMSG_DATA(c), t->fds * sizeof(int));
}

bool talk_hear(int socket, struct talk *t, double seconds)
{
	union control control = { 0 };
	struct iovec part[2] = {
		{ .iov_base = &t->word, .iov_len = sizeof(t->word) },
		{ .iov_base = t->text, .iov_len = sizeof(t->text) - 1 },
	};
	struct msghdr m = { .msg_iov = part, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	t->fds = 0;
	if (!wait_for(socket, seconds))
		return false;
	do
		n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n >= (ssize_t)sizeof(t->word)) {
		t->text[n - sizeof(t->word)] = '\0';
		take_fds(&m, t);
		return true;
	}
	errno = n < 0 && errno != ECONNRESET ? errno : 0;
	return false;
}
