/* SPDX-License-Identifier: MIT */
/* fuzz-vmstate.c: any bytes as QEMU's saved state, and as the file that it lies in. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap/fuzz.h"
#include "vmm/qcow2.h"
#include "vmm/vmstate.h"

static struct vmstate v;

/* What was understood can be written and is read back, with something pending and without. */
static void use(void)
{
	size_t size = v.size;
	bool had;

	MUST(size <= VMSTATE_ROOM);
	for (unsigned f = 0; f < VMSTATE_FIELDS; f++)
		for (unsigned n = 0; n < v.place[f].count; n++) {
			uint64_t value = vmstate_get(&v, f, n);

			vmstate_set(&v, f, n, value);
			MUST(vmstate_get(&v, f, n) == value);
		}
	if (vmstate_set_exception(&v, 3))
		MUST(vmstate_exception(&v) == 3 && v.size >= size);
	had = v.size == size;           /* one stood there already, if only one that says there is none */
	vmstate_set_exception(&v, -1);
	MUST(vmstate_exception(&v) == -1 || had);
	MUST(v.size == size || (had && v.size < size));
}

/* The text up to a line "EOF" is the description; the stream is what follows, as many bytes as there are. */
static void stream(const uint8_t *data, size_t size)
{
	const uint8_t *at = memmem(data, size, "\nEOF\n", 5);
	size_t text = at ? at - data : 0, rest = at ? size - text - 5 : size;
	char err[300] = "";

	if (rest + text + 6 > VMSTATE_ROOM)
		return;
	memset(&v, 0, sizeof(v));
	memcpy(v.bytes, data + size - rest, rest);
	memcpy(v.bytes + rest, (uint8_t[6]){ 0, 6, text >> 24, text >> 16, text >> 8, text }, 6);
	memcpy(v.bytes + rest + 6, data, text);
	if (vmstate_learn(&v, rest + text + 6, err, sizeof(err)))
		use();
	else
		MUST_SAY(err);
}

static void file(const uint8_t *data, size_t size)
{
	static uint8_t out[VMSTATE_ROOM];
	static int fd = -1;
	size_t got = 0;

	if (fd < 0)
		fd = memfd_create("image", 0);
	if (size < 4 || memcmp(data, "QFI\xfb", 4) || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		return;
	if (qcow2_read_state(fd, out, sizeof(out), &got))
		MUST(got <= sizeof(out));
	qcow2_write_state(fd, out, got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stream(data, size);
	file(data, size);
	return 0;
}
