/* SPDX-License-Identifier: MIT */
/* fuzz-gdb.c: any bytes as what a gdb stub sends, as its description of registers, and as their values. */
#include <string.h>

#include "tap/fuzz.h"
#include "vmm/gdb_packet.h"
#include "vmm/gdb_regs.h"

static struct gdb_payload payload, again;

/* What was understood comes back the same from a packet of our own. */
static void round_trip(void)
{
	static char packet[2 * GDB_PAYLOAD + 8];
	size_t size = gdb_packet_make(packet, sizeof(packet), payload.text, payload.size), used;

	MUST(size && gdb_packet_take(packet, size, &used, &again) == GDB_PACKET && used == size);
	MUST(again.size == payload.size && !memcmp(again.text, payload.text, payload.size));
}

static void packets(const char *in, size_t size)
{
	enum gdb_taken taken;
	size_t used;

	do {
		taken = gdb_packet_take(in, size, &used, &payload);
		MUST(used <= size && (taken != GDB_PACKET || used));
		MUST(payload.size <= GDB_PAYLOAD);
		if (taken == GDB_PACKET)
			round_trip();
		in += used;
		size -= used;
	} while (taken == GDB_PACKET);
}

/* The text up to a line "g" is the description, what follows is the answer. */
static void registers(const char *text)
{
	const char *digits = strstr(text, "\ng\n"), *at = text;
	struct gdb_regs regs = { 0 };
	struct cpu_state state;
	char name[16];

	while (gdb_regs_include(&at, name, sizeof(name)))
		MUST(strlen(name) < sizeof(name));
	if (gdb_regs_add(&regs, text) && digits)
		gdb_regs_read(&regs, digits + 3, strlen(digits + 3), &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[8192];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	packets(text, size);
	registers(text);
	return 0;
}
