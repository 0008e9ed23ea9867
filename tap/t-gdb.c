/* SPDX-License-Identifier: MIT */
/* t-gdb.c: packets of the gdb remote protocol and the description of registers, as they should be and as they should not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap/tap.h"
#include "vmm/gdb_packet.h"
#include "vmm/gdb_regs.h"

static struct gdb_payload payload;
static char big[3 * GDB_PAYLOAD];

static enum gdb_taken take(const char *in, size_t size, size_t *used)
{
	memset(&payload, 'x', sizeof(payload));
	return gdb_packet_take(in, size, used, &payload);
}

/* A packet around this body as it is, with the right checksum. */
static size_t around(char *out, const char *body, size_t size)
{
	uint8_t sum = 0;

	for (size_t n = 0; n < size; n++)
		sum += (uint8_t)body[n];
	out[0] = '$';
	memcpy(out + 1, body, size);
	return 1 + size + sprintf(out + 1 + size, "#%02x", sum);
}

static void makes(const char *text, const char *want)
{
	char out[64] = "";
	size_t size = gdb_packet_make(out, sizeof(out), text, strlen(text));

	is_str(out, want, "made of %s", text);
	is_u64(size, strlen(want), "and this long");
}

static void test_make(void)
{
	char out[8];

	makes("g", "$g#67");
	makes("", "$#00");
	makes("a#b$c}d*e", "$a}\003b}\004c}]d}\ne#51");
	is_u64(gdb_packet_make(out, sizeof(out), "abc", 3), 7, "one that just fits");
	is_u64(gdb_packet_make(out, sizeof(out), "abcd", 4), 0, "one that does not");
	is_u64(gdb_packet_make(out, sizeof(out), "ab#", 3), 0, "one that does not because of an escape");
	is_u64(gdb_packet_make(out, 4, "", 0), 0, "no room at all");
}

/* This body, as it is sent, says that. */
static void says(const char *body, const char *want, const char *name)
{
	size_t used = 0, size = around(big, body, strlen(body));
	bool good = take(big, size, &used) == GDB_PACKET;

	ok(good && used == size && !strcmp(payload.text, want) && payload.size == strlen(want), "%s", name);
}

static void wrong(const char *in, const char *name)
{
	size_t used;

	ok(take(in, strlen(in), &used) == GDB_WRONG, "wrong: %s", name);
}

static void wrong_body(const char *body, const char *name)
{
	char in[64];

	in[around(in, body, strlen(body))] = '\0';
	wrong(in, name);
}

static void test_take(void)
{
	const char two[] = "++$OK#9a$E01#a6";
	unsigned early = 0;
	size_t used;

	says("T05thread:01;", "T05thread:01;", "a plain packet");
	says("", "", "an empty one");
	says("0* x", "0000x", "a run of four");
	says("0*\"x", "000000x", "a run of six");
	says("a}\003b", "a#b", "an escape");
	says("}]*!z", "}]]]]z", "a run repeats what was sent, not what it meant");
	ok(take("$ab#C3", 6, &used) == GDB_PACKET, "a checksum in capitals");
	for (size_t n = 0; n < 7; n++)
		early += take(two, n, &used) != GDB_INCOMPLETE;
	is_u64(early, 0, "no packet before its last character");
	ok(take(two, 8, &used) == GDB_PACKET && used == 8 && !strcmp(payload.text, "OK"), "acknowledgements in front do not count");
	ok(take(two + used, strlen(two) - used, &used) == GDB_PACKET && !strcmp(payload.text, "E01"), "and a second one behind it");
	ok(take("$a\0b#c3", 7, &used) == GDB_PACKET && payload.size == 3 && !memcmp(payload.text, "a\0b", 4), "a zero is a byte");
}

static void test_wrong(void)
{
	wrong("$OK#9b", "another checksum");
	wrong("$OK#zz", "a checksum that is no number");
	wrong("OK", "no packet");
	wrong("-", "our packet was refused");
	wrong("%Stop:T05#00", "a notification that nobody asked for");
	wrong("QEMU 7.2\n", "a banner");
	wrong_body("a$b", "a packet inside a packet");
	wrong_body("* ", "a run of nothing");
	wrong_body("a*", "a run without its length");
	wrong_body("a*\037", "a run that is too short");
	wrong_body("a*\177", "a run that is too long");
	wrong_body("a*\377", "a run of a negative length");
	wrong_body("a}", "an escape of nothing");
}

static void test_size(void)
{
	char body[1024];
	size_t used;

	memset(big, 'a', sizeof(big));
	big[0] = '$';
	ok(take(big, 1000, &used) == GDB_INCOMPLETE, "a long packet may still come to its end");
	ok(take(big, sizeof(big), &used) == GDB_WRONG, "one without an end may not");
	memset(body, '~', sizeof(body));
	for (size_t n = 0; n < sizeof(body); n += 2)
		body[n] = n ? '*' : 'a';
	body[1] = 'a';
	ok(take(big, around(big, body, sizeof(body)), &used) == GDB_WRONG, "runs that swell beyond all measure");
	body[0] = body[1] = 'a';
	ok(take(big, around(big, body, 300), &used) == GDB_PACKET && payload.size == 2 + 149 * 97, "runs that just do not");
	memset(big + 1, 'a', GDB_PAYLOAD);
	memmove(big + 1 + GDB_PAYLOAD, "#00", 3);
	ok(take(big, GDB_PAYLOAD + 4, &used) == GDB_PACKET && payload.size == GDB_PAYLOAD, "the longest packet");
}

