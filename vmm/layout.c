/* SPDX-License-Identifier: MIT */
/* layout.c: where things lie in the guest kernel under test, read from the image's symbols and tables. */
#include "vmm/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/decode.h"
#include "vmm/layout_reader.h"

/* The first complaint stands. */
void layout_complain(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	int used;

	if (!r->good)
		return;
	r->good = false;
	used = snprintf(r->err, r->err_size, "%s: ", elf_path(r->l->elf));
	if (used < 0 || (size_t)used >= r->err_size)
		return;
	va_start(ap, fmt);
	vsnprintf(r->err + used, r->err_size - used, fmt, ap);
	va_end(ap);
}

/* Address of a symbol that must exist; 0 and one line of complaint if it does not, or says 0 itself. */
uint64_t layout_need(struct reader *r, const char *name)
{
	const struct elf_symbol *s = elf_symbol(r->l->elf, name);

	if (!s)
		layout_complain(r, "no symbol %s", name);
	else if (!s->addr)
		layout_complain(r, "symbol %s has address 0", name);
	return s ? s->addr : 0;
}

static void read_version(struct reader *r)
{
	uint64_t at = layout_need(r, "abi_version");
	const uint32_t *version = mem_at(r->mem, at - ABI_KERNEL_VIRT, sizeof(*version));

	if (!version || *version != ABI_VERSION)
		layout_complain(r, "guest ABI version %u, the bench speaks %u", version ? *version : 0, ABI_VERSION);
}

static void read_code(struct reader *r)
{
	struct layout *l = r->l;
	static const char *const ordinary[LAYOUT_HANDLERS] = {
		"do_syscall_64", "exc_invalid_op", "exc_page_fault", "exc_general_protection",
		"exc_breakpoint", "exc_segment_not_present", "exc_stack_segment", "exc_call", "exc_kick",
		"exc_timer", "exc_int80",
	};
	static const int vectors[LAYOUT_HANDLERS] = { -1, 6, 14, 13, 3, 11, 12, ABI_VECTOR_CALL, ABI_VECTOR_KICK, ABI_VECTOR_TIMER, ABI_VECTOR_INT80 };

	l->event[EVENT_NMI] = (struct event_code){ layout_need(r, "exc_nmi"), layout_need(r, "nmi_body") };
	l->event[EVENT_MCE] = (struct event_code){ layout_need(r, "exc_machine_check"), layout_need(r, "machine_check_body") };
	l->event[EVENT_DB] = (struct event_code){ layout_need(r, "exc_debug"), layout_need(r, "debug_body") };
	l->event[EVENT_IRQ] = (struct event_code){ layout_need(r, "exc_interrupt"), 0 };
	l->event[EVENT_TIMER] = (struct event_code){ layout_need(r, "exc_timer"), 0 };
	for (enum event e = 0; e < EVENT_COUNT; e++)
		l->event[e] = l->event[event_base(e)];
	l->event_request = layout_need(r, "event_request");
	l->exit_to_user = layout_need(r, "exit_to_user");
	for (unsigned n = 0; n < LAYOUT_HANDLERS; n++)
		l->handler[n] = (struct c_handler){ ordinary[n], layout_need(r, ordinary[n]), vectors[n] };
	l->text = (struct range){ layout_need(r, "__text_start"), layout_need(r, "__text_end") };
	l->entry_text = (struct range){ layout_need(r, "__entry_text_start"), layout_need(r, "__entry_text_end") };
	l->user_text = (struct range){ layout_need(r, "__user_text_start"), layout_need(r, "__user_text_end") };
	if (l->text.end <= l->text.start || !mem_at(r->mem, l->text.start - ABI_KERNEL_VIRT, l->text.end - l->text.start))
		layout_complain(r, "kernel text lies outside RAM");
}

/* Where the shadow of an STI at `at` ends: after one more instruction, which may be a direct jump or call. */
static uint64_t after_shadow(const struct layout *l, const uint8_t *bytes, uint64_t at)
{
	uint64_t size = l->text.end - l->text.start, next;
	struct insn insn;

	if (!decode_insn(bytes + (at - l->text.start), l->text.end - at, at, &insn))
		return 0;
	next = at + insn.length;
	if (next - l->text.start >= size || !decode_insn(bytes + (next - l->text.start), l->text.end - next, next, &insn))
		return 0;
	return insn.flow == FLOW_CALL || insn.flow == FLOW_JUMP ? insn.target : next + insn.length;
}

static void add_enabled(struct reader *r, const uint8_t *bytes, uint64_t sti)
{
	struct layout *l = r->l;

	if (l->enabled_count < LAYOUT_RETURNS)
		l->enabled[l->enabled_count++] = after_shadow(l, bytes, sti);
	else
		layout_complain(r, "more than %u STI", LAYOUT_RETURNS);
}

