/* SPDX-License-Identifier: MIT */
/* gdb_packet.c: packets of the gdb remote protocol: framing, checksum, escapes, runs. Pure: bytes in, bytes out. */
#include "vmm/gdb_packet.h"

#include <stdio.h>
#include <string.h>

#define ESCAPE '}'
#define ESCAPED(c) ((c) ^ 0x20)
#define RUN '*'
#define RUN_FIRST 32                    /* a run's length is its character less 29, 3 at least, and a character that prints */
#define RUN_LAST 126
#define RUN_BIAS 29

static bool is_special(char c)
{
	return c == '$' || c == '#' || c == ESCAPE || c == RUN;
}

size_t gdb_packet_make(char *out, size_t out_size, const char *payload, size_t size)
{
	uint8_t sum = 0;
	size_t n = 0;

	if (out_size < 5)
		return 0;
	out[n++] = '$';
	for (size_t i = 0; i < size; i++) {
		if (n + 1 + is_special(payload[i]) + 4 > out_size)      /* and the end with its NUL */
			return 0;
		if (is_special(payload[i])) {
			out[n++] = ESCAPE;
			sum += ESCAPE;
		}
		out[n] = is_special(payload[i]) ? ESCAPED(payload[i]) : payload[i];
		sum += (uint8_t)out[n++];
	}
	return n + snprintf(out + n, out_size - n, "#%02x", sum);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool gdb_hex(const char *digits, void *out, size_t size)
{
	uint8_t *byte = out;

	for (size_t n = 0; n < size; n++) {
		int high = digit(digits[2 * n]), low = high < 0 ? -1 : digit(digits[2 * n + 1]);

		if (low < 0)
			return false;
		byte[n] = high << 4 | low;
	}
	return true;
}

static bool put(struct gdb_payload *out, char c, size_t times)
{
	if (times > GDB_PAYLOAD - out->size)
		return false;
	memset(out->text + out->size, c, times);
	out->size += times;
	return true;
}

/* Runs first: what a run repeats is a character as it was sent. */
static bool expand(const char *body, size_t size, struct gdb_payload *out)
{
	for (size_t n = 0; n < size; n++) {
		char c = body[n];
		size_t times = 1;

		if (c == '$')
			return false;
		if (c == RUN) {
			if (!out->size || ++n == size || body[n] < RUN_FIRST || body[n] > RUN_LAST)
				return false;
			c = out->text[out->size - 1];
			times = body[n] - RUN_BIAS;
		}
		if (!put(out, c, times))
			return false;
	}
	return true;
}

static bool unescape(struct gdb_payload *p)
{
	size_t to = 0;

	for (size_t n = 0; n < p->size; n++) {
		bool escaped = p->text[n] == ESCAPE;

		if (escaped && ++n == p->size)
			return false;
		p->text[to++] = escaped ? ESCAPED(p->text[n]) : p->text[n];
	}
	p->size = to;
	p->text[to] = '\0';
	return true;
}

static bool sum_is(const char *body, size_t size, const char *digits)
{
	uint8_t sum = 0, said;

	for (size_t n = 0; n < size; n++)
		sum += (uint8_t)body[n];
	return gdb_hex(digits, &said, 1) && said == sum;
}

enum gdb_taken gdb_packet_take(const char *in, size_t size, size_t *used, struct gdb_payload *out)
{
	size_t start = 0, length;
	const char *end;

	out->size = 0;
	out->text[0] = '\0';
	while (start < size && in[start] == '+')
		start++;
	*used = start;
	if (start == size)
		return GDB_INCOMPLETE;
	if (in[start++] != '$')
		return GDB_WRONG;
	end = memchr(in + start, '#', size - start);
	if (!end)
		return size - start > 2 * GDB_PAYLOAD ? GDB_WRONG : GDB_INCOMPLETE;
	length = end - (in + start);
	if (size - start - length < 3)
		return GDB_INCOMPLETE;
	if (!sum_is(in + start, length, end + 1) || !expand(in + start, length, out) || !unescape(out))
		return GDB_WRONG;
	*used = start + length + 3;
	return GDB_PACKET;
}
