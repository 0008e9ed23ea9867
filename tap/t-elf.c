/* SPDX-License-Identifier: MIT */
/* t-elf.c: a good image loads and answers; a broken or lying one gets one line, never a crash.
 * With an argument (build/guest.elf) the real guest is asked, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/abi.h"
#include "tap/elf_image.h"
#include "tap/tap.h"
#include "vmm/elf.h"

#define RAM   0x400000ull

static struct mem ram;
static char path[] = "/tmp/t-elf-XXXXXX", err[512];

static struct elf *open_bytes(const void *bytes, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(bytes, 1, size, f) != size || fclose(f))
		perror(path);
	strcpy(err, "no error was given");
	return elf_open(path, err, sizeof(err));
}

/* One line that starts with the path and tells why. */
static bool says(const char *why)
{
	bool good = !strncmp(err, path, strlen(path)) && strstr(err, why) && !strchr(err, '\n');

	if (!good)
		printf("# it says: %s\n", err);
	return good;
}

static void refused(const struct image *g, size_t size, const char *why)
{
	struct elf *e = open_bytes(g, size);

	ok(!e && says(why), "refused: %s", why);
	elf_close(e);
}

static void not_loaded(const struct image *g, const char *why)
{
	struct elf *e = open_bytes(g, sizeof(*g));
	bool loaded = true;

	memset(mem_at(&ram, 0, RAM), 0xaa, RAM);
	if (e)
		loaded = elf_load(e, &ram, err, sizeof(err));
	ok(e && !loaded && says(why), "not loaded: %s", why);
	is_u64(*(uint8_t *)mem_at(&ram, 0x100000, 1), 0xaa, "and nothing was copied");
	elf_close(e);
}

static void name_is(struct elf *e, uint64_t addr, const char *want)
{
	char name[80];

	elf_name(e, addr, name, sizeof(name));
	is_str(name, want, "name of 0x%llx", (unsigned long long)addr);
}

static void test_good(void)
{
	struct image g = good_image();
	struct elf *e = open_bytes(&g, sizeof(g));
	char line[80];

	if (!ok(e, "a good image opens")) {
		printf("# %s\n", err);
		exit(1);
	}
	is_u64(elf_entry(e), TEXT, "its entry");
	is_str(elf_path(e), path, "its path");
	memset(mem_at(&ram, 0, RAM), 0xaa, RAM);
	ok(elf_load(e, &ram, err, sizeof(err)), "it loads");
	ok(!memcmp(mem_at(&ram, 0x100000, 32), g.text, 32), "text is at its physical address");
	is_u64(*(uint8_t *)mem_at(&ram, 0x200000 + 15, 1), 0xdd, "the last byte of data");
	is_u64(*(uint8_t *)mem_at(&ram, 0x200000 + 16, 1), 0, "bss is zeroed");
	is_u64(*(uint8_t *)mem_at(&ram, 0x200000 + 63, 1), 0, "up to its end");
	is_u64(*(uint8_t *)mem_at(&ram, 0x200000 + 64, 1), 0xaa, "and not beyond");
	elf_line(e, TEXT, line, sizeof(line));
	is_str(line, "", "without DWARF no source line");
	elf_close(e);
}

static void test_symbols(void)
{
	struct image g = good_image();
	struct elf *e = open_bytes(&g, sizeof(g));

	is_u64(elf_symbol(e, "private")->addr, TEXT + 13, "a local symbol is found by name");
	ok(!elf_symbol(e, "privat"), "half a name is no name");
	ok(!elf_symbol(e, "elsewhere"), "an undefined symbol is none");
	is_u64(elf_symbol(e, "text_end")->addr, TEXT + 32, "an end mark is found by name");
	name_is(e, TEXT, "start+0x0");
	name_is(e, TEXT + 7, "start+0x7");
	name_is(e, TEXT + 8, "inner+0x0");
	name_is(e, TEXT + 14, "inner+0x6");
	name_is(e, TEXT + 32, "0xffffffff80100020");
	name_is(e, TEXT - 1, "0xffffffff800fffff");
	name_is(e, DATA + 7, "0xffffffff80200007");
	name_is(e, DATA + 8, "data_word+0x0");
	ok(!elf_nearest(e, 0) && !elf_nearest(e, ~0ull), "nothing is near the ends of the address space");
	elf_close(e);
}

static uint64_t hash_of(const struct image *g)
{
	struct elf *e = open_bytes(g, sizeof(*g));
	uint64_t hash = elf_text_hash(e);

	elf_close(e);
	return hash;
}

static void test_hash(void)
{
	struct image g = good_image();
	uint64_t hash = hash_of(&g);

	g.data[0] ^= 1;
	is_u64(hash_of(&g), hash, "data is not in the text hash");
	g.text[31] ^= 1;
	ok(hash_of(&g) != hash, "the last byte of text is");
	g.text[31] ^= 1;
	g.sh[1].sh_addr += 16;
	ok(hash_of(&g) != hash, "so is its address");
}

#define REFUSED(why, change) do { struct image g = good_image(); change; refused(&g, sizeof(g), why); } while (0)

