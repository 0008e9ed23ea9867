/* SPDX-License-Identifier: MIT */
/* t-vmstate.c: fields of QEMU's saved state: found by its description, read and written, and what is about to be delivered. */
#define _GNU_SOURCE
#include <string.h>

#include "tap/tap.h"
#include "tap/vmstate_stream.h"
#include "vmm/vmstate.h"

static struct vmstate v;
static char err[300];

static bool learn(void)
{
	memset(&v, 0, sizeof(v));
	memcpy(v.bytes, made.bytes, made.size);
	*err = '\0';
	return vmstate_learn(&v, made.size, err, sizeof(err));
}

static bool learn_without(const char *name)
{
	make_stream(name);
	finish_stream();
	return learn();
}

/* Writing each element changes exactly that one: what is read before and after says so. */
static bool each_is_its_own(void)
{
	static uint64_t value[VMSTATE_FIELDS][40];
	uint64_t n = 0x0102030405060708;

	for (unsigned f = 0; f < VMSTATE_FIELDS; f++)
		for (unsigned i = 0; i < v.place[f].count; i++) {
			n += 0x1111;
			vmstate_set(&v, f, i, n);
			value[f][i] = v.place[f].size == 8 ? n : n & ((1ull << 8 * v.place[f].size) - 1);
		}
	for (unsigned f = 0; f < VMSTATE_FIELDS; f++)
		for (unsigned i = 0; i < v.place[f].count; i++)
			if (vmstate_get(&v, f, i) != value[f][i])
				return false;
	return true;
}

/* By bytes that stand where the description says. */
static void places(void)
{
	static uint8_t before[VMSTATE_ROOM];

	ok(learn_without(NULL), "a whole stream is understood");
	is_str(err, "", "and nothing is said of it");
	is_u64(vmstate_get(&v, VMSTATE_HALTED, 0), 0x050a0f14, "the first field, big-endian");
	is_u64(vmstate_get(&v, VMSTATE_INTERRUPT_REQUEST, 0), 0x191e2328, "the second");
	ok(v.size == made.size - made.used && !memcmp(v.bytes + v.size - 6, "\0\6\0\0\0\0", 6), "the description is an empty one now");
	ok(!memcmp(v.bytes, made.bytes, v.size - 6), "nothing before it has changed");
	memcpy(before, v.bytes, v.size);
	ok(each_is_its_own(), "each element is read back as it was written");
	is_u64(vmstate_get(&v, VMSTATE_REGS, 16), 0, "there is no element behind the last");
	memcpy(v.bytes, before, v.size);
	vmstate_set(&v, VMSTATE_REGS, 16, ~0ull);
	ok(!memcmp(v.bytes, before, v.size), "none is written there");
	vmstate_set(&v, VMSTATE_SEG_FLAGS, 5, 0xaabbccdd);
	ok(!memcmp(v.bytes + v.start[VMSTATE_CPU] + 80 + 8 + 128 + 8 + 4 + 5 * 21 + 17, "\xaa\xbb\xcc\xdd", 4), "an inner field of a last element");
}

