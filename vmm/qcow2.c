/* SPDX-License-Identifier: MIT */
/* qcow2.c: a qcow2 file that QEMU saves a machine's state into: making an empty one, and the state in it. */
#define _GNU_SOURCE
#include "vmm/qcow2.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x514649fbu
#define CLUSTER_BITS 14                 /* of the file that we make: small, a save writes few of them */
#define CLUSTER (1u << CLUSTER_BITS)
#define DISK_SIZE (1u << 20)
#define MOST_SNAPSHOTS 64
#define OFFSET_MASK 0x00fffffffffffe00ull /* of an entry in L1 and L2 */
#define COMPRESSED (1ull << 62)

/* The head of the file, big-endian (QEMU's docs/interop/qcow2). */
struct head {
	uint32_t magic, version;
	uint64_t backing;
	uint32_t backing_size, cluster_bits;
	uint64_t size;
	uint32_t crypt, l1_size;
	uint64_t l1, refcounts;
	uint32_t refcount_clusters, snapshots;
	uint64_t snapshots_at;
};
_Static_assert(sizeof(struct head) == 72, "as it lies in the file");

/* A snapshot's head; behind it more of it, its id and its name. */
struct entry {
	uint64_t l1;
	uint32_t l1_size;
	uint16_t id_size, name_size;
	uint64_t date, clock;
	uint32_t state_size, extra_size;
	uint64_t large_size;            /* of the state again, if extra_size has it */
};
#define ENTRY_HEAD 40
_Static_assert(sizeof(struct entry) == ENTRY_HEAD + 8, "as it lies in the file");

/* Where the newest snapshot's state is. */
struct state {
	int fd;
	uint64_t file_size, entry_at, size;
	unsigned cluster_bits;
	uint64_t first;                 /* its first entry in the snapshot's L1 */
	struct entry entry;
};

/* Cluster 0: the head; 1: the table of refcount blocks; 2: its one block; 3: L1, empty. */
bool qcow2_create(int fd)
{
	const struct head head = {
		.magic = htobe32(MAGIC), .version = htobe32(2), .cluster_bits = htobe32(CLUSTER_BITS), .size = htobe64(DISK_SIZE),
		.l1_size = htobe32(1), .l1 = htobe64(3 * CLUSTER), .refcounts = htobe64(CLUSTER), .refcount_clusters = htobe32(1),
	};
	const uint64_t block = htobe64(2 * CLUSTER);
	const uint16_t one = htobe16(1), count[4] = { one, one, one, one };

	return !ftruncate(fd, 0) && !ftruncate(fd, 4 * CLUSTER) && pwrite(fd, &head, sizeof(head), 0) == sizeof(head) &&
	       pwrite(fd, &block, sizeof(block), CLUSTER) == sizeof(block) &&
	       pwrite(fd, count, sizeof(count), 2 * CLUSTER) == sizeof(count);
}

static bool read_at(const struct state *s, uint64_t at, void *out, size_t size)
{
	return at <= s->file_size && size <= s->file_size - at && pread(s->fd, out, size, at) == (ssize_t)size;
}

static bool read_head(struct state *s, struct head *h)
{
	struct stat st;

	if (fstat(s->fd, &st) || st.st_size < 0)
		return false;
	s->file_size = st.st_size;
	if (!read_at(s, 0, h, sizeof(*h)) || be32toh(h->magic) != MAGIC)
		return false;
	s->cluster_bits = be32toh(h->cluster_bits);
	return s->cluster_bits >= 9 && s->cluster_bits <= 21;
}

/* Snapshots are added at the end, each on a multiple of 8. */
static bool find_newest(struct state *s, const struct head *h)
{
	uint32_t count = be32toh(h->snapshots);
	uint64_t at = be64toh(h->snapshots_at);

	if (!count || count > MOST_SNAPSHOTS)
		return false;
	while (count--) {
		if (!read_at(s, at, &s->entry, ENTRY_HEAD))
			return false;
		s->entry_at = at;
		at += ENTRY_HEAD + (uint64_t)be32toh(s->entry.extra_size) + be16toh(s->entry.id_size) + be16toh(s->entry.name_size);
		at = (at + 7) & ~7ull;
	}
	return true;
}

