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
#define PIN "pin = ist/u-zero/entry_SYSCALL_64+0x0@1:nmi "

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
	ok(s.cpus == 1 && s.threads == 2 && !s.boots && !s.turns, "its CPUs and threads");
	is_u64(s.schemes, 1 << SCHEME_SWAPGS | 1 << SCHEME_IST, "its schemes");
	is_u64(s.events, 1 << EVENT_NMI | 1 << EVENT_DB, "its events");
	is_u64(s.gs, 0, "without gs every legal value");
	is_u64(s.flags, 0, "without flags none");
	ok(!s.cmdline && scenario_scheme(&s, SCHEME_IST) == SCHEME_IST, "without cmdline no word, and the scheme is the one asked for");
	read_text("a.scn", GOOD "gs = u-edge,u-own-k\nflags = 0x240602", strlen(GOOD) + 36);
	is_u64(s.gs, 1 << GS_EDGE | 1 << GS_OWN_K, "with gs those");
	is_u64(s.deaths, 0, "without deaths none");
	read_text("a.scn", GOOD "deaths = mcip , no-ist\n", strlen(GOOD) + 23);
	is_u64(s.deaths, 1 << DEATH_MCIP | 1 << DEATH_NO_IST, "with deaths those");
	read_text("a.scn", GOOD "deaths = none\nflags = 0x240602", strlen(GOOD) + 30);
	is_u64(s.deaths, 0, "no deaths by name");
	is_u64(s.flags, 0x240602, "with flags these, and no newline is needed at the end");
	ok(!s.needs, "without needs nothing");
	read_text("a.scn", GOOD "needs = watchpoints\n", strlen(GOOD) + 20);
	is_u64(s.needs, 1 << NEED_WATCHPOINTS, "with needs that");
	read_text("a.scn", GOOD "cmdline = nofsgsbase\n", strlen(GOOD) + 21);
	is_u64(s.cmdline, 1 << CMDLINE_NOFSGSBASE, "with cmdline its word");
	ok(scenario_scheme(&s, SCHEME_IST) == SCHEME_SWAPGS && scenario_scheme(&s, SCHEME_SWAPGS) == SCHEME_SWAPGS,
	   "and without FSGSBASE the scheme is swapgs");
}

static void test_pins(void)
{
	const char *text = GOOD PIN "good\npin = swapgs/u-top/a.b+0x1f@12:db\ttransparent";
	const struct pin *p = s.pins;

	if (!ok(read_text("pins.scn", text, strlen(text)), "a file with pins reads"))
		printf("# %s\n", err);
	is_u64(s.pin_count, 2, "both are there");
	is_str(p->id.scenario, "pins", "the scenario of a pin is the file's");
	is_str(p->id.symbol, "entry_SYSCALL_64", "its symbol");
	ok(p->id.scheme == SCHEME_IST && p->id.gs == GS_ZERO && p->id.visit == 1 && p->id.event == EVENT_NMI, "its case");
	ok(p->good && p->line == 11, "its verdict and its line");
	ok(p[1].id.scheme == SCHEME_SWAPGS && p[1].id.gs == GS_TOP && p[1].id.offset == 0x1f && p[1].id.visit == 12 &&
	   p[1].id.event == EVENT_DB, "the other case");
	ok(!p[1].good && p[1].rule == RULE_TRANSPARENT && p[1].line == 12, "pinned as the violation of a rule");
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
	read_text("a.scn", GOOD "cmdline = timer=migrate\n", strlen(GOOD) + 24);
	ok(scenario_timer_migrates(&s), "timer=migrate is one, too");
	refused(GOOD "cmdline = fsgsbase\n", 11, "bad value of cmdline: must be words of the guest's command line: nofsgsbase");
	refused(GOOD "cmdline = nofsgsbase, nofsgsbase\n", 11, "bad value of cmdline");
	refused(GOOD "cmdline =\n", 11, "bad value of cmdline");
	refused(GOOD "cmdline = gs=0x1\n", 11, "bad value of cmdline");
	refused(GOOD "deaths = sleep\n", 11, "bad value of deaths: must be mcip, same-ist, no-ist");
	refused(GOOD "deaths = mcip,mcip\n", 11, "at most once");
	refused(GOOD "deaths =\n", 11, "bad value of deaths");
	refused(GOOD "deaths = none,mcip\n", 11, "bad value of deaths");
	refused(GOOD "needs = luck\n", 11, "bad value of needs: must be what a host may lack: watchpoints, breakpoints, kernel-int3, compat");
	refused(GOOD "needs = watchpoints,watchpoints\n", 11, "bad value of needs");
	refused(GOOD "what is this\n", 11, "neither");
	refused(GOOD "[other]\nx = 1\n", 12, "unknown section [other]");
	refused("what is this\n" GOOD "colour = red\n", 1, "neither");
	refused("cpus = 0\n" GOOD, 1, "bad value of cpus: must be 1 or 2");
	refused("cpus = 3\n" GOOD, 1, "bad value of cpus");
	refused("turns = 0\n" GOOD, 1, "bad value of turns: must be 1 to 100");
	refused("turns = 101\n" GOOD, 1, "bad value of turns");
	refused("begins = early\n" GOOD, 1, "bad value of begins: must be user or boot");
	refused("cpus = -1\n" GOOD, 1, "bad value of cpus");
	refused("cpus = 4294967297\n" GOOD, 1, "bad value of cpus");
	refused("threads = 17\n" GOOD, 1, "bad value of threads");
	refused("program = a b\n" GOOD, 1, "bad value of program");
	refused("program = scheme=pure\n" GOOD, 1, "bad value of program");
	refused("schemes = rdpid\n" GOOD, 1, "bad value of schemes");
	refused("events = smi\n" GOOD, 1, "bad value of events");
	refused("rows = 0.1\n" GOOD, 1, "bad value of rows");
	refused("bugs = one\n" GOOD, 1, "bad value of bugs");
	refused("claim =\n" GOOD, 1, "bad value of claim");
	refused("", 1, "missing key 'claim'");
	refused("[scenario]\nclaim = It holds.\n", 2, "missing key 'rows'");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "claim = ", 8);
	strcpy(longest + 500, "\n");
	refused(longest, 1, "too long: 198 characters at most");
	refused(GOOD "gs =\n  u-zero\n", 11, "bad value of gs");
	refused("claim = It holds\n  well.\n" GOOD, 2, "begins with white space");
	refused("claim = It \033 holds.\n" GOOD, 1, "not text");
}

