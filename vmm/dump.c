/* SPDX-License-Identifier: MIT */
/* dump.c: memory around one stop, kept for a bug report. */
#include "vmm/dump.h"

#include <string.h>

#define WORD sizeof(uint64_t)
#define LEAST_RUN 4                     /* zeroes that are worth folding */

static uint64_t page_of(uint64_t address)
{
	return address & ~(uint64_t)(DUMP_PAGE - 1);
}

/* An empty stack is the page below RSP; user code's stack has no end that anybody knows. */
static void take_stack(struct dump *d, struct session *s)
{
	uint64_t rsp = d->now.gpr[GPR_RSP], last = page_of(rsp);
	unsigned n = layout_stack(&s->layout, rsp);

	if (n != LAYOUT_STACK_USER)
		last = page_of(s->layout.stack[n].base + s->layout.stack[n].size - 1);
	d->stack_start = page_of(rsp - WORD);
	d->stack_size = last - d->stack_start + DUMP_PAGE;
	if (d->stack_size > sizeof(d->stack))
		d->stack_size = sizeof(d->stack);
	session_read(s, d->stack_start, d->stack, d->stack_size);
}

void dump_take(struct dump *d, struct session *s, const char *at)
{
	d->at = at;
	machine_get(&s->machine, MACHINE_CORE | MACHINE_I, &d->now);
	take_stack(d, s);
	d->percpu_start = page_of(s->layout.k_own);
	session_read(s, d->percpu_start, d->percpu, sizeof(d->percpu));
}

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, WORD);
	return word;
}

static void print_word(FILE *f, const struct session *s, uint64_t address, uint64_t word, const char *mark)
{
	const struct elf *elf = s->bench->elf;
	char name[160] = "", value[160] = "";

	if (elf_nearest(elf, address))
		elf_name(elf, address, name, sizeof(name));
	if (elf_nearest(elf, word))
		elf_name(elf, word, value, sizeof(value));
	fprintf(f, "0x%016lx  %-34s 0x%016lx%s%s%s%s\n", (unsigned long)address, name, (unsigned long)word, *value ? "  " : "",
		value, *mark ? "  " : "", mark);
}

static void print_words(FILE *f, const struct session *s, uint64_t start, const uint8_t *bytes, size_t size, uint64_t rsp)
{
	for (size_t at = 0, end; at < size; at = end) {
		uint64_t word = word_at(bytes, at);

		for (end = at + WORD; !word && end < size && start + end != rsp && !word_at(bytes, end);)
			end += WORD;
		if (end - at >= LEAST_RUN * WORD && start + at != rsp) {
			fprintf(f, "0x%016lx  ... %zu words of zero\n", (unsigned long)(start + at), (end - at) / WORD);
			continue;
		}
		end = at + WORD;
		print_word(f, s, start + at, word, start + at == rsp ? "<- RSP" : "");
	}
}

void dump_print_stack(FILE *f, const struct dump *d, const struct session *s)
{
	char name[160];

	elf_name(s->bench->elf, d->now.rip, name, sizeof(name));
	fprintf(f, "at the %s: RIP %s, RSP %#lx, A %#lx, I %#lx; what is not mapped reads as zero\n", d->at, name,
		(unsigned long)d->now.gpr[GPR_RSP], (unsigned long)d->now.a, (unsigned long)d->now.i);
	print_words(f, s, d->stack_start, d->stack, d->stack_size, d->now.gpr[GPR_RSP]);
}

void dump_print_percpu(FILE *f, const struct dump *d, const struct session *s)
{
	fprintf(f, "at the %s: K = %#lx\n", d->at, (unsigned long)s->layout.k_own);
	print_words(f, s, d->percpu_start, d->percpu, sizeof(d->percpu), 0);
}
