/* SPDX-License-Identifier: MIT */
/* gdb_wire.c: packets to and from a gdb stub, in bounded time. */
#include "vmm/gdb_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "vmm/clock.h"

/* The first one stands. */
bool gdb_fail(struct gdb *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!g->trouble[0])
		vsnprintf(g->trouble, sizeof(g->trouble), fmt, ap);
	va_end(ap);
	return false;
}

bool gdb_send(struct gdb *g, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(g->fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g->closed = true;
			return gdb_fail(g, "its gdb stub is gone");
		}
		bytes += n;
		size -= n;
	}
	return true;
}

/* Waits until something arrives, and not beyond `until`. */
static bool receive(struct gdb *g, double until, bool *late)
{
	struct pollfd fd = { .fd = g->fd, .events = POLLIN };
	double left = until - clock_now();
	ssize_t n;

	if (left <= 0 || (n = poll(&fd, 1, 1 + (int)(left * 1000))) == 0) {
		*late = true;
		return false;
	}
	if (n < 0)
		return errno == EINTR || gdb_fail(g, "poll: %s", strerror(errno));
	n = recv(g->fd, g->in + g->used, sizeof(g->in) - g->used, 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		g->closed = true;
		return gdb_fail(g, "its gdb stub is gone");
	}
	g->used += n;
	return true;
}

/* No packet is acknowledged: the stub takes the next question as well, and half of all system calls are saved. */
bool gdb_take_within(struct gdb *g, double seconds, bool *late)
{
	double until = clock_now() + seconds;
	enum gdb_taken taken;
	size_t used;

	*late = false;
	while ((taken = gdb_packet_take(g->in, g->used, &used, &g->reply)) != GDB_PACKET) {
		if (taken == GDB_WRONG || g->used == sizeof(g->in))
			return gdb_fail(g, "what its gdb stub sends is no packet");
		if (!receive(g, until, late))
			return false;
	}
	g->used -= used;
	memmove(g->in, g->in + used, g->used);
	return true;
}

bool gdb_take(struct gdb *g)
{
	bool late;

	if (gdb_take_within(g, g->limit, &late))
		return true;
	return late && gdb_fail(g, "its gdb stub does not answer within %.0f s", g->limit);
}