static void test_pin_lines(void)
{
	char many[sizeof(GOOD) + (SCENARIO_PINS + 1) * 48];
	size_t n = strlen(GOOD);

	refused(GOOD "pin =\n", 11, "empty");
	refused(GOOD "pin = good\n", 11, "'good' is not SCHEME/GS/");
	refused(GOOD "pin = syscall/ist/u-zero/a+0x0@1:nmi good\n", 11, "unknown scheme 'syscall'");
	refused(GOOD "pin = rdpid/u-zero/a+0x0@1:nmi good\n", 11, "unknown scheme 'rdpid'");
	refused(GOOD "pin = ist/u-red/a+0x0@1:nmi good\n", 11, "unknown user GS 'u-red'");
	refused(GOOD "pin = ist/u-zero/a@1:nmi good\n", 11, "must be SYMBOL+0x");
	refused(GOOD "pin = ist/u-zero/a+0x0@0:nmi good\n", 11, "visit '0'");
	refused(GOOD "pin = ist/u-zero/a+0x0@1:boo good\n", 11, "unknown event 'boo'");
	refused(GOOD "pin = ist/u-zero/a*b+0x0@1:nmi good\n", 11, "character '*' at position 13");
	refused(GOOD "pin = ist/u-zero/a+0x0@1:nmi\n", 11, "the verdict is missing");
	refused(GOOD PIN "; good\n", 11, "the verdict is missing");
	refused(GOOD PIN "bad\n", 11, "unknown verdict 'bad'");
	refused(GOOD PIN "good good\n", 11, "unknown verdict 'good good'");
	refused(GOOD PIN "good\n" PIN "masking\n", 12, "pinned in line 11 already");
	refused(GOOD "pin = ist/u-zero/a+0x0@1:mce good\n", 11, "event mce, which is not among the events");
	refused("gs = u-top\n" GOOD PIN "good\n", 12, "u-zero, which is not among the user GS values");
	refused(GOOD "pin = swapgs/u-own-k/a+0x0@1:nmi good\n", 11, "u-own-k, which scheme swapgs never meets");
	refused(GOOD "pin = ist/u-negative/a+0x0@1:nmi good\ncmdline = nofsgsbase\n", 11,
		"u-negative, which scheme swapgs never meets");
	refused(PIN "good\nschemes = swapgs\n", 2, "missing key 'claim'");
	refused("[scenario]\n" PIN "good\nclaim = c\nrows = none\nbugs = none\nprogram = p\ncpus = 1\nthreads = 1\n"
		"schemes = swapgs\nevents = nmi\n", 2, "scheme ist, which is not among the schemes");
	strcpy(many, GOOD);
	for (int k = 0; k <= SCENARIO_PINS; k++)
		n += sprintf(many + n, "pin = ist/u-zero/a+0x%x@1:nmi good\n", k);
	refused(many, 11 + SCENARIO_PINS, "more than 32 pins");
}

static void test_files(void)
{
	ok(!read_text("zero.scn", GOOD "\0\0\0\n", strlen(GOOD) + 4) && strstr(err, ":11: "), "NUL bytes are refused: %s", err);
	ok(!read_text("end.scn", GOOD "gs = u-zero\0x", strlen(GOOD) + 13) && strstr(err, ":11: "), "at the very end, too: %s", err);
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
	const char *const names[] = { "good-one.scn", "a.scn", "pins.scn", "end.scn", "bad.scn", "zero.scn", "name.txt", "a b.scn",
		"fifo.scn" };
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
	plan(19 + 8 + 40 + 28 + 7 + 6);
	if (!mkdtemp(dir))
		perror(dir);
	test_good();
	test_pins();
	test_lines();
	test_pin_lines();
	test_files();
	test_list(argc > 1 ? argv[1] : "scenarios");
	return done();
}
