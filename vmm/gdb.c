/* SPDX-License-Identifier: MIT */
/* gdb.c: the client of a gdb stub: one question, one answer, in bounded time. */
#include "vmm/gdb.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "vmm/clock.h"

#define DESCRIPTION_PART 0x800          /* an answer with this much fits into any stub's packet */
#define DESCRIPTION_MOST 65536
#define INCLUDES_MOST 16

/* The first one stands. */
__attribute__((format(printf, 2, 3)))
static bool fail(struct gdb *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!g->trouble[0])
		vsnprintf(g->trouble, sizeof(g->trouble), fmt, ap);
	va_end(ap);
	return false;
}

static bool send_all(struct gdb *g, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(g->fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g->closed = true;
			return fail(g, "its gdb stub is gone");
		}
		bytes += n;
		size -= n;
	}
	return true;
}

/* Waits until something arrives, and not beyond `until`. */
static bool receive(struct gdb *g, double until)
{
	struct pollfd fd = { .fd = g->fd, .events = POLLIN };
	double left = until - clock_now();
	ssize_t n;

	if (left <= 0 || (n = poll(&fd, 1, 1 + (int)(left * 1000))) == 0)
		return fail(g, "its gdb stub does not answer within %.0f s", g->limit);
	if (n < 0)
		return errno == EINTR || fail(g, "poll: %s", strerror(errno));
	n = recv(g->fd, g->in + g->used, sizeof(g->in) - g->used, 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		g->closed = true;
		return fail(g, "its gdb stub is gone");
	}
	g->used += n;
	return true;
}

static bool take_reply(struct gdb *g)
{
	double until = clock_now() + g->limit;
	enum gdb_taken taken;
	size_t used;

	while ((taken = gdb_packet_take(g->in, g->used, &used, &g->reply)) != GDB_PACKET) {
		if (taken == GDB_WRONG || g->used == sizeof(g->in))
			return fail(g, "what its gdb stub sends is no packet");
		if (!receive(g, until))
			return false;
	}
	g->used -= used;
	memmove(g->in, g->in + used, g->used);
	return send_all(g, "+", 1);
}

static bool ask_text(struct gdb *g, const char *text)
{
	char packet[1024];
	size_t size = gdb_packet_make(packet, sizeof(packet), text, strlen(text));

	if (g->trouble[0])
		return false;
	if (!size)
		return fail(g, "a question is too long");
	return send_all(g, packet, size) && take_reply(g);
}

bool gdb_ask(struct gdb *g, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!ask_text(g, text))
		return false;
	/* Data is pairs of digits, an error has three characters. */
	return g->reply.text[0] != 'E' || g->reply.size % 2 == 0 ||
	       fail(g, "its gdb stub answers %.20s to %.40s", g->reply.text, text);
}

static bool is_ok(struct gdb *g, const char *what)
{
	return !strcmp(g->reply.text, "OK") || fail(g, "its gdb stub answers \"%.20s\" to %s", g->reply.text, what);
}

/* Output comes as "O" and pairs of digits. Control characters are no text. */
static void keep_output(struct gdb *g)
{
	size_t used = strlen(g->said), n = (g->reply.size - 1) / 2;

	if (n > sizeof(g->said) - 1 - used)
		n = sizeof(g->said) - 1 - used;
	if (!gdb_hex(g->reply.text + 1, g->said + used, n))
		n = 0;
	g->said[used + n] = '\0';
	for (char *c = g->said + used; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

bool gdb_monitor(struct gdb *g, const char *command)
{
	char text[500] = "qRcmd,";
	size_t n = strlen(text);

	for (; *command && n + 3 < sizeof(text); command++)
		n += snprintf(text + n, sizeof(text) - n, "%02x", (unsigned char)*command);
	g->said[0] = '\0';
	if (*command || !ask_text(g, text))
		return fail(g, "a question is too long");
	while (g->reply.text[0] == 'O' && strcmp(g->reply.text, "OK")) {
		keep_output(g);
		if (!take_reply(g))
			return false;
	}
	return is_ok(g, "a monitor command");
}

/* One file of the description, in as many parts as it takes. */
static bool read_description(struct gdb *g, const char *name, char *out, size_t out_size)
{
	size_t used = 0;

	do {
		if (!gdb_ask(g, "qXfer:features:read:%s:%zx,%x", name, used, DESCRIPTION_PART))
			return false;
		if ((g->reply.text[0] != 'm' && g->reply.text[0] != 'l') || g->reply.size >= out_size - used ||
		    (g->reply.text[0] == 'm' && g->reply.size == 1))
			return fail(g, "its gdb stub does not describe its registers");
		memcpy(out + used, g->reply.text + 1, g->reply.size - 1);
		used += g->reply.size - 1;
	} while (g->reply.text[0] == 'm');
	out[used] = '\0';
	return true;
}

static bool learn_registers(struct gdb *g)
{
	char target[DESCRIPTION_PART], part[DESCRIPTION_MOST], name[64];
	const char *at = target, *missing;
	unsigned includes = 0;

	if (!read_description(g, "target.xml", target, sizeof(target)))
		return false;
	while (gdb_regs_include(&at, name, sizeof(name))) {
		if (++includes > INCLUDES_MOST || !read_description(g, name, part, sizeof(part)))
			return fail(g, "its gdb stub describes too much");
		if (!gdb_regs_add(&g->regs, part))
			return fail(g, "its gdb stub's description %s makes no sense", name);
	}
	missing = gdb_regs_missing(&g->regs);
	return !missing || fail(g, "its gdb stub has no register %s", missing);
}

bool gdb_open(struct gdb *g, int fd, double limit)
{
	memset(g, 0, sizeof(*g));
	g->fd = fd;
	g->limit = limit;
	return gdb_ask(g, "qSupported:xmlRegisters=i386") && gdb_ask(g, "?") && learn_registers(g);
}

bool gdb_state(struct gdb *g, struct cpu_state *out)
{
	return gdb_ask(g, "g") && (gdb_regs_read(&g->regs, g->reply.text, g->reply.size, out) ||
				   fail(g, "its gdb stub's registers are not as it describes them"));
}

bool gdb_set_flags(struct gdb *g, uint64_t rflags)
{
	uint32_t swapped = __builtin_bswap32(rflags);   /* bytes in the order of memory */

	return gdb_ask(g, "P%x=%08x", gdb_regs_flags(&g->regs), swapped) && is_ok(g, "P");
}

bool gdb_read(struct gdb *g, uint64_t at, void *out, size_t size)
{
	if (!gdb_ask(g, "m%lx,%zx", (unsigned long)at, size))
		return false;
	return (g->reply.size == 2 * size && gdb_hex(g->reply.text, out, size)) ||
	       fail(g, "its gdb stub sends other memory than asked for");
}

bool gdb_break(struct gdb *g, uint64_t at, bool set)
{
	return gdb_ask(g, "%c1,%lx,1", set ? 'Z' : 'z', (unsigned long)at) && is_ok(g, "Z1");
}

/* What comes is a stop, or the end. */
static bool resume(struct gdb *g, const char *how)
{
	if (!gdb_ask(g, "%s", how))
		return false;
	return g->reply.text[0] == 'T' || g->reply.text[0] == 'S' || fail(g, "the guest has ended");
}

bool gdb_go(struct gdb *g)
{
	return resume(g, "c");
}

bool gdb_step(struct gdb *g)
{
	return resume(g, "s");
}
