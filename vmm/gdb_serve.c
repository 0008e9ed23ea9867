/* SPDX-License-Identifier: MIT */
/* gdb_serve.c: a socket for a person's gdb, and what passes between that and QEMU's stub, which can have one client only. */
#define _GNU_SOURCE
#include "vmm/gdb_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/die.h"

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener;

static void take_away(void)
{
	unlink(address.sun_path);
}

/* The QEMUs end with the process: see child_spawn(). */
static void on_signal(int number)
{
	unlink(address.sun_path);
	_exit(128 + number);
}

static void heed(int number)
{
	if (signal(number, on_signal) == SIG_IGN)
		signal(number, SIG_IGN);
}

/* A colon is no trouble for the socket, but gdb takes it for a TCP port. */
static void check_path(const char *path)
{
	struct stat old;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		die(EXIT_USAGE, "--gdb: the path of a socket has 1 to %zu bytes, this one %zu", sizeof(address.sun_path) - 1, strlen(path));
	if (strchr(path, ':'))
		die(EXIT_USAGE, "--gdb: %s: gdb takes what is behind a colon for a port", path);
	if (!lstat(path, &old))
		die(EXIT_USAGE, "--gdb: %s exists already", path);
}

/* Nobody else is to connect: whoever does can run anything in the guest. */
void gdb_serve_listen(const char *path)
{
	mode_t mask;

	check_path(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		die_errno(EXIT_HOST, "a socket");
	strcpy(address.sun_path, path);
	mask = umask(077);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)))
		die_errno(EXIT_USAGE, "--gdb: %s", path);
	umask(mask);
	atexit(take_away);
	heed(SIGINT);
	heed(SIGTERM);
	heed(SIGHUP);
	if (listen(listener, 1))
		die_errno(EXIT_HOST, "--gdb: %s", path);
}

static bool pass(int from, int to)
{
	char bytes[4096];
	ssize_t n = recv(from, bytes, sizeof(bytes), 0);

	for (ssize_t at = 0, sent; at < n; at += sent) {
		sent = send(to, bytes + at, n - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return true;            /* that one is gone, which is seen when it is read from */
	}
	return n > 0;
}

/* Until something can be read from one of the two, or it is gone. */
static void wait_for(int gdb, int stub, struct pollfd fd[2])
{
	fd[0] = (struct pollfd){ .fd = gdb, .events = POLLIN };
	fd[1] = (struct pollfd){ .fd = stub, .events = POLLIN };
	while (poll(fd, 2, -1) < 0)
		if (errno != EINTR)
			die_errno(EXIT_HOST, "poll");
}

bool gdb_serve(int stub)
{
	struct pollfd fd[2];
	int gdb;

	wait_for(listener, stub, fd);
	if (fd[1].revents)
		return false;                   /* it has nothing to say of its own accord */
	gdb = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (gdb < 0)
		die_errno(EXIT_HOST, "accept");
	for (;;) {
		wait_for(gdb, stub, fd);
		if (fd[1].revents && !pass(stub, gdb))
			return false;
		if (fd[0].revents && !pass(gdb, stub))
			return true;
	}
}
