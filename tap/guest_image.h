/* SPDX-License-Identifier: MIT */
/* guest_image.h: the guest's ELF file as bytes in memory, for the tests of layout.c to damage, load and put right again. The guest
 * is $GUEST_ELF, build/guest.elf if that is not set. */
#ifndef TAP_GUEST_IMAGE_H
#define TAP_GUEST_IMAGE_H

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/abi.h"
#include "vmm/elf.h"

static char path[] = "/tmp/t-layout-XXXXXX", err[300];
static uint8_t *image;
static size_t image_size;
static struct mem ram;

static void bail_out(const char *what)
{
	printf("Bail out! %s\n", what);
	unlink(path);
	exit(1);
}

static const char *guest_path(void)
{
	return getenv("GUEST_ELF") ? getenv("GUEST_ELF") : "build/guest.elf";
}

static void read_image(void)
{
	FILE *f = fopen(guest_path(), "r");
	long size = f && !fseek(f, 0, SEEK_END) ? ftell(f) : 0;

	free(image);
	image_size = size > (long)sizeof(Elf64_Ehdr) ? size : 0;
	image = malloc(image_size + 1);
	if (!image_size || !image || fseek(f, 0, SEEK_SET) || fread(image, 1, image_size, f) != image_size)
		bail_out(guest_path());
	fclose(f);
}

static Elf64_Shdr *section(unsigned n)
{
	return (Elf64_Shdr *)(image + ((Elf64_Ehdr *)image)->e_shoff) + n;
}

static Elf64_Shdr *symbol_table(void)
{
	for (unsigned n = 0; n < ((Elf64_Ehdr *)image)->e_shnum; n++)
		if (section(n)->sh_type == SHT_SYMTAB)
			return section(n);
	bail_out("the guest has no symbol table");
	return NULL;
}

static char *name_in_image(const Elf64_Sym *s)
{
	return (char *)image + section(symbol_table()->sh_link)->sh_offset + s->st_name;
}

static Elf64_Sym *symbol(const char *name)
{
	Elf64_Shdr *table = symbol_table();
	Elf64_Sym *s = (Elf64_Sym *)(image + table->sh_offset);

	for (uint64_t n = 0; n < table->sh_size / sizeof(*s); n++)
		if (!strcmp(name_in_image(&s[n]), name))
			return &s[n];
	bail_out(name);
	return NULL;
}

static uint64_t address(const char *name)
{
	return symbol(name)->st_value;
}

/* Where a kernel symbol lies in loaded RAM. */
static inline void *in_ram(const char *name)
{
	return mem_at(&ram, address(name) - ABI_KERNEL_VIRT, 8);
}

/* The image as it is in memory now, opened and loaded. */
static struct elf *load(void)
{
	FILE *f = fopen(path, "w");
	struct elf *e;

	if (!f || fwrite(image, 1, image_size, f) != image_size || fclose(f))
		bail_out(path);
	e = elf_open(path, err, sizeof(err));
	if (!e || !elf_load(e, &ram, err, sizeof(err)))
		bail_out(err);
	strcpy(err, "no error was given");
	return e;
}

#endif
