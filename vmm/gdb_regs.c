/* SPDX-License-Identifier: MIT */
/* gdb_regs.c: which bytes of a `g` reply are which register, by the target description. Pure: text in, state out. */
#include "vmm/gdb_regs.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/gdb_packet.h"

#define MOST_BITS 512
#define MOST_BYTES 4096

#define GPR(name, n) { name, offsetof(struct cpu_state, gpr) + 8 * (n), 8 }
#define FIELD(name, field) { name, offsetof(struct cpu_state, field), sizeof(((struct cpu_state *)0)->field) }

/* The description's name, and where its value goes. */
static const struct known {
	const char *name;
	size_t to, size;
} known[] = {
	FIELD("eflags", rflags),        /* the first, see FLAGS */
	GPR("rax", GPR_RAX), GPR("rcx", GPR_RCX), GPR("rdx", GPR_RDX), GPR("rbx", GPR_RBX),
	GPR("rsp", GPR_RSP), GPR("rbp", GPR_RBP), GPR("rsi", GPR_RSI), GPR("rdi", GPR_RDI),
	GPR("r8", GPR_R8), GPR("r9", GPR_R9), GPR("r10", GPR_R10), GPR("r11", GPR_R11),
	GPR("r12", GPR_R12), GPR("r13", GPR_R13), GPR("r14", GPR_R14), GPR("r15", GPR_R15),
	FIELD("rip", rip), FIELD("cs", cs), FIELD("ss", ss), FIELD("ds", ds), FIELD("es", es), FIELD("fs", fs),
	FIELD("gs", gs), FIELD("fs_base", fs_base), FIELD("gs_base", a), FIELD("k_gs_base", i),
	FIELD("cr0", cr0), FIELD("cr2", cr2), FIELD("cr3", cr3), FIELD("cr4", cr4), FIELD("efer", efer),
};
#define KNOWN (sizeof(known) / sizeof(known[0]))
#define FLAGS 0
_Static_assert(KNOWN <= GDB_REGS, "room for each");

/* A view of one tag's inside. */
struct span {
	const char *text;
	size_t size;
};

/* The tag `<name ...>` at or behind *from that is in no comment, which is moved behind it. */
static bool next_tag(const char **from, const char *name, struct span *tag)
{
	size_t length = strlen(name);
	const char *at = *from, *end;

	while ((at = strchr(at, '<'))) {
		bool comment = !strncmp(at, "<!--", 4);

		end = strstr(at, comment ? "-->" : ">");
		if (!end)
			return false;
		if (!comment && !strncmp(at + 1, name, length) && strchr(" \t\r\n", at[1 + length])) {
			*tag = (struct span){ at + 1 + length, end - (at + 1 + length) };
			*from = end;
			return true;
		}
		at = end;
	}
	return false;
}

/* The value of ` name="value"`. */
static bool attribute(const struct span *tag, const char *name, struct span *value)
{
	size_t length = strlen(name);

	for (size_t n = 1; n + length + 2 <= tag->size; n++) {
		const char *at = tag->text + n, *quote;

		if (!strchr(" \t\r\n", at[-1]) || strncmp(at, name, length) || at[length] != '=' || at[length + 1] != '"')
			continue;
		at += length + 2;
		quote = memchr(at, '"', tag->text + tag->size - at);
		if (!quote)
			return false;
		*value = (struct span){ at, quote - at };
		return true;
	}
	return false;
}

static bool number(const struct span *value, unsigned most, unsigned *out)
{
	*out = 0;
	for (size_t n = 0; n < value->size; n++) {
		if (value->text[n] < '0' || value->text[n] > '9')
			return false;
		*out = 10 * *out + value->text[n] - '0';
		if (*out > most)
			return false;
	}
	return value->size;
}

bool gdb_regs_include(const char **from, char *out, size_t out_size)
{
	struct span tag, value;

	if (!next_tag(from, "xi:include", &tag) || !attribute(&tag, "href", &value) || value.size >= out_size)
		return false;
	memcpy(out, value.text, value.size);
	out[value.size] = '\0';
	return true;
}

static void note(struct gdb_regs *r, const struct span *name, const struct gdb_reg *reg)
{
	for (size_t n = 0; n < KNOWN; n++)
		if (strlen(known[n].name) == name->size && !memcmp(known[n].name, name->text, name->size))
			r->reg[n] = *reg;
}

bool gdb_regs_add(struct gdb_regs *r, const char *xml)
{
	struct span tag, name, value;

	while (next_tag(&xml, "reg", &tag)) {
		struct gdb_reg reg = { .at = r->next_at };
		unsigned bits;

		if (!attribute(&tag, "name", &name) || !attribute(&tag, "bitsize", &value) || !number(&value, MOST_BITS, &bits))
			return false;
		if (attribute(&tag, "regnum", &value) && !number(&value, MOST_BYTES, &r->next_number))
			return false;
		reg.size = bits / 8;
		reg.number = r->next_number++;
		r->next_at += reg.size;
		if (!reg.size || bits % 8 || r->next_at > MOST_BYTES)
			return false;
		note(r, &name, &reg);
	}
	return true;
}

const char *gdb_regs_missing(const struct gdb_regs *r)
{
	for (size_t n = 0; n < KNOWN; n++)
		if (!r->reg[n].size)
			return known[n].name;
	return NULL;
}

/* Little endian on both sides; what does not fit into the field must be 0. */
static bool read_one(const struct gdb_reg *reg, const struct known *to, const char *digits, struct cpu_state *out)
{
	uint64_t value = 0;

	if (reg->size > sizeof(value) || !gdb_hex(digits + 2 * reg->at, &value, reg->size) ||
	    (to->size < sizeof(value) && value >> 8 * to->size))
		return false;
	memcpy((char *)out + to->to, &value, to->size);
	return true;
}

bool gdb_regs_read(const struct gdb_regs *r, const char *digits, size_t size, struct cpu_state *out)
{
	for (size_t n = 0; n < KNOWN; n++) {
		const struct gdb_reg *reg = &r->reg[n];

		if (reg->size && (2 * (reg->at + reg->size) > size || !read_one(reg, &known[n], digits, out)))
			return false;
	}
	return true;
}

bool gdb_regs_changed(const struct gdb_regs *r, const struct cpu_state *from, const struct cpu_state *to, unsigned *n,
		      struct gdb_reg *reg, uint64_t *value)
{
	for (; *n < KNOWN; ++*n) {
		const struct known *k = &known[*n];

		if (!memcmp((const char *)from + k->to, (const char *)to + k->to, k->size))
			continue;
		*reg = r->reg[(*n)++];
		*value = 0;
		memcpy(value, (const char *)to + k->to, k->size);
		return true;
	}
	return false;
}
