/* SPDX-License-Identifier: MIT */
/* t-scenario.c: a scenario file says what it says, a wrong one is refused with file and line, and those that
 * come with the bench are all good. The first argument is their directory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vmm/scenario.h"

#define GOOD \
	"# a comment\n[scenario]\nclaim = It holds.\nrows = S0.1, S2.4\nbugs = 1,38\nprogram = syscall_iret\n" \
	"cpus = 1\nthreads = 2\nschemes = swapgs, ist\nevents = nmi,db\n"

static char dir[] = "/tmp/t-scenario-XXXXXX", path[64], err[700];
static struct scenario s;

static bool read_text(const char *name, const char *text, size_t size)
{
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(text, 1, size, f) != size || fclose(f))
		perror(path);
	strcpy(err, "no error was given");
	return scenario_read(path, &s, err, sizeof(err));
}

static void test_good(void)
{
	if (!ok(read_text("good-one.scn", GOOD, strlen(GOOD)), "a good file reads"))
		printf("# %s\n", err);
	is_str(s.name, "good-one", "its name is the file's");
	is_str(s.path, path, "its path");
	is_str(s.claim, "It holds.", "its claim");
	is_str(s.rows, "S0.1, S2.4", "its rows");
	is_str(s.bugs, "1,38", "its bugs");
	is_str(s.program, "syscall_iret", "its program");
	ok(s.cpus == 1 && s.threads == 2, "its CPUs and threads");
	is_u64(s.schemes, 1 << SCHEME_SWAPGS | 1 << SCHEME_IST, "its schemes");
	is_u64(s.events, 1 << EVENT_NMI | 1 << EVENT_DB, "its events");
	is_u64(s.gs, 0, "without gs every legal value");
	is_u64(s.flags, 0, "without flags none");
	read_text("a.scn", GOOD "gs = u-edge,u-own-k\nflags = 0x240602", strlen(GOOD) + 36);
	is_u64(s.gs, 1 << GS_EDGE | 1 << GS_OWN_K, "with gs those");
	is_u64(s.flags, 0x240602, "with flags these, and no newline is needed at the end");
}

/* The good file with one more or one other line is refused at that line. */
static void refused(const char *text, int line, const char *why)
{
	char want[128];
	bool good = read_text("bad.scn", text, strlen(text));

	snprintf(want, sizeof(want), "%s:%d: ", path, line);
	if (!ok(!good && !strncmp(err, want, strlen(want)) && strstr(err, why) && !strchr(err, '\n'),
		"line %d refused: %s", line, why))
		printf("# it says: %s\n", err);
}

static void test_lines(void)
{
	char longest[600];

	refused(GOOD "colour = red\n", 11, "unknown key 'colour'");
	refused(GOOD "cpus = 1\n", 11, "cpus is given twice");
	refused(GOOD "\n\ngs = u-red\n", 13, "bad value of gs");
	refused(GOOD "gs = u-zero,\n", 11, "bad value of gs");
	refused(GOOD "gs = u-zero,u-zero\n", 11, "at most once");
	refused(GOOD "gs =\n", 11, "bad value of gs");
	refused(GOOD "flags = 100\n", 11, "a hexadecimal number");
	refused(GOOD "flags = 0x10000000000000000\n", 11, "bad value of flags");
	refused(GOOD "flags = 0x-1\n", 11, "bad value of flags");
	refused(GOOD "what is this\n", 11, "neither");
	refused(GOOD "[other]\nx = 1\n", 12, "unknown section [other]");
	refused("what is this\n" GOOD "colour = red\n", 1, "neither");
	refused("cpus = 0\n" GOOD, 1, "bad value of cpus: must be 1 or 2");
	refused("cpus = 3\n" GOOD, 1, "bad value of cpus");
	refused("cpus = -1\n" GOOD, 1, "bad value of cpus");
	refused("cpus = 4294967297\n" GOOD, 1, "bad value of cpus");
	refused("threads = 17\n" GOOD, 1, "bad value of threads");
	refused("program = a b\n" GOOD, 1, "bad value of program");
	refused("program = scheme=pure\n" GOOD, 1, "bad value of program");
	refused("schemes = lsl\n" GOOD, 1, "bad value of schemes");
	refused("events = smi\n" GOOD, 1, "bad value of events");
	refused("rows = 0.1\n" GOOD, 1, "bad value of rows");
	refused("bugs = one\n" GOOD, 1, "bad value of bugs");
	refused("claim =\n" GOOD, 1, "bad value of claim");
	refused("", 1, "missing key 'claim'");
	refused("[scenario]\nclaim = It holds.\n", 2, "missing key 'rows'");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "claim = ", 8);
	strcpy(longest + 500, "\n");
	refused(longest, 1, "too long");
}

static void test_files(void)
{
	ok(!read_text("zero.scn", GOOD "\0\0\0\n", strlen(GOOD) + 4) && strstr(err, ":11: "), "NUL bytes are refused: %s", err);
	ok(!read_text("name.txt", GOOD, strlen(GOOD)) && strstr(err, "NAME.scn"), "another suffix is refused");
	ok(!read_text("a b.scn", GOOD, strlen(GOOD)) && strstr(err, "NAME.scn"), "a name that no case id can hold, too");
	ok(!scenario_read("/nonexistent.scn", &s, err, sizeof(err)), "a missing file is refused");
	is_str(err, "/nonexistent.scn: No such file or directory", "and named");
	snprintf(path, sizeof(path), "%s/fifo.scn", dir);
	if (mkfifo(path, 0600))
		perror(path);
	ok(!scenario_read(path, &s, err, sizeof(err)) && strstr(err, "not a regular file"), "a FIFO does not hang us");
}

static void remove_all(void)
{
	const char *const names[] = { "good-one.scn", "a.scn", "bad.scn", "zero.scn", "name.txt", "a b.scn", "fifo.scn" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
}

static void test_list(const char *shipped)
{
	struct scenario *list;
	int i, n;

	remove_all();
	is_u64(scenario_list(dir, &list, err, sizeof(err)), 0, "an empty directory has no scenarios");
	free(list);
	read_text("bad.scn", "x = 1\n", 6);
	is_u64(scenario_list(dir, &list, err, sizeof(err)), -1ull, "one bad file fails the list");
	ok(!list && strstr(err, "/bad.scn:1: "), "and is named: %s", err);
	remove_all();
	rmdir(dir);
	is_u64(scenario_list(dir, &list, err, sizeof(err)), -1ull, "a missing directory fails, too");
	n = scenario_list(shipped, &list, err, sizeof(err));
	ok(n > 0, "%s has scenarios, and all are good: %s", shipped, n > 0 ? "yes" : err);
	for (i = 1; i < n; i++)
		if (strcmp(list[i - 1].name, list[i].name) >= 0)
			break;
	is_u64(i, n, "they are sorted by name");
	free(list);
}

int main(int argc, char **argv)
{
	plan(14 + 27 + 6 + 6);
	if (!mkdtemp(dir))
		perror(dir);
	test_good();
	test_lines();
	test_files();
	test_list(argc > 1 ? argv[1] : "scenarios");
	return done();
}