/* Each byte of a good packet changed in each way: whatever comes of it stays within bounds. */
static void test_hostile(void)
{
	char body[] = "m0*-12}\003ab* 34", in[64];
	size_t size = around(in, body, strlen(body)), used;
	unsigned bad = 0;

	for (size_t n = 0; n < size; n++)
		for (unsigned value = 0; value < 256; value++) {
			char copy[64];

			memcpy(copy, in, size);
			copy[n] = value;
			if (take(copy, size, &used) == GDB_PACKET)
				bad += payload.size > GDB_PAYLOAD || payload.text[payload.size] || used > size;
		}
	is_u64(bad, 0, "no change of one byte leads out of bounds");
}

static void test_hex(void)
{
	uint8_t out[3] = { 0 };

	ok(gdb_hex("01aFfe", out, 3) && out[0] == 1 && out[1] == 0xaf && out[2] == 0xfe, "hexadecimal digits");
	ok(!gdb_hex("0x", out, 1) && !gdb_hex("0", out, 1) && !gdb_hex("-1", out, 1), "what is none");
}

#define REG(name, bits) "<reg name=\"" name "\" bitsize=\"" bits "\" type=\"int\"/>"

static void test_include(void)
{
	const char *at = "<target><!-- <xi:include href=\"no\"/> --><xi:include\n href=\"a.xml\"/><xi:include href=\"bcd\"/>";
	char name[6];

	ok(gdb_regs_include(&at, name, sizeof(name)) && !strcmp(name, "a.xml"), "what a description includes");
	ok(gdb_regs_include(&at, name, sizeof(name)) && !strcmp(name, "bcd"), "the next one");
	ok(!gdb_regs_include(&at, name, sizeof(name)), "and no more");
	at = "<xi:include href=\"abcdef\"/>";
	ok(!gdb_regs_include(&at, name, sizeof(name)), "a name that is too long");
}

static void test_regs(void)
{
	struct cpu_state s = { .a = 7 };
	struct gdb_regs r = { 0 };

	ok(gdb_regs_add(&r, "<!--" REG("rcx", "64") "--><feature>" REG("rax", "64") REG("other", "80") "<reg bitsize=\"32\"\n regnum=\"20\" name=\"eflags\"/>"),
	   "a description with a comment and a number");
	ok(gdb_regs_add(&r, REG("cs", "32") "<regular name=\"rdx\" bitsize=\"64\"/>"), "and its second file");
	is_str(gdb_regs_missing(&r), "rcx", "which register is missing");
	ok(gdb_regs_read(&r, "efcdab8967452301" "00000000000000000000" "46020000" "33000000", 52, &s), "an answer");
	is_u64(s.gpr[GPR_RAX], 0x0123456789abcdef, "a register, its lowest byte first");
	is_u64(s.rflags, 0x246, "one of 32 bits");
	is_u64(s.cs, 0x33, "one that we keep in 16");
	is_u64(s.a, 7, "one that was not described stays");
	ok(!gdb_regs_read(&r, "efcdab8967452301" "00000000000000000000" "46020000" "33000000", 50, &s), "an answer that is too short");
	ok(!gdb_regs_read(&r, "xxxxxxxxxxxxxxxx" "00000000000000000000" "46020000" "33000000", 52, &s), "one without a value");
	ok(!gdb_regs_read(&r, "efcdab8967452301" "00000000000000000000" "46020000" "33000100", 52, &s), "a selector of 17 bits");
}

static void no_sense(const char *xml, const char *name)
{
	struct gdb_regs r = { 0 };

	ok(!gdb_regs_add(&r, xml), "a description makes no sense: %s", name);
}

static void test_no_sense(void)
{
	struct gdb_regs r = { 0 };

	no_sense("<reg name=\"rax\"/>", "no size");
	no_sense("<reg bitsize=\"64\"/>", "no name");
	no_sense(REG("rax", "0"), "size 0");
	no_sense(REG("rax", "-8"), "a negative size");
	no_sense(REG("rax", ""), "an empty size");
	no_sense(REG("rax", "12"), "half a byte");
	no_sense(REG("rax", "99999999999999999999"), "a size beyond all measure");
	no_sense("<reg name=\"rax\" bitsize=\"64/>", "a value without its end");
	no_sense("<reg name=\"rax\" bitsize=\"64\" regnum=\"x\"/>", "a number that is none");
	ok(gdb_regs_add(&r, "<reg name=\"rax\" bitsize=\"64\"") && !strcmp(gdb_regs_missing(&r), "eflags"), "a tag without its end is none");
	for (unsigned n = 0; n < 64; n++)
		if (!gdb_regs_add(&r, REG("x", "512")))
			break;
	ok(!gdb_regs_add(&r, REG("x", "512")), "more registers than an answer can hold");
}

int main(void)
{
	plan(68);
	test_make();
	test_take();
	test_wrong();
	test_size();
	test_hostile();
	test_hex();
	test_include();
	test_regs();
	test_no_sense();
	return done();
}
