/* SPDX-License-Identifier: MIT */
/* vmstate_stream.h: a made-up stream of QEMU's saved state with its description: each byte of a field is another, and sections are as the
 * test wants them. */
#ifndef TAP_VMSTATE_STREAM_H
#define TAP_VMSTATE_STREAM_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/vmstate.h"

static struct stream {
	uint8_t bytes[VMSTATE_ROOM];
	size_t size;
	char text[VMSTATE_ROOM];        /* the description */
	size_t used;
	unsigned next, sections;
	const char *without;            /* leave this field out */
} made;

__attribute__((format(printf, 1, 2)))
static void describe(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	made.used += vsnprintf(made.text + made.used, sizeof(made.text) - made.used, fmt, ap);
	va_end(ap);
}

static void add(const void *bytes, size_t size)
{
	memcpy(made.bytes + made.size, bytes, size);
	made.size += size;
}

static void add_number(uint64_t value, unsigned size)
{
	while (size--)
		made.bytes[made.size++] = value >> (8 * size);
}

static void comma(void)
{
	if (made.text[made.used - 1] == '}')
		describe(",");
}

static void fill(size_t size)
{
	while (size--)
		made.bytes[made.size++] = ++made.next * 5;
}

/* `count` 0: the description says nothing of an array. */
static void field(const char *name, unsigned size, unsigned count)
{
	if (made.without && !strcmp(made.without, name))
		return;
	comma();
	describe("{\"name\":\"%s\",\"type\":\"x\",\"size\":%u", name, size);
	if (count)
		describe(",\"array_len\":%u", count);
	describe("}");
	fill((size_t)size * (count ? count : 1));
}

static void segments(const char *name, unsigned count)
{
	comma();
	describe("{\"name\":\"%s\",\"type\":\"struct\",\"size\":21", name);
	if (count)
		describe(",\"array_len\":%u", count);
	describe(",\"struct\":{\"fields\":[{\"name\":\"selector\",\"size\":4},{\"name\":\"pad\",\"size\":1},{\"name\":\"base\",\"size\":8},"
		 "{\"name\":\"limit\",\"size\":4}%s]}}", made.without && !strcmp(made.without, "flags") ? "" :
		 ",{\"name\":\"flags\",\"size\":4}");
	fill((size_t)21 * (count ? count : 1));
}

static void begin(const char *name, unsigned version)
{
	add_number(4, 1);
	add_number(++made.sections, 4);
	add_number(strlen(name), 1);
	add(name, strlen(name));
	add_number(0, 4);
	add_number(version, 4);
	comma();
	describe("{\"name\":\"%s\",\"instance_id\":0,\"version\":%u,\"fields\":[", name, version);
}

static void end(void)
{
	add_number(0x7e, 1);
	add_number(made.sections, 4);
	describe("]}");
}

static void cpu(void)
{
	static const char *const plain[] = {
		"env.efer", "env.star", "env.lstar", "env.fmask", "env.kernelgsbase", "env.hflags2", "env.mcg_status", "env.mcg_ctl",
	};

	begin("cpu", 12);
	field("env.fpregs", 10, 8);
	field("env.eflags", 8, 0);
	field("env.regs", 8, 16);
	field("env.eip", 8, 0);
	field("env.hflags", 4, 0);
	segments("env.segs", 6);
	segments("env.ldt", 0);
	segments("env.tr", 0);
	segments("env.gdt", 0);
	segments("env.idt", 0);
	field("env.cr[0]", 8, 0);
	field("env.cr[2]", 8, 0);
	field("env.cr[3]", 8, 0);
	field("env.cr[4]", 8, 0);
	field("env.dr", 8, 8);
	for (unsigned n = 0; n < sizeof(plain) / sizeof(plain[0]); n++)
		field(plain[n], 8, 0);
	field("env.mce_banks", 8, 40);
	end();
}

/* A whole stream. The word "cpu" stands in it once more, where no section begins. */
static void make_stream(const char *without)
{
	memset(&made, 0, sizeof(made));
	made.without = without;
	add("QEVM\0\0\0\3\7\3cpu\0\0\0\0\0\0\0\14", 21);
	describe("{\"page_size\":4096,\"devices\":[");
	begin("cpu_common", 1);
	field("halted", 4, 0);
	field("interrupt_request", 4, 0);
	end();
	cpu();
	begin("apic", 3);
	field("id", 1, 0);
	field("spurious_vec", 4, 0);
	field("lvt", 4, 6);
	end();
	describe("]}");
}

/* The end of it, with the description. */
static void finish_stream(void)
{
	add_number(0, 1);
	add_number(6, 1);
	add_number(made.used, 4);
	add(made.text, made.used);
}

#endif