static void pending(void)
{
	static uint8_t before[VMSTATE_ROOM];
	size_t size, at;

	learn_without(NULL);
	size = v.size;
	memcpy(before, v.bytes, size);
	ok(vmstate_exception(&v) == -1, "nothing is about to be delivered");
	ok(vmstate_set_exception(&v, 13) && vmstate_exception(&v) == 13, "vector 13 is");
	at = v.start[VMSTATE_CPU_COMMON] + 8;
	ok(v.size == size + 36 && !memcmp(v.bytes + at, "\5\32cpu_common/exception_index\0\0\0\1\0\0\0\15\x7e\0\0\0\1", 41),
	   "as a subsection behind its section's fields");
	ok(vmstate_set_exception(&v, 0x40) && vmstate_exception(&v) == 0x40 && v.size == size + 36, "another takes its place");
	vmstate_set(&v, VMSTATE_EIP, 0, 0x1234);
	vmstate_set(&v, VMSTATE_APIC_LVT, 4, 0x400);
	memcpy(made.bytes, v.bytes, v.size);
	made.size = v.size;
	memset(v.start, 0, sizeof(v.start));
	ok(vmstate_take(&v, made.size, err, sizeof(err)), "a stream with it is taken");
	ok(vmstate_exception(&v) == 0x40 && vmstate_get(&v, VMSTATE_EIP, 0) == 0x1234 && vmstate_get(&v, VMSTATE_APIC_LVT, 4) == 0x400,
	   "and its fields are found where they are now");
	ok(vmstate_set_exception(&v, -1) && v.size == size && vmstate_exception(&v) == -1, "it can be taken out again");
	is_u64(vmstate_get(&v, VMSTATE_EIP, 0), 0x1234, "and fields are where they were");
	memcpy(v.bytes + v.start[VMSTATE_CPU_COMMON], before + v.start[VMSTATE_CPU_COMMON], v.size - v.start[VMSTATE_CPU_COMMON]);
	ok(!memcmp(v.bytes, before, size), "nothing else has moved");
	v.size = VMSTATE_ROOM - 35;
	ok(!vmstate_set_exception(&v, 1) && v.size == VMSTATE_ROOM - 35, "where there is no room it is refused");
}

static void says(bool good, const char *what, const char *name)
{
	ok(!good && strstr(err, what) && !strchr(err, '\n'), "%s: \"%s\"", name, err);
}

static void lacks(void)
{
	says(learn_without("env.regs"), "no field env.regs of section cpu", "a field is missing");
	says(learn_without("flags"), "no field env.segs.flags of section cpu", "an inner field is missing");
	says(learn_without("lvt"), "no field lvt of section apic", "a field of the last section is missing");
	make_stream(NULL);
	memcpy(strstr(made.text, "array_len\":16"), "array_len\":15", 13);
	finish_stream();
	says(learn(), "no field env.regs", "too few elements");
	make_stream(NULL);
	memcpy(strstr(made.text, "\"size\":4}"), "\"size\":9}", 9);
	finish_stream();
	says(learn(), "no field halted", "a field of more than 8 bytes");
	make_stream(NULL);
	memcpy(strstr(made.text, "\"size\":1}"), "\"size\":3}", 9);
	finish_stream();
	says(learn(), "cpu", "an inner field that reaches beyond its struct");
	make_stream(NULL);
	memcpy(strstr(made.text, "\"name\":\"id\",\"type\":\"x\",\"size\":1"), "\"name\":\"id\",\"type\":\"x\",\"size\":2", 31);
	finish_stream();
	says(learn(), "section apic is not as long as described", "a section that ends elsewhere");
	make_stream(NULL);
	memcpy(strstr(made.text, "\"apic\""), "\"xpic\"", 6);
	finish_stream();
	says(learn(), "does not describe a section apic", "a section that is not described");
	make_stream(NULL);
	memcpy(memmem(made.bytes, made.size, "apic", 4), "xpic", 4);
	finish_stream();
	says(learn(), "has no section apic", "a section that is described and not there");
	make_stream(NULL);
	made.text[0] = '[';
	finish_stream();
	says(learn(), "no readable description", "a description that is none");
}

static void ends(void)
{
	make_stream(NULL);
	add_number(0, 1);
	says(learn(), "has no description", "no description at all");
	make_stream(NULL);
	finish_stream();
	made.size--;
	says(learn(), "has no description", "a description that is cut");
	make_stream(NULL);
	finish_stream();
	made.bytes[0] = 'X';
	says(learn(), "is none", "another magic number");
	made.size = 3;
	says(learn(), "is none", "three bytes");
	made.size = VMSTATE_ROOM;
	memset(&v, 0, sizeof(v));
	says(vmstate_learn(&v, VMSTATE_ROOM + 1, err, sizeof(err)), "is none", "more than there is room for");
}

int main(void)
{
	plan(10 + 10 + 10 + 5);
	places();
	pending();
	lacks();
	ends();
	return done();
}
