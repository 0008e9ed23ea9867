/* SPDX-License-Identifier: MIT */
/* elf_image.h: a small good kernel image, to be broken or to name things. */
#ifndef TAP_ELF_IMAGE_H
#define TAP_ELF_IMAGE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/elf.h"

#define TEXT  0xffffffff80100000ull
#define DATA  0xffffffff80200000ull

/* A whole image as one object; a test changes one field of a copy. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	uint8_t text[32], data[16];
	Elf64_Sym sym[11];
	char str[128], shstr[64];
	Elf64_Shdr sh[6];
};

static const char names[] =
	"\0start\0inner\0.Lhidden\0macro..@1\0$x\0private\0text_end\0alias\0data_word\0elsewhere";

static Elf64_Sym symbol(const char *name, uint64_t addr, uint64_t size, unsigned bind, unsigned type, unsigned shndx)
{
	unsigned at = 1;

	while (strcmp(names + at, name))
		at += strlen(names + at) + 1;
	return (Elf64_Sym){ .st_name = at, .st_value = addr, .st_size = size,
			    .st_info = ELF64_ST_INFO(bind, type), .st_shndx = shndx };
}

static void set_symbols(struct image *g)
{
	g->sym[1] = symbol("start", TEXT, 8, STB_GLOBAL, STT_FUNC, 1);
	g->sym[2] = symbol("alias", TEXT, 0, STB_GLOBAL, STT_NOTYPE, 1);
	g->sym[3] = symbol("inner", TEXT + 8, 0, STB_GLOBAL, STT_NOTYPE, 1);
	g->sym[4] = symbol(".Lhidden", TEXT + 10, 0, STB_GLOBAL, STT_NOTYPE, 1);
	g->sym[5] = symbol("macro..@1", TEXT + 11, 0, STB_GLOBAL, STT_NOTYPE, 1);
	g->sym[6] = symbol("$x", TEXT + 12, 0, STB_GLOBAL, STT_NOTYPE, 1);
	g->sym[7] = symbol("private", TEXT + 13, 4, STB_LOCAL, STT_FUNC, 1);
	g->sym[8] = symbol("text_end", TEXT + 32, 0, STB_GLOBAL, STT_NOTYPE, 1);
	g->sym[9] = symbol("data_word", DATA + 8, 8, STB_GLOBAL, STT_OBJECT, 2);
	g->sym[10] = symbol("elsewhere", 0, 0, STB_GLOBAL, STT_NOTYPE, SHN_UNDEF);
}

static void set_sections(struct image *g)
{
	g->sh[1] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = TEXT,
				 .sh_offset = offsetof(struct image, text), .sh_size = 32 };
	g->sh[2] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_WRITE, .sh_addr = DATA,
				 .sh_offset = offsetof(struct image, data), .sh_size = 16 };
	g->sh[3] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB, .sh_offset = offsetof(struct image, sym), .sh_link = 4,
				 .sh_size = sizeof(g->sym), .sh_entsize = sizeof(Elf64_Sym), .sh_addralign = 8 };
	g->sh[4] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct image, str),
				 .sh_size = sizeof(g->str) };
	g->sh[5] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct image, shstr),
				 .sh_size = sizeof(g->shstr) };
}

static struct image good_image(void)
{
	struct image g = { 0 };

	memcpy(g.eh.e_ident, ELFMAG, SELFMAG);
	g.eh.e_ident[EI_CLASS] = ELFCLASS64;
	g.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	g.eh.e_ident[EI_VERSION] = EV_CURRENT;
	g.eh.e_type = ET_EXEC;
	g.eh.e_machine = EM_X86_64;
	g.eh.e_version = EV_CURRENT;
	g.eh.e_entry = TEXT;
	g.eh.e_phoff = offsetof(struct image, ph);
	g.eh.e_shoff = offsetof(struct image, sh);
	g.eh.e_ehsize = sizeof(Elf64_Ehdr);
	g.eh.e_phentsize = sizeof(Elf64_Phdr);
	g.eh.e_phnum = 2;
	g.eh.e_shentsize = sizeof(Elf64_Shdr);
	g.eh.e_shnum = 6;
	g.eh.e_shstrndx = 5;
	g.ph[0] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, offsetof(struct image, text), TEXT, 0x100000, 32, 32, 16 };
	g.ph[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, offsetof(struct image, data), DATA, 0x200000, 16, 64, 16 };
	memset(g.text, 0x90, sizeof(g.text));
	memset(g.data, 0xdd, sizeof(g.data));
	memcpy(g.str, names, sizeof(names));
	set_symbols(&g);
	set_sections(&g);
	return g;
}

/* A breach is named by the nearest symbol, so a judge must have an image. NULL, and the test is over, if that cannot be. */
static inline struct elf *open_image(void)
{
	char path[] = "/tmp/good-image-XXXXXX", err[300];
	struct image g = good_image();
	int fd = mkstemp(path);
	struct elf *e = NULL;

	if (fd < 0 || write(fd, &g, sizeof(g)) != sizeof(g) || !(e = elf_open(path, err, sizeof(err))))
		printf("Bail out! no image in %s\n", path);
	close(fd);
	unlink(path);
	return e;
}

#endif
