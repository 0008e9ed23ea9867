/* SPDX-License-Identifier: MIT */
/* layout_tables.c: the tables that the guest publishes: its stacks, and the bytes that an event may change. */
#include <string.h>

#include "guest/abi.h"
#include "vmm/layout_reader.h"

/* Host pointer to an array of records in kernel data; *count from the symbol's size. NULL if it lies. */
static const void *need_table(struct reader *r, const char *name, size_t record, unsigned max, unsigned *count)
{
	const struct elf_symbol *s = elf_symbol(r->l->elf, name);
	const void *p = NULL;

	*count = 0;
	if (!layout_need(r, name))
		return NULL;
	if (s->size && s->size % record == 0 && s->size / record <= max)
		p = mem_at(r->mem, s->addr - ABI_KERNEL_VIRT, s->size);
	if (p)
		*count = s->size / record;
	else
		layout_complain(r, "table %s: %lu bytes, not 1 to %u records of %zu in RAM", name, (unsigned long)s->size, max,
			 record);
	return p;
}

/* Of each CPU: the stacks of its threads, and one stack for each event that has an IST stack. */
static void check_stacks(struct reader *r, unsigned cpu)
{
	unsigned thread = 0, vectors = 0;

	for (unsigned n = 0; n < r->l->stacks; n++) {
		if (r->l->stack[n].cpu != cpu)
			continue;
		thread += !r->l->stack[n].vectors;
		vectors |= r->l->stack[n].vectors;
	}
	if (thread != ABI_THREADS_OF_CPU)
		layout_complain(r, "abi_stacks names %u thread stacks of CPU %u, not %u", thread, cpu, ABI_THREADS_OF_CPU);
	for (enum event e = 0; e < EVENT_NMI_LIKE; e++)
		if (!(vectors >> event_vector(e) & 1))
			layout_complain(r, "abi_stacks names no stack for %s on CPU %u", event_name(e), cpu);
}

static void read_stacks(struct reader *r)
{
	const struct abi_stack *s = need_table(r, "abi_stacks", sizeof(*s), LAYOUT_STACKS, &r->l->stacks);
	unsigned threads = 0;

	for (unsigned n = 0; n < r->l->stacks; n++) {
		struct kernel_stack *k = &r->l->stack[n];

		*k = (struct kernel_stack){ s[n].base, s[n].size, s[n].slot_bytes, s[n].vectors, "", s[n].cpu, s[n].cpu, LAYOUT_NO_THREAD };
		if (!k->vectors)
			k->thread = threads++;
		memcpy(k->name, s[n].name, sizeof(s[n].name));
		if (k->slot_bytes > k->size || !mem_at(r->mem, k->base - ABI_KERNEL_VIRT, k->size))
			layout_complain(r, "abi_stacks[%u] lies outside RAM", n);
	}
	for (unsigned cpu = 0; cpu < ABI_CPUS; cpu++)
		check_stacks(r, cpu);
}

static bool overlap(const struct exempt *x, uint64_t start, uint64_t size)
{
	return x->addr < start + size && start < x->addr + x->size;
}

static bool within_ist_stack(const struct layout *l, const struct exempt *x)
{
	for (unsigned n = 0; n < l->stacks; n++)
		if (l->stack[n].vectors && l->stack[n].vectors != ABI_STACK_IDLE && x->addr - l->stack[n].base < l->stack[n].size &&
		    x->size <= l->stack[n].size - (x->addr - l->stack[n].base))
			return true;
	return false;
}

static bool on_user_page(const struct reader *r, const struct exempt *x, gva_t page)
{
	gpa_t gpa;

	return mem_walk(r->mem, r->l->page_table, page, &gpa, NULL) && overlap(x, ABI_KERNEL_VIRT + gpa, PAGE_SIZE);
}

static bool on_user_stack(const struct reader *r, const struct exempt *x)
{
	for (unsigned n = 0; n < ABI_THREADS; n++)
		if (on_user_page(r, x, ABI_USER_STACK - n * ABI_USER_STACK_STEP))
			return true;
	return false;
}

/* Counters in kernel data and nothing else: not text, no stack, no page of the user's. What may change while an NMI is owed lies on
 * an IST stack. */
static bool may_be_exempt(const struct reader *r, const struct exempt *x)
{
	const struct layout *l = r->l;

	if (x->vector == ABI_WHILE_NESTED)
		return within_ist_stack(l, x);
	if (!x->size || !mem_at(r->mem, x->addr - ABI_KERNEL_VIRT, x->size))
		return false;
	if (overlap(x, l->text.start, l->text.end - l->text.start))
		return false;
	for (unsigned n = 0; n < l->stacks; n++)
		if (overlap(x, l->stack[n].base, l->stack[n].size))
			return false;
	return !on_user_page(r, x, ABI_USER_TEXT) && !on_user_page(r, x, ABI_USER_DATA) && !on_user_stack(r, x);
}