static void test_headers(void)
{
	REFUSED("not an ELF file", g.eh.e_ident[0] = 0);
	REFUSED("not a 64-bit", g.eh.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSED("little-endian", g.eh.e_ident[EI_DATA] = ELFDATA2MSB);
	REFUSED("not for x86-64", g.eh.e_machine = EM_AARCH64);
	REFUSED("fixed addresses", g.eh.e_type = ET_DYN);
	REFUSED("no usable program headers", g.eh.e_phnum = 0);
	REFUSED("program headers lie outside", g.eh.e_phoff = sizeof(g) - 8);
	REFUSED("program headers lie outside", g.eh.e_phoff = ~0ull - 8);
	REFUSED("no usable section headers", g.eh.e_shnum = 0);
	REFUSED("section headers lie outside", g.eh.e_shoff = ~0ull - 63);
	REFUSED("section headers lie outside", g.eh.e_shnum = 60000);
	REFUSED("section 2 lies outside", g.sh[2].sh_size = ~0ull);
	REFUSED("section 1 lies outside", g.sh[1].sh_offset = ~0ull - 16);
	REFUSED("no allocated sections", g.sh[1].sh_flags = g.sh[2].sh_flags = 0);
	REFUSED("no symbol table", g.sh[3].sh_type = SHT_PROGBITS);
	REFUSED("symbol table is empty", g.sh[3].sh_size = sizeof(Elf64_Sym));
	REFUSED("string table", g.sym[5].st_name = 0xffffff);
	REFUSED("string table", g.sh[3].sh_link = 99);
}

/* Every length that a copy may stop at: libelf must never be asked about what is not there. */
static void test_truncated(void)
{
	struct image g = good_image();
	unsigned opened = 0, odd = 0;
	struct elf *e;
	size_t size;

	refused(&g, 0, "not an ELF file");
	refused(&g, 40, "truncated: the ELF header");
	refused(&g, sizeof(Elf64_Ehdr) + 8, "truncated: program headers");
	refused(&g, sizeof(g) - 1, "truncated: section headers");
	for (size = 0; size < sizeof(g); size++) {
		e = open_bytes(&g, size);
		opened += e != NULL;
		odd += !e && !says("");
		elf_close(e);
	}
	is_u64(opened, 0, "no shorter file opens");
	is_u64(odd, 0, "and each has its one line");
}

/* Every byte of every header inverted: any answer but a crash will do (this is what the sanitizers watch). */
static void test_flipped(void)
{
	struct image g = good_image();
	uint8_t *bytes = (uint8_t *)&g;
	struct elf *e;
	size_t i;

	for (i = 0; i < sizeof(g); i++) {
		bytes[i] ^= 0xff;
		e = open_bytes(&g, sizeof(g));
		if (e) {
			char text[80];

			elf_load(e, &ram, err, sizeof(err));
			elf_name(e, TEXT + 9, text, sizeof(text));
			elf_line(e, TEXT + 9, text, sizeof(text));
			elf_text_hash(e);
		}
		elf_close(e);
		bytes[i] ^= 0xff;
	}
	ok(true, "no inverted byte crashes");
}

#define NOT_LOADED(why, change) do { struct image g = good_image(); change; not_loaded(&g, why); } while (0)

static void test_segments(void)
{
	NOT_LOADED("segment 1 lies outside the file", g.ph[1].p_offset = sizeof(g) - 15);
	NOT_LOADED("segment 1 lies outside the file", g.ph[1].p_offset = ~0ull - 7);
	NOT_LOADED("outside RAM", g.ph[1].p_paddr = RAM - 63);
	NOT_LOADED("outside RAM", g.ph[1].p_paddr = ~0ull - 7);
	NOT_LOADED("outside RAM", g.ph[1].p_memsz = ~0ull);
	NOT_LOADED("more bytes in the file than in memory", g.ph[1].p_memsz = 15);
	NOT_LOADED("segments 0 and 1 overlap", g.ph[1].p_paddr = 0x100000 + 31);
	NOT_LOADED("segments 0 and 1 overlap", g.ph[1].p_paddr = 0x100000 - 63);
	NOT_LOADED("nothing to load", g.ph[0].p_type = g.ph[1].p_type = PT_NOTE);
}

static void test_files(void)
{
	ok(!elf_open("/nonexistent/guest.elf", err, sizeof(err)), "a missing file is refused");
	is_str(err, "/nonexistent/guest.elf: No such file or directory", "and named");
	ok(!elf_open("/tmp", err, sizeof(err)), "a directory is refused");
	is_str(err, "/tmp: not a regular file", "as what it is");
	unlink(path);
	if (mkfifo(path, 0600))
		perror(path);
	ok(!elf_open(path, err, sizeof(err)) && says("not a regular file"), "a FIFO does not hang us");
}

/* What the bench needs of the real guest. */
static void test_guest(const char *guest)
{
	struct elf *e = elf_open(guest, err, sizeof(err));
	const struct elf_symbol *syscall = e ? elf_symbol(e, "entry_SYSCALL_64") : NULL;
	char text[200];

	if (!ok(e && syscall, "%s opens and has entry_SYSCALL_64", guest)) {
		printf("# %s\n", err);
		exit(1);
	}
	ok(elf_load(e, &ram, err, sizeof(err)), "it loads into %u bytes of RAM", ABI_RAM_SIZE);
	elf_name(e, syscall->addr, text, sizeof(text));
	is_str(text, "entry_SYSCALL_64+0x0", "the entry is named by its own symbol");
	elf_line(e, syscall->addr, text, sizeof(text));
	ok(!strncmp(text, "guest/entry.S:", 14), "its source line is '%s'", text);
	elf_close(e);
}

int main(int argc, char **argv)
{
	plan(10 + 13 + 3 + 18 + 6 + 1 + 18 + 5 + (argc > 1 ? 4 : 0));
	close(mkstemp(path));
	mem_init(&ram, RAM);
	test_good();
	test_symbols();
	test_hash();
	test_headers();
	test_truncated();
	test_flipped();
	test_segments();
	test_files();
	if (argc > 1)
		test_guest(argv[1]);
	mem_free(&ram);
	unlink(path);
	return done();
}
