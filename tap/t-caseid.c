/* SPDX-License-Identifier: MIT */
/* t-caseid.c: a case id means one case, comes back as it was written, and a bad one gets one clear line. */
#include <string.h>

#include "tap/tap.h"
#include "vmm/caseid.h"

static char err[256];

static void same_again(const char *text)
{
	char out[CASEID_SIZE];
	struct caseid c;

	if (caseid_parse(text, &c, err, sizeof(err)))
		caseid_format(&c, out, sizeof(out));
	else
		strcpy(out, err);
	is_str(out, text, "%s comes back as it was", text);
}

static void refused(const char *text, const char *why)
{
	struct caseid c;
	bool parsed;

	err[0] = '\0';
	parsed = caseid_parse(text, &c, err, sizeof(err));
	ok(!parsed && strstr(err, why) && !strchr(err, '\n'), "%.60s is refused: %s", text, err);
}

static void test_good(void)
{
	struct caseid c;

	ok(caseid_parse("syscall-iret/ist/u-negative/entry_SYSCALL_64+0x1f@12:mce", &c, err, sizeof(err)),
	   "the example parses");
	is_str(c.scenario, "syscall-iret", "its scenario");
	is_u64(c.scheme, SCHEME_IST, "its scheme");
	is_u64(c.gs, GS_NEGATIVE, "its user GS");
	is_str(c.symbol, "entry_SYSCALL_64", "its symbol");
	is_u64(c.offset, 0x1f, "its offset");
	is_u64(c.visit, 12, "its visit");
	is_u64(c.event, EVENT_MCE, "its event");
	same_again("gs/swapgs/u-zero/a+0x0@1:nmi");
	same_again("gs/swapgs/u-4g/do_it.isra.0+0xffffffffffffffff@4294967295:db");
	same_again("gs/ist/u-own-k/name@plt+0x10+0x4@2:db");
	same_again("gs/ist/u-other-k/cpu_init+0x4@2:db");
	same_again("gs/ist/u-other-k/cpu.first+0x4@2:db");
	same_again("ipi/ist/u-other-k/cpu0.entry+0x4@2:db");
	same_again("ipi/ist/u-other-k/cpu1.cpu0.entry+0x4@2:db,cpu0@100");
	ok(caseid_parse("ipi/ist/u-zero/cpu1.a+0x1@2:mce,cpu0@3", &c, err, sizeof(err)) && c.has_cpu && c.cpu == 1 && c.turns == 3 &&
	   !strcmp(c.symbol, "a"), "the case's CPU and the other one's turns");
}

static void test_bad(void)
{
	char longest[400];

	refused("", "empty");
	refused("syscall", "must be SCENARIO/");
	refused("/ist/u-zero/a+0x0@1:nmi", "scenario is empty");
	refused("s/lsl/u-zero/a+0x0@1:nmi", "unknown scheme 'lsl'");
	refused("s/ist/u-nothing/a+0x0@1:nmi", "unknown user GS 'u-nothing'");
	refused("s/ist/u-zero/a+0x0@1", "SYMBOL+0xOFFSET");
	refused("s/ist/u-zero/a@1:nmi", "SYMBOL+0xOFFSET");
	refused("s/ist/u-zero/a+0x0:nmi", "SYMBOL+0xOFFSET");
	refused("s/ist/u-zero/a+0x0@1:smi", "unknown event 'smi'");
	refused("s/ist/u-zero/a+0x0@0:nmi", "visit '0'");
	refused("s/ist/u-zero/a+0x0@-1:nmi", "visit '-1'");
	refused("s/ist/u-zero/a+0x0@:nmi", "visit ''");
	refused("s/ist/u-zero/a+0x0@4294967296:nmi", "visit '4294967296'");
	refused("s/ist/u-zero/a+0xg@1:nmi", "offset '0xg'");
	refused("s/ist/u-zero/a+0x10000000000000000@1:nmi", "offset");
	refused("s/ist/u-zero/+0x0@1:nmi", "symbol is empty");
	refused("s/ist/u-zero/cpu2.a+0x0@1:nmi", "there is no such CPU");
	refused("s/ist/u-zero/cpu01.a+0x0@1:nmi", "there is no such CPU");
	refused("s/ist/u-zero/cpu1.+0x0@1:nmi", "symbol is empty");
	refused("s/ist/u-zero/a+0x0@1:nmi,b+0x0@1:mce", "not supported yet");
	refused("s/ist/u-zero/a+0x0@1:nmi,cpu1@1", "is not cpuM@TURNS");
	refused("s/ist/u-zero/cpu1.a+0x0@1:nmi,cpu1@1", "is not cpuM@TURNS");
	refused("s/ist/u-zero/cpu1.a+0x0@1:nmi,cpu2@1", "is not cpuM@TURNS");
	refused("s/ist/u-zero/cpu1.a+0x0@1:nmi,cpu0@0", "is not cpuM@TURNS");
	refused("s/ist/u-zero/cpu1.a+0x0@1:nmi,cpu0@101", "is not cpuM@TURNS");
	refused("s/ist/u-zero/cpu1.a+0x0@1:nmi,cpu0@", "is not cpuM@TURNS");
	refused("s/ist/u-zero/cpu1.a+0x0@1:nmi,", "is not cpuM@TURNS");
	refused("s/ist/u-zero/a b+0x0@1:nmi", "character ' ' at position 15");
	refused("s/ist/u-zero/a+0x0@1:nmi\n", "byte 0x0a");
	refused("s/ist/u-zero/\xc3\xa4+0x0@1:nmi", "byte 0xc3");
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	refused(longest, "longer than");
	memcpy(longest, "s/ist/u-zero/", 13);
	strcpy(longest + 13 + 128, "+0x0@1:nmi");
	refused(longest, "too long");
}

/* What a pin of a scenario file has of a case id. */
static void test_tail(void)
{
	struct caseid c;

	ok(caseid_parse_tail("ist/u-zero/a+0x1f@2:db", &c, err, sizeof(err)), "a case id without its scenario parses");
	ok(!*c.scenario && c.scheme == SCHEME_IST && c.gs == GS_ZERO && c.offset == 0x1f && c.visit == 2 &&
	   c.event == EVENT_DB && !strcmp(c.symbol, "a"), "and means what it says");
	ok(!caseid_parse_tail("s/ist/u-zero/a+0x1f@2:db", &c, err, sizeof(err)) && strstr(err, "unknown scheme 's'"),
	   "with a scenario it is refused: %s", err);
	ok(!caseid_parse_tail("ist/u-zero", &c, err, sizeof(err)) && strstr(err, "is not SCHEME/GS/"), "so is half of one: %s",
	   err);
}

int main(void)
{
	plan(16 + 32 + 4);
	test_good();
	test_bad();
	test_tail();
	return done();
}