/* Without a counter nobody could tell that an event was handled once. */
static void check_counters(struct reader *r, unsigned cpu)
{
	for (enum event e = 0; e < EVENT_RETURNING; e++) {
		bool any = false;

		for (unsigned n = 0; n < r->l->exempts; n++)
			any |= r->l->exempt[n].vector == event_vector(e) && r->l->exempt[n].cpu == cpu;
		if (!any)
			layout_complain(r, "abi_exempt has no counter for %s on CPU %u", event_name(e), cpu);
	}
}

/* By its stack, or the thread that the kernel keeps it of, else by its per-CPU area; what is neither is CPU 0's. */
static unsigned cpu_of(const struct layout *l, uint64_t addr)
{
	const struct elf_symbol *threads = elf_symbol(l->elf, "threads");

	if (threads && addr - threads->addr < threads->size)
		return (addr - threads->addr) / (threads->size / ABI_CPUS);
	for (unsigned n = 0; n < l->stacks; n++)
		if (addr - l->stack[n].base < l->stack[n].size)
			return l->stack[n].cpu;
	return addr - l->k_other < ABI_PERCPU_SIZE;
}

/* Counters and places for U are one word each. */
static bool is_word(uint64_t vector)
{
	return (vector && vector < ABI_WHILE_NESTED) || vector == ABI_KEEPS_U;
}

static void read_exempt(struct reader *r)
{
	const struct abi_exempt *x = need_table(r, "abi_exempt", sizeof(*x), LAYOUT_EXEMPT, &r->l->exempts);

	for (unsigned n = 0; n < r->l->exempts; n++) {
		r->l->exempt[n] = (struct exempt){ x[n].addr, x[n].size, x[n].vector, "", cpu_of(r->l, x[n].addr) };
		memcpy(r->l->exempt[n].reason, x[n].reason, sizeof(x[n].reason));
		if (is_word(x[n].vector) && x[n].size != sizeof(uint64_t))
			layout_complain(r, "abi_exempt[%u] counts a vector or keeps U and is not 8 bytes", n);
		if (x[n].vector == ABI_KEEPS_U && x[n].addr % sizeof(uint64_t))
			layout_complain(r, "abi_exempt[%u] keeps U and is not aligned", n);
		if (!may_be_exempt(r, &r->l->exempt[n]))
			layout_complain(r, "abi_exempt[%u] is not kernel data, or is text, a stack or the user's", n);
	}
	for (unsigned cpu = 0; cpu < ABI_CPUS; cpu++)
		check_counters(r, cpu);
}

static void read_fixups(struct reader *r)
{
	const struct abi_fixup *x = need_table(r, "abi_fixup", sizeof(*x), LAYOUT_FIXUPS, &r->l->fixups);

	for (unsigned n = 0; n < r->l->fixups; n++) {
		r->l->fixup[n] = x[n];
		if (!range_has(&r->l->text, x[n].fault))
			layout_complain(r, "abi_fixup[%u] lies outside kernel text", n);
	}
}

/* A word of each CPU's area. */
static void add_apart(struct reader *r, const char *table, uint64_t offset)
{
	struct layout *l = r->l;

	if (offset % sizeof(uint64_t) || offset >= ABI_PERCPU_SIZE)
		layout_complain(r, "%s: offset %#lx is no word of the per-CPU area", table, (unsigned long)offset);
	for (unsigned cpu = 0; cpu < ABI_CPUS; cpu++) {
		uint64_t at = l->k_own + cpu * ABI_PERCPU_SIZE + offset;

		l->apart[l->aparts++] = (struct range){ at, at + sizeof(uint64_t) };
	}
}

static void read_exits(struct reader *r)
{
	unsigned count;
	const struct abi_exit *x = need_table(r, "abi_exits", sizeof(*x), ABI_EXITS, &count);

	if (x && count != ABI_EXITS)
		layout_complain(r, "abi_exits has %u counters, must have %u", count, ABI_EXITS);
	for (unsigned n = 0; n < count && r->good; n++) {
		r->l->exit[n] = x[n];
		r->l->exit[n].name[sizeof(x[n].name) - 1] = '\0';
		add_apart(r, "abi_exits", x[n].offset);
	}
}

static void read_context(struct reader *r)
{
	unsigned count;
	const struct abi_context *x = need_table(r, "abi_context", sizeof(*x), 1, &count);

	if (!x || !r->good)
		return;
	r->l->context = *x;
	add_apart(r, "abi_context", x->state);
	add_apart(r, "abi_context", x->nmi_like);
}

void layout_read_tables(struct reader *r)
{
	read_exits(r);
	read_context(r);
	read_stacks(r);
	read_exempt(r);
	read_fixups(r);
}