static void find_returns(struct reader *r)
{
	struct layout *l = r->l;
	uint64_t size = l->text.end - l->text.start;
	const uint8_t *bytes = r->good ? mem_at(r->mem, l->text.start - ABI_KERNEL_VIRT, size) : NULL;
	struct insn_starts starts;
	struct insn insn;

	if (!bytes)
		return;                 /* and it has been told why */
	decode_sweep(bytes, l->text.start, size, &starts);
	for (size_t n = 0; n < starts.count; n++) {
		uint64_t off = starts.addr[n] - l->text.start;

		if (bytes[off] == 0xfb)
			add_enabled(r, bytes, starts.addr[n]);
		if (!decode_insn(bytes + off, size - off, starts.addr[n], &insn) || !insn.is_return_to_user)
			continue;
		if (l->returns_count < LAYOUT_RETURNS)
			l->returns[l->returns_count++] = starts.addr[n];
		else
			layout_complain(r, "more than %u return instructions", LAYOUT_RETURNS);
	}
	insn_starts_free(&starts);
}

bool layout_init(struct layout *l, const struct elf *elf, const struct mem *m, char *err, size_t err_size)
{
	struct reader r = { l, m, err, err_size, true };

	memset(l, 0, sizeof(*l));
	l->elf = elf;
	read_version(&r);
	l->k_own = layout_need(&r, "percpu_areas");
	l->k_other = l->k_own + ABI_PERCPU_SIZE;
	l->secondary = layout_need(&r, "_start_secondary");
	l->cmdline = layout_need(&r, "boot_cmdline");
	l->page_table = layout_need(&r, "boot_pml4") - ABI_KERNEL_VIRT;
	read_code(&r);
	layout_read_tables(&r);
	find_returns(&r);
	return r.good;
}

void layout_read_gates(struct layout *l, const struct mem *m, uint64_t cr3, uint64_t idt_base)
{
	uint64_t d[2];

	for (unsigned n = 0; n < LAYOUT_GATES; n++) {
		l->gate[n] = 0;
		if (!mem_read(m, cr3, idt_base + 16 * n, d, sizeof(d)) || !(d[0] >> 47 & 1))
			continue;       /* not present */
		l->gate[n] = (d[0] & 0xffff) | (d[0] >> 32 & 0xffff0000) | d[1] << 32;
	}
}

int layout_gate_vector(const struct layout *l, uint64_t rip)
{
	for (int n = 0; n < LAYOUT_GATES; n++)
		if (l->gate[n] == rip)
			return n;
	return -1;
}

uint64_t layout_fixup(const struct layout *l, uint64_t rip)
{
	for (unsigned n = 0; n < l->fixups; n++)
		if (l->fixup[n].fault == rip)
			return l->fixup[n].kind;
	return 0;
}

void layout_select(struct layout *l, unsigned cpu)
{
	uint64_t areas = l->k_own - l->cpu * (uint64_t)ABI_PERCPU_SIZE;

	l->cpu = cpu;
	l->k_own = areas + cpu * (uint64_t)ABI_PERCPU_SIZE;
	l->k_other = areas + !cpu * (uint64_t)ABI_PERCPU_SIZE;
}

void layout_give_stack(struct layout *l, unsigned began_on, unsigned thread)
{
	l->thread = thread;
	for (unsigned n = 0; n < l->stacks; n++) {
		struct kernel_stack *s = &l->stack[n];

		if (s->vectors)
			continue;
		if (s->first_cpu == began_on)
			s->cpu = l->cpu;
		else if (s->cpu == l->cpu)
			s->cpu = LAYOUT_NO_CPU;
	}
}

unsigned layout_stack(const struct layout *l, uint64_t rsp)
{
	for (unsigned n = 0; n < l->stacks; n++)
		if (l->stack[n].cpu == l->cpu && rsp > l->stack[n].base && rsp <= l->stack[n].base + l->stack[n].size)
			return n;
	return LAYOUT_STACK_USER;
}

const struct kernel_stack *layout_idle_stack(const struct layout *l, unsigned cpu)
{
	for (unsigned n = 0; n < l->stacks; n++)
		if (l->stack[n].cpu == cpu && l->stack[n].vectors == ABI_STACK_IDLE)
			return &l->stack[n];
	return NULL;
}

const struct kernel_stack *layout_thread_stack(const struct layout *l, unsigned thread)
{
	for (unsigned n = 0; n < l->stacks; n++)
		if (!l->stack[n].vectors && l->stack[n].thread == thread)
			return &l->stack[n];
	return NULL;
}

static const struct kernel_stack *stack_for(const struct layout *l, unsigned vectors)
{
	for (unsigned n = 0; n < l->stacks; n++)
		if (l->stack[n].cpu == l->cpu && l->stack[n].vectors & vectors)
			return &l->stack[n];
	return NULL;
}

/* Interrupts have no IST: they stay on the thread stack. */
const struct kernel_stack *layout_stack_of(const struct layout *l, unsigned vector, unsigned from_cpl)
{
	const struct kernel_stack *thread = layout_thread_stack(l, l->thread);

	if (!from_cpl && vector < 32)
		return stack_for(l, 1u << vector);
	return thread ? thread : layout_idle_stack(l, l->cpu);
}
