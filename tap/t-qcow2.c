/* SPDX-License-Identifier: MIT */
/* t-qcow2.c: the state in a qcow2 file's newest snapshot, also in files that lie. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vmm/qcow2.h"

#define CLUSTER 16384u
#define MOST (3 * CLUSTER)

/* Clusters of the file that we make: behind the empty image the snapshots, their L1, an L2, the state's three clusters in another order. */
enum { SNAPSHOTS = 4, OLD_L1, NEW_L1, OLD_L2, NEW_L2, STATE_1, STATE_0, OLD_STATE, CLUSTERS };

static int fd;
static uint8_t state[MOST], got[MOST];

static void put(uint64_t at, uint64_t value, unsigned size)
{
	uint8_t bytes[8];

	for (unsigned n = 0; n < size; n++)
		bytes[n] = value >> (8 * (size - 1 - n));
	pwrite(fd, bytes, size, at);
}

/* An entry of 56 bytes: its head, the size again and a disk size. */
static void snapshot(uint64_t at, unsigned l1, uint64_t size)
{
	put(at, l1 * CLUSTER, 8);
	put(at + 8, 2, 4);
	put(at + 12, 1, 2);
	put(at + 14, 1, 2);
	put(at + 32, size, 4);
	put(at + 36, 16, 4);
	put(at + 40, size, 8);
}

static void make(void)
{
	if (!qcow2_create(fd) || ftruncate(fd, CLUSTERS * CLUSTER))
		return;
	put(60, 2, 4);
	put(64, SNAPSHOTS * CLUSTER, 8);
	snapshot(SNAPSHOTS * CLUSTER, OLD_L1, 3);
	snapshot(SNAPSHOTS * CLUSTER + 64, NEW_L1, CLUSTER + 100);
	put(OLD_L1 * CLUSTER + 8, OLD_L2 * CLUSTER, 8);
	put(NEW_L1 * CLUSTER + 8, NEW_L2 * CLUSTER | 1ull << 63, 8);
	put(OLD_L2 * CLUSTER, OLD_STATE * CLUSTER, 8);
	put(NEW_L2 * CLUSTER, STATE_0 * CLUSTER | 1ull << 63, 8);
	put(NEW_L2 * CLUSTER + 8, STATE_1 * CLUSTER, 8);
	/* Where tables that are not aligned would find the same. */
	put(NEW_L1 * CLUSTER + 16, NEW_L2 * CLUSTER, 8);
	put(NEW_L2 * CLUSTER + 512, STATE_0 * CLUSTER, 8);
	put(NEW_L2 * CLUSTER + 520, STATE_1 * CLUSTER, 8);
	for (unsigned n = 0; n < MOST; n++)
		state[n] = n * 7 + n / 251;
	pwrite(fd, state, CLUSTER, STATE_0 * CLUSTER);
	pwrite(fd, state + CLUSTER, 100, STATE_1 * CLUSTER);
}

static bool reads(size_t want)
{
	size_t size = 0;

	memset(got, 0, sizeof(got));
	return qcow2_read_state(fd, got, sizeof(got), &size) && size == want && !memcmp(got, state, want);
}

static void good_files(void)
{
	size_t size;

	ok(qcow2_create(fd) && !reads(0), "an empty image has no state");
	make();
	ok(reads(CLUSTER + 100), "the newest snapshot's state, cluster by cluster");
	ok(!qcow2_read_state(fd, got, CLUSTER + 99, &size), "not into less room");
	memset(state, 0xa5, 2 * CLUSTER);
	ok(qcow2_write_state(fd, state, 2 * CLUSTER) && reads(2 * CLUSTER), "all of its clusters written, and read back");
	ok(qcow2_write_state(fd, state, 10) && reads(10), "less written, and read back");
	memset(got, 1, sizeof(got));
	ok(!qcow2_write_state(fd, got, 2 * CLUSTER + 1) && reads(10), "more than its clusters hold is refused, and nothing written");
	put(60, 1, 4);
	memset(state, 0, 3);
	ok(reads(3), "another snapshot's state is its own");
	make();
	put(SNAPSHOTS * CLUSTER + 64 + 36, 0, 4);
	ok(qcow2_write_state(fd, state, 50) && reads(50), "a snapshot that says its size once");
}

/* One number of the file is another, and neither reading nor writing believes it. */
static void lie(uint64_t at, uint64_t value, unsigned size, const char *name)
{
	size_t n;
	struct stat before, after;

	make();
	put(at, value, size);
	fstat(fd, &before);
	ok(!qcow2_read_state(fd, got, sizeof(got), &n), "not read: %s", name);
	ok(!qcow2_write_state(fd, state, CLUSTER + 1) && !fstat(fd, &after) && before.st_size == after.st_size, "not written: %s", name);
}

static void lies(void)
{
	const uint64_t entry = SNAPSHOTS * CLUSTER + 64;

	lie(0, 0x514649fc, 4, "another magic number");
	lie(20, 8, 4, "clusters of 256 bytes");
	lie(20, 63, 4, "clusters of 2^63 bytes");
	lie(60, 0, 4, "no snapshot");
	lie(60, 0xffffffff, 4, "more snapshots than anybody makes");
	lie(64, ~0ull - 7, 8, "snapshots at the end of the address space");
	lie(64, CLUSTERS * CLUSTER - 8, 8, "snapshots that the file's end cuts");
	lie(SNAPSHOTS * CLUSTER + 36, 0xffffffff, 4, "a snapshot of 4 GB before it");
	lie(24, ~0ull, 8, "a disk of 2^64 bytes");
	lie(entry + 8, 1, 4, "an L1 without an entry for the state");
	lie(entry, NEW_L1 * CLUSTER + 8, 8, "an L1 that is not aligned");
	lie(entry, 1ull << 55, 8, "an L1 behind the file's end");
	lie(NEW_L1 * CLUSTER + 8, 0, 8, "no L2");
	lie(NEW_L1 * CLUSTER + 8, CLUSTERS * CLUSTER, 8, "an L2 behind the file's end");
	lie(NEW_L1 * CLUSTER + 8, NEW_L2 * CLUSTER + 512, 8, "an L2 that is not aligned");
	lie(NEW_L2 * CLUSTER + 8, 0, 8, "a cluster that is not allocated");
	lie(NEW_L2 * CLUSTER + 8, STATE_1 * CLUSTER | 1ull << 62, 8, "a compressed cluster");
	lie(NEW_L2 * CLUSTER + 8, CLUSTERS * CLUSTER, 8, "a cluster behind the file's end");
	lie(NEW_L2 * CLUSTER + 8, STATE_1 * CLUSTER + 512, 8, "a cluster that is not aligned");
}

static void no_file(void)
{
	size_t size;

	ftruncate(fd, 0);
	ok(!qcow2_read_state(fd, got, sizeof(got), &size) && !qcow2_write_state(fd, got, 1), "an empty file");
	ok(!qcow2_read_state(-1, got, sizeof(got), &size) && !qcow2_write_state(-1, got, 1) && !qcow2_create(-1), "no file");
}

int main(void)
{
	fd = memfd_create("image", 0);
	plan(8 + 2 * 19 + 2);
	good_files();
	lies();
	no_file();
	return done();
}
