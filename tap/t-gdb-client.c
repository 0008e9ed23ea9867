/* SPDX-License-Identifier: MIT */
/* t-gdb-client.c: the client of a gdb stub that answers as it should, wrongly, late or not at all. The answers lie ready before they are
 * asked for. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vmm/clock.h"
#include "vmm/gdb.h"

#define LIMIT 0.2
#define HEAD "<target><xi:include href=\"a.xml\"/></target>"

static struct gdb g;
static int here, there;

/* The description of all that the bench must have, but for `k_gs_base`. */
static const char *const names64[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "fs_base",
	"gs_base", "cr0", "cr2", "cr3", "cr4", "efer",
};
static const char *const names32[] = { "eflags", "cs", "ss", "ds", "es", "fs", "gs" };

static void answer(const char *text)
{
	char packet[8192] = "+";
	size_t size = 1 + gdb_packet_make(packet + 1, sizeof(packet) - 1, text, strlen(text));

	if (write(there, packet, size) != (ssize_t)size)
		perror("write");
}

static void fresh(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		perror("socketpair");
	here = pair[0];
	there = pair[1];
}

static void finish(void)
{
	close(here);
	close(there);
}

static void registers(char *out, size_t size, const char *last)
{
	size_t n = snprintf(out, size, "l");

	for (size_t i = 0; i < sizeof(names64) / sizeof(names64[0]); i++)
		n += snprintf(out + n, size - n, "<reg name=\"%s\" bitsize=\"64\"/>", names64[i]);
	for (size_t i = 0; i < sizeof(names32) / sizeof(names32[0]); i++)
		n += snprintf(out + n, size - n, "<reg name=\"%s\" bitsize=\"32\"/>", names32[i]);
	snprintf(out + n, size - n, "<reg name=\"%s\" bitsize=\"64\"/>", last);
}

/* A stub that is ready for questions. */
static bool opened(const char *last)
{
	char text[4096];

	fresh();
	answer("PacketSize=1000");
	answer("T05thread:01;");
	answer("m" HEAD);
	answer("l");
	registers(text, sizeof(text), last);
	answer(text);
	return gdb_open(&g, here, LIMIT);
}

static void troubled(bool good, const char *says)
{
	ok(!good && strstr(g.trouble, says), "trouble: %s", says);
	if (!strstr(g.trouble, says))
		printf("# it says: %s\n", g.trouble);
	finish();
}

static void test_good(void)
{
	uint8_t bytes[2];

	ok(opened("k_gs_base"), "hello, and the description of the registers in parts");
	answer("OK");
	answer("T05thread:01;");
	ok(gdb_break(&g, 0x1000, true) && gdb_go(&g), "a breakpoint, and on to it");
	answer("O0a4f4b0d0a");
	answer("O0a4b0a");
	answer("OK");
	ok(gdb_monitor(&g, "nmi"), "a monitor command that prints");
	is_str(g.said, "OK K", "what it prints, on one line");
	answer("OK");
	ok(gdb_monitor(&g, "nmi") && !*g.said, "a monitor command that prints nothing");
	answer("ab01");
	ok(gdb_read(&g, 0x1000, bytes, 2) && bytes[0] == 0xab && bytes[1] == 1, "memory");
	answer("ab01cd");
	troubled(gdb_read(&g, 0x1000, bytes, 2), "other memory");
}

static void test_wrong(void)
{
	struct cpu_state s;

	troubled(opened("rbx"), "no register k_gs_base");
	opened("k_gs_base");
	answer("E22");
	ok(!gdb_go(&g), "an error is trouble");
	answer("T05");
	troubled(gdb_go(&g), "answers E22 to c");
	opened("k_gs_base");
	answer("W01");
	troubled(gdb_go(&g), "the guest has ended");
	opened("k_gs_base");
	answer("00");
	troubled(gdb_state(&g, &s), "not as it describes");
	opened("k_gs_base");
	answer("");
	troubled(gdb_break(&g, 1, true), "answers \"\" to Z1");
	opened("k_gs_base");
	if (write(there, "garbage", 7) != 7)
		perror("write");
	troubled(gdb_go(&g), "is no packet");
	fresh();
	answer("");
	answer("T05");
	answer("");
	troubled(gdb_open(&g, here, LIMIT), "does not describe its registers");
}

/* A description without an end ends all the same. */
static void test_endless(void)
{
	fresh();
	answer("");
	answer("T05");
	for (unsigned n = 0; n < 40; n++)
		answer("m<!-- and so on and so on and so on and so on and so on and so on and so on -->");
	troubled(gdb_open(&g, here, LIMIT), "does not describe its registers");
	fresh();
	answer("");
	answer("T05");
	answer("m");
	troubled(gdb_open(&g, here, LIMIT), "does not describe its registers");
}

static void test_silent(void)
{
	double began = clock_now();

	fresh();
	ok(!gdb_open(&g, here, LIMIT) && clock_now() - began < 5, "silence ends");
	troubled(false, "does not answer");
	fresh();
	if (write(there, "+$T0", 4) != 4)
		perror("write");
	troubled(gdb_open(&g, here, LIMIT), "does not answer");
	fresh();
	close(there);
	troubled(gdb_open(&g, here, LIMIT), "is gone");
	ok(g.closed, "and known to be closed");
}

int main(void)
{
	plan(22);
	test_good();
	test_wrong();
	test_endless();
	test_silent();
	return done();
}
