/* SPDX-License-Identifier: MIT */
/* fuzz-elf.c: any bytes as a kernel image: opened, loaded, asked for names, lines and its hash. */
#define _GNU_SOURCE            /* memfd_create() */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap/fuzz.h"
#include "vmm/elf.h"

#define RAM     0x202000u       /* a little more than the images of the corpus need */
#define ASKED   64              /* sections whose ends are asked about */

static struct mem ram;
static char path[64];
static int fd;

/* The loader wants a path: that of a file in memory. */
static void write_input(const uint8_t *data, size_t size)
{
	if (!ram.size) {
		mem_init(&ram, RAM);
		fd = memfd_create("image", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
}

static void ask_about(struct elf *e, uint64_t addr)
{
	const struct elf_symbol *s = elf_nearest(e, addr);
	char name[160], line[300];

	MUST(!s || (s->addr <= addr && elf_symbol(e, s->name)));
	elf_name(e, addr, name, sizeof(name));
	MUST(*name);
	elf_line(e, addr, line, sizeof(line));
}

/* At both ends of every section, where searches go wrong. The headers lie inside the file, or it were refused. */
static void ask_everywhere(struct elf *e, const uint8_t *data)
{
	Elf64_Ehdr h;
	Elf64_Shdr s;

	memcpy(&h, data, sizeof(h));
	for (unsigned n = 0; n < h.e_shnum && n < ASKED; n++) {
		memcpy(&s, data + h.e_shoff + n * sizeof(s), sizeof(s));
		ask_about(e, s.sh_addr);
		ask_about(e, s.sh_addr - 1);
		ask_about(e, s.sh_addr + s.sh_size / 2);
		ask_about(e, s.sh_addr + s.sh_size);
	}
	ask_about(e, elf_entry(e));
	ask_about(e, 0);
	ask_about(e, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[400] = "";
	struct elf *e;

	write_input(data, size);
	e = elf_open(path, err, sizeof(err));
	if (!e) {
		MUST_SAY(err);
		return 0;
	}
	if (!elf_load(e, &ram, err, sizeof(err)))
		MUST_SAY(err);
	MUST(!elf_symbol(e, ""));
	elf_symbol(e, "start");
	elf_text_hash(e);
	ask_everywhere(e, data);
	elf_close(e);
	return 0;
}
