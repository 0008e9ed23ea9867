/* SPDX-License-Identifier: MIT */
/* case_exit.c: the decisions how to return to user code, counted by the bench and compared with the guest's counters. */
#include "vmm/case_exit.h"

#include <string.h>

#include "vmm/case_flight.h"

static void counters_in(const struct session *s, const uint8_t *ram, uint64_t *count)
{
	for (unsigned n = 0; n < ABI_EXITS; n++)
		count[n] = case_word(ram, s->layout.k_own + s->layout.exit[n].offset);
}

static void counters(struct session *s, uint64_t *count)
{
	counters_in(s, mem_at(&s->machine.mem, 0, ABI_RAM_SIZE), count);
}

/* The return seen last has been executed. */
static void settle(struct exits *e)
{
	if (!e->pending)
		return;
	e->made[e->decision]++;
	e->made[ABI_EXIT_IRET] += e->decision != ABI_EXIT_SYSRET;
	e->pending = false;
}

void case_exit_at_return(struct session *s, const struct cpu_state *now, const struct hardware_frame *f, bool by_sysret)
{
	struct exits *e = &s->exits;

	settle(e);
	if (e->nmi)
		return;
	e->decision = judge_exit_decision(f, now->gpr[GPR_RCX], now->gpr[GPR_R11]);
	e->pending = true;
	judge_exit_by(&s->judge, e->decision, by_sysret);
}

void case_exit_nmi_gate(struct session *s, const struct cpu_state *before)
{
	if (cpu_cpl(before))
		s->exits.nmi = true;
}

void case_exit_at_user(struct session *s)
{
	uint64_t now[ABI_EXITS];

	settle(&s->exits);
	s->exits.nmi = false;
	counters(s, now);
	judge_exit_counts(&s->judge, now, s->exits.made);
}

void case_exit_unchanged(struct session *s, const uint8_t *was)
{
	uint64_t now[ABI_EXITS], expected[ABI_EXITS];

	counters(s, now);
	counters_in(s, was, expected);
	judge_exit_counts(&s->judge, now, expected);
}

void case_exit_begin(struct session *s)
{
	memset(&s->exits, 0, sizeof(s->exits));
	counters(s, s->exits.made);
}

void case_exit_start(struct session *s)
{
	s->exits.pending = false;
}
