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

static void take(struct dumped *d, struct session *s, uint64_t first, uint64_t last)
{
	d->start = first;
	d->size = last - first + DUMP_PAGE;
	if (d->size > sizeof(d->bytes))
		d->size = sizeof(d->bytes);
	session_read(s, d->start, d->bytes, d->size);
}

static uint64_t last_page(const struct kernel_stack *k)
{
	return page_of(k->base + k->size - 1);
}

/* An empty stack is the page below RSP; user code's stack has no end that anybody knows. */
static void take_stack(struct dump *d, struct session *s)
{
	uint64_t rsp = d->now.gpr[GPR_RSP];
	unsigned n = layout_stack(&s->layout, rsp);

	take(&d->stack, s, page_of(rsp - WORD), n != LAYOUT_STACK_USER ? last_page(&s->layout.stack[n]) : page_of(rsp));
}

/* What the event has left there outlives its return. */
static void take_event(struct dump *d, struct session *s, enum event event, unsigned cpl)
{
	const struct kernel_stack *k = layout_stack_of(&s->layout, event_vector(event), cpl);
	unsigned n = layout_stack(&s->layout, d->now.gpr[GPR_RSP]);

	d->event.size = 0;
	if (k && (n == LAYOUT_STACK_USER || k != &s->layout.stack[n]))
		take(&d->event, s, last_page(k), last_page(k));
}

void dump_take(struct dump *d, struct session *s, const char *at, enum event event, unsigned cpl)
{
	uint64_t k = page_of(s->layout.k_own);

	d->at = at;
	machine_get(&s->machine, MACHINE_CORE | MACHINE_I, &d->now);
	take_stack(d, s);
	take_event(d, s, event, cpl);
	take(&d->percpu, s, k, k);
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

static void print_words(FILE *f, const struct session *s, const struct dumped *d, uint64_t rsp)
{
	const uint8_t *bytes = d->bytes;
	uint64_t start = d->start, size = d->size;

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
	print_words(f, s, &d->stack, d->now.gpr[GPR_RSP]);
	if (!d->event.size)
		return;
	fprintf(f, "the stack that the event came on:\n");
	print_words(f, s, &d->event, 0);
}

void dump_print_percpu(FILE *f, const struct dump *d, const struct session *s)
{
	fprintf(f, "at the %s: K = %#lx\n", d->at, (unsigned long)s->layout.k_own);
	print_words(f, s, &d->percpu, 0);
}
