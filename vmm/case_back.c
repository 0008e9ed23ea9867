/* SPDX-License-Identifier: MIT */
/* case_back.c: what an event has left behind when it is back at its boundary, besides registers. */
#include <string.h>

#include "vmm/ahead.h"
#include "vmm/case_context.h"
#include "vmm/case_exit.h"
#include "vmm/case_flight.h"
#include "vmm/case_switch.h"
#include "vmm/case_turns.h"
#include "vmm/case_work.h"
#include "vmm/smp.h"

void case_judge_ram(struct session *s, const struct cpu_state *at, const uint8_t *was, const struct ahead *a, bool all)
{
	struct machine *m = &s->machine;

	stops_clear(&s->stops);
	machine_collect_dirty(m);
	for (uint64_t page = 0; page < m->mem.size / PAGE_SIZE; page++)
		if ((all || machine_is_dirty(m, page) || (a && ahead_is_dirty(a, page))) &&
		    !(s->judge.switched && case_is_user_page(s, page)))
			judge_page(&s->judge, at, page * PAGE_SIZE, mem_at(&m->mem, page * PAGE_SIZE, PAGE_SIZE),
				   was + page * PAGE_SIZE);
}

/* Text is compared before the stops are lifted: lifting puts the image's bytes back. */
void case_judge_text(struct flight *f)
{
	char name[128] = "";
	gva_t at = 0;
	bool changed = stops_text_changed(&f->s->stops, &at);

	if (changed)
		elf_name(f->s->bench->elf, at, name, sizeof(name));
	judge_check(&f->s->judge, RULE_TRANSPARENT, !changed, "text was written at %s", name);
}

/* The C half has run: the handler, and what it does its work in. */
static void judge_handled(struct flight *f)
{
	bool has_body = f->s->layout.event[f->in.event].body;

	judge_check(&f->s->judge, RULE_MASKING, f->at_handler, "%s was not handled: its C handler was not called",
		    event_name(f->in.event));
	judge_check(&f->s->judge, RULE_MASKING, !has_body || f->at_body, "%s was not handled: its handler's body was not called",
		    event_name(f->in.event));
}

uint64_t case_word(const uint8_t *ram, gva_t at)
{
	uint64_t value;

	memcpy(&value, ram + (at - ABI_KERNEL_VIRT), sizeof(value));
	return value;
}

void case_judge_counters(struct flight *f, const uint8_t *was)
{
	const struct layout *l = &f->s->layout;
	const uint8_t *ram = mem_at(&f->s->machine.mem, 0, ABI_RAM_SIZE);

	for (unsigned n = 0; n < l->exempts; n++)
		if (l->exempt[n].vector && l->exempt[n].vector < ABI_COUNTS_WORK)
			judge_counter(&f->s->judge, &f->in, n, case_word(ram, l->exempt[n].addr),
				      case_word(was, l->exempt[n].addr));
}

/* A reschedule that was asked for: by interrupt, or done already if the event's own exit led to user code. At CPL 3 no flag
 * is left. */
static void judge_request(struct flight *f)
{
	bool by_interrupt = event_is_told(f->in.event) && (!cpu_cpl(f->in.before) || event_base(f->in.event) == EVENT_NMI);

	judge_equal(&f->s->judge, RULE_EXIT_WORK, "the pending reschedule interrupt", f->s->run.ipi,
		    by_interrupt ? ABI_VECTOR_RESCHED : 0);
	if (cpu_cpl(f->in.before) && !smp_is_told(f->s))
		judge_work(&f->s->judge, case_work_flags(f->s), 0);
	else if (!cpu_cpl(f->in.before) && f->s->judge.asked)
		judge_work(&f->s->judge, case_work_flags(f->s), case_word(f->s->machine.reference, f->s->layout.thread_work) | ABI_WORK_RESCHED);
}

void case_judge_memory(struct flight *f)
{
	case_judge_text(f);
	case_judge_ram(f->s, f->in.before, case_turns_ram(f), f->turned ? f->s->meanwhile : NULL, f->options->all_memory);
}

void case_judge_tracked(struct flight *f, const uint8_t *was)
{
	case_judge_context(f->s, case_context_in(f->s, was));
	if (cpu_cpl(f->in.before))
		case_exit_at_user(f->s);
	else
		case_exit_unchanged(f->s, was);
}

/* The timer's handler needs no interrupt to ask: its flag waits for the exit of what it has interrupted. */
void case_judge_back(struct flight *f)
{
	f->s->judge.asked = f->in.event == EVENT_TIMER && !cpu_cpl(f->in.before);
	case_judge_memory(f);
	judge_handled(f);
	case_judge_tracked(f, case_turns_ram(f));
	case_judge_counters(f, case_turns_ram(f));
	judge_request(f);
}
