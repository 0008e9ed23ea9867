/* SPDX-License-Identifier: MIT */
/* mem.c: guest RAM: its bounds, and the walk from a virtual to a physical address. */
#include "vmm/mem.h"

#include <string.h>
#include <sys/mman.h>

#include "vmm/die.h"

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE   (1ull << 1)
#define PTE_USER    (1ull << 2)
#define PTE_LARGE   (1ull << 7)
#define PTE_ADDR    0x000ffffffffff000ull

static void map(struct mem *m, uint64_t size, int flags, int fd)
{
	void *p = MAP_FAILED;

	if (size && !(size % PAGE_SIZE))
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (p == MAP_FAILED)
		die_errno(EXIT_HOST, "cannot map 0x%llx bytes of guest RAM", (unsigned long long)size);
	m->ram = p;
	m->size = size;
}

void mem_init(struct mem *m, uint64_t size)
{
	map(m, size, MAP_SHARED | MAP_ANONYMOUS, -1);   /* shared, so that a child process may map it too */
}

void mem_init_file(struct mem *m, int fd, uint64_t size)
{
	map(m, size, MAP_SHARED, fd);
}

void mem_free(struct mem *m)
{
	if (m->ram)
		munmap(m->ram, m->size);
	m->ram = NULL;
	m->size = 0;
}

/* Written so that neither side can overflow. */
void *mem_at(const struct mem *m, gpa_t gpa, uint64_t size)
{
	if (size <= m->size && gpa <= m->size - size)
		return m->ram + gpa;
	return NULL;
}

static bool is_canonical(gva_t gva)
{
	return (uint64_t)((int64_t)(gva << 16) >> 16) == gva;
}

/* The entry for gva in the table whose lowest index bit in the address is shift. */
static bool read_entry(const struct mem *m, gpa_t table, gva_t gva, int shift, uint64_t *entry)
{
	const void *p = mem_at(m, table + ((gva >> shift) & 511) * 8, 8);

	if (!p)
		return false;
	memcpy(entry, p, 8);
	return *entry & PTE_PRESENT;
}

/* rights: the bits that every level has. */
static bool walk(const struct mem *m, uint64_t cr3, gva_t gva, gpa_t *gpa, uint64_t *rights)
{
	uint64_t entry = cr3, offset;
	int shift;

	*rights = ~0ull;
	if (!is_canonical(gva))
		return false;
	for (shift = 39; ; shift -= 9) {
		if (!read_entry(m, entry & PTE_ADDR, gva, shift, &entry))
			return false;
		*rights &= entry;
		if (shift == 12 || (shift < 39 && (entry & PTE_LARGE)))
			break;
	}
	offset = (1ull << shift) - 1;           /* a large page's low address bits mean other things */
	*gpa = (entry & PTE_ADDR & ~offset) | (gva & offset);
	return true;
}

bool mem_walk(const struct mem *m, uint64_t cr3, gva_t gva, gpa_t *gpa, bool *user)
{
	uint64_t rights;

	if (!walk(m, cr3, gva, gpa, &rights))
		return false;
	if (user)
		*user = rights & PTE_USER;
	return true;
}

bool mem_is_writable(const struct mem *m, uint64_t cr3, gva_t gva, uint64_t size)
{
	uint64_t done, part, rights;
	gpa_t gpa;

	for (done = 0; done < size; done += part) {
		part = PAGE_SIZE - (gva + done) % PAGE_SIZE;
		if (part > size - done)
			part = size - done;
		if (!walk(m, cr3, gva + done, &gpa, &rights) || !(rights & PTE_WRITE) || !mem_at(m, gpa, part))
			return false;
	}
	return true;
}

/* Host pointer to gva and how many of the wanted bytes lie in its page. */
static void *page_part(const struct mem *m, uint64_t cr3, gva_t gva, uint64_t want, uint64_t *part)
{
	uint64_t rest = PAGE_SIZE - gva % PAGE_SIZE;
	gpa_t gpa;

	*part = want < rest ? want : rest;
	return mem_walk(m, cr3, gva, &gpa, NULL) ? mem_at(m, gpa, *part) : NULL;
}

bool mem_read(const struct mem *m, uint64_t cr3, gva_t gva, void *out, uint64_t size)
{
	uint64_t done, part;

	for (done = 0; done < size; done += part) {
		const void *p = page_part(m, cr3, gva + done, size - done, &part);

		if (!p)
			return false;
		memcpy((uint8_t *)out + done, p, part);
	}
	return true;
}

bool mem_write(const struct mem *m, uint64_t cr3, gva_t gva, const void *in, uint64_t size)
{
	uint64_t done, part;

	for (done = 0; done < size; done += part) {
		void *p = page_part(m, cr3, gva + done, size - done, &part);

		if (!p)
			return false;
		memcpy(p, (const uint8_t *)in + done, part);
	}
	return true;
}
