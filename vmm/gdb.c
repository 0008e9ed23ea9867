/* SPDX-License-Identifier: MIT */
/* gdb.c: the client of a gdb stub: one question, one answer; or several of which each is answered OK. */
#include "vmm/gdb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/gdb_wire.h"

#define DESCRIPTION_PART 0x800          /* an answer with this much fits into any stub's packet */
#define DESCRIPTION_MOST 65536
#define INCLUDES_MOST 16

static bool ask_text(struct gdb *g, const char *text)
{
	char packet[1024];
	size_t size = gdb_packet_make(packet, sizeof(packet), text, strlen(text));

	if (g->trouble[0])
		return false;
	if (!size)
		return gdb_fail(g, "a question is too long");
	return gdb_send(g, packet, size) && gdb_take(g);
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
	       gdb_fail(g, "its gdb stub answers %.20s to %.40s", g->reply.text, text);
}

static bool is_ok(struct gdb *g, const char *what)
{
	return !strcmp(g->reply.text, "OK") || gdb_fail(g, "its gdb stub answers \"%.20s\" to %s", g->reply.text, what);
}

/* Output comes as "O" and pairs of digits. Line ends and other control characters become a space, one for a run of them, none at the end. */
static void keep_output(struct gdb *g, bool *space)
{
	size_t used = strlen(g->said);
	char c;

	for (size_t n = 1; n + 1 < g->reply.size; n += 2) {
		if (used + 2 >= sizeof(g->said) || !gdb_hex(g->reply.text + n, &c, 1))
			break;
		if ((unsigned char)c <= ' ') {
			*space = used;
			continue;
		}
		if (*space)
			g->said[used++] = ' ';
		*space = false;
		g->said[used++] = c;
	}
	g->said[used] = '\0';
}

bool gdb_monitor(struct gdb *g, const char *command)
{
	char text[500] = "qRcmd,";
	size_t n = strlen(text);
	bool space = false;

	for (; *command && n + 3 < sizeof(text); command++)
		n += snprintf(text + n, sizeof(text) - n, "%02x", (unsigned char)*command);
	g->said[0] = '\0';
	if (*command || !ask_text(g, text))
		return gdb_fail(g, "a question is too long");
	while (g->reply.text[0] == 'O' && strcmp(g->reply.text, "OK")) {
		keep_output(g, &space);
		if (!gdb_take(g))
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
			return gdb_fail(g, "its gdb stub does not describe its registers");
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
			return gdb_fail(g, "its gdb stub describes too much");
		if (!gdb_regs_add(&g->regs, part))
			return gdb_fail(g, "its gdb stub's description %s makes no sense", name);
	}
	missing = gdb_regs_missing(&g->regs);
	return !missing || gdb_fail(g, "its gdb stub has no register %s", missing);
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
				   gdb_fail(g, "its gdb stub's registers are not as it describes them"));
}

bool gdb_set_changed(struct gdb *g, const struct cpu_state *from, const struct cpu_state *to)
{
	struct gdb_reg reg;
	uint64_t value;

	for (unsigned n = 0; gdb_regs_changed(&g->regs, from, to, &n, &reg, &value);)
		if (!gdb_queue(g, "P%x=%0*lx", reg.number, 2 * reg.size, (unsigned long)(__builtin_bswap64(value) >> (64 - 8 * reg.size))))
			return false;
	return true;
}

bool gdb_read(struct gdb *g, uint64_t at, void *out, size_t size)
{
	if (!gdb_ask(g, "m%lx,%zx", (unsigned long)at, size))
		return false;
	return (g->reply.size == 2 * size && gdb_hex(g->reply.text, out, size)) ||
	       gdb_fail(g, "its gdb stub sends other memory than asked for");
}

bool gdb_break(struct gdb *g, uint64_t at, bool set)
{
	return gdb_ask(g, "%c1,%lx,1", set ? 'Z' : 'z', (unsigned long)at) && is_ok(g, "Z1");
}

bool gdb_queue(struct gdb *g, const char *fmt, ...)
{
	char text[100];
	va_list ap;
	size_t size;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (g->out_used > sizeof(g->out) - 2 * sizeof(text) && !gdb_flush(g))
		return false;
	size = gdb_packet_make(g->out + g->out_used, sizeof(g->out) - g->out_used, text, strlen(text));
	g->out_used += size;
	g->owed++;
	return !g->trouble[0];
}

/* Sends what is queued; takes all answers but the last `left`. */
static bool send_queued(struct gdb *g, unsigned left)
{
	size_t size = g->out_used;

	g->out_used = 0;
	if (g->trouble[0] || !gdb_send(g, g->out, size))
		return false;
	for (; g->owed > left; g->owed--)
		if (!gdb_take(g) || !is_ok(g, "what was queued"))
			return false;
	g->owed = 0;
	return true;
}

bool gdb_flush(struct gdb *g)
{
	return !g->owed || send_queued(g, 0);
}

bool gdb_resume(struct gdb *g, const char *how, double seconds, bool *late)
{
	*late = false;
	if (!gdb_queue(g, "%s", how) || !send_queued(g, 1) || !gdb_take_within(g, seconds, late))
		return false;
	if (g->reply.text[0] == 'E')
		return gdb_fail(g, "its gdb stub answers %.20s to %s", g->reply.text, how);
	return g->reply.text[0] == 'T' || g->reply.text[0] == 'S' || gdb_fail(g, "the guest has ended");
}

bool gdb_interrupt(struct gdb *g)
{
	return gdb_send(g, "\003", 1) && gdb_take(g);
}

/* What comes is a stop, or the end. */
static bool resume(struct gdb *g, const char *how)
{
	bool late;

	if (gdb_resume(g, how, g->limit, &late))
		return true;
	return late && gdb_fail(g, "its gdb stub does not answer within %.0f s", g->limit);
}

bool gdb_go(struct gdb *g)
{
	return resume(g, "c");
}

bool gdb_step(struct gdb *g)
{
	return resume(g, "s");
}