static bool has_large_size(const struct state *s)
{
	return be32toh(s->entry.extra_size) >= sizeof(s->entry.large_size);
}

/* The state lies behind the disk's contents, from where L1's next entry begins. */
static bool find_state(struct state *s)
{
	struct head h;
	unsigned shift;

	if (!read_head(s, &h) || !find_newest(s, &h))
		return false;
	shift = 2 * s->cluster_bits - 3;
	s->first = (be64toh(h.size) >> shift) + !!(be64toh(h.size) & ((1ull << shift) - 1));
	s->size = be32toh(s->entry.state_size);
	if (has_large_size(s)) {
		if (!read_at(s, s->entry_at + ENTRY_HEAD, &s->entry.large_size, sizeof(s->entry.large_size)))
			return false;
		s->size = be64toh(s->entry.large_size);
	}
	return true;
}

static bool table_entry(const struct state *s, uint64_t table, uint64_t n, uint64_t *out)
{
	uint64_t raw;

	if (table & ((1ull << s->cluster_bits) - 1) || !read_at(s, table + 8 * n, &raw, sizeof(raw)))
		return false;
	raw = be64toh(raw);
	*out = raw & OFFSET_MASK;
	return *out && !(raw & COMPRESSED);
}

/* Where the state's cluster n lies in the file. The file may end within it. */
static bool find_cluster(const struct state *s, uint64_t n, uint64_t *at)
{
	unsigned l2_bits = s->cluster_bits - 3;
	uint64_t l2, l1_index = s->first + (n >> l2_bits);

	return l1_index < be32toh(s->entry.l1_size) && table_entry(s, be64toh(s->entry.l1), l1_index, &l2) &&
	       table_entry(s, l2, n & ((1ull << l2_bits) - 1), at) && !(*at & ((1ull << s->cluster_bits) - 1)) &&
	       *at < s->file_size;
}

/* Calls part() for each cluster's share of `size` bytes. */
static bool each_part(const struct state *s, size_t size, bool (*part)(const struct state *s, uint64_t at, uint8_t *bytes, size_t n),
		      uint8_t *bytes)
{
	size_t cluster = (size_t)1 << s->cluster_bits;

	for (size_t done = 0, n; done < size; done += n) {
		uint64_t at;

		n = size - done < cluster ? size - done : cluster;
		if (!find_cluster(s, done >> s->cluster_bits, &at) || !part(s, at, bytes + done, n))
			return false;
	}
	return true;
}

static bool read_part(const struct state *s, uint64_t at, uint8_t *bytes, size_t n)
{
	return read_at(s, at, bytes, n);
}

static bool is_there(const struct state *s, uint64_t at, uint8_t *bytes, size_t n)
{
	(void)s;
	(void)at;
	(void)bytes;
	(void)n;
	return true;
}

static bool write_part(const struct state *s, uint64_t at, uint8_t *bytes, size_t n)
{
	return pwrite(s->fd, bytes, n, at) == (ssize_t)n;
}

bool qcow2_read_state(int fd, uint8_t *out, size_t room, size_t *size)
{
	struct state s = { .fd = fd };

	if (!find_state(&s) || s.size > room)
		return false;
	*size = s.size;
	return each_part(&s, s.size, read_part, out);
}

/* QEMU itself reads on until it has seen the stream's end; the size is for who reads the file next. */
static bool write_size(struct state *s, size_t size)
{
	const uint64_t large = htobe64(size);
	const uint32_t small = htobe32(size);

	return pwrite(s->fd, &small, sizeof(small), s->entry_at + offsetof(struct entry, state_size)) == sizeof(small) &&
	       (!has_large_size(s) || pwrite(s->fd, &large, sizeof(large), s->entry_at + ENTRY_HEAD) == sizeof(large));
}

bool qcow2_write_state(int fd, const uint8_t *bytes, size_t size)
{
	struct state s = { .fd = fd };

	return find_state(&s) && size <= UINT32_MAX && each_part(&s, size, is_there, (uint8_t *)bytes) &&
	       each_part(&s, size, write_part, (uint8_t *)bytes) && write_size(&s, size);
}
