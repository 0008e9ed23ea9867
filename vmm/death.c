/* SPDX-License-Identifier: MIT */
/* death.c: the closed table of deaths: what predicts each, and what must come of it. */
#include "vmm/death.h"

#include <string.h>

#define MCG_MCIP  (1ull << 2)
#define VECTOR_DF 8

static const struct {
	const char *name, *meaning;
} deaths[DEATH_COUNT] = {
	[DEATH_NONE] = { "none", "nothing kills the guest" },
	[DEATH_MCIP] = { "mcip", "a machine check while MCIP is set shuts the machine down" },
	[DEATH_SAME_IST] = { "same-ist", "the event overwrites the frame of the handler that runs on its stack" },
	[DEATH_NO_IST] = { "no-ist", "an exception without IST comes while A is not K or RSP is on no kernel stack" },
};

const char *death_name(enum death death)
{
	return deaths[death].name;
}

const char *death_meaning(enum death death)
{
	return deaths[death].meaning;
}

bool death_find(const char *name, enum death *out)
{
	for (enum death n = DEATH_MCIP; n < DEATH_COUNT; n++)
		if (!strcmp(deaths[n].name, name)) {
			*out = n;
			return true;
		}
	return false;
}

static bool is_mcip(const struct cpu_state *b, enum event event)
{
	return event_base(event) == EVENT_MCE && b->mcg_status & MCG_MCIP;
}

/* Below the top: at the top itself the stack is empty, and there is no frame to lose. An NMI is masked while its handler
 * runs, and once an IRET has unmasked it, what saves the frame is the guest's own matter: it is not in this row. */
static bool is_same_ist(const struct layout *l, const struct cpu_state *b, enum event event)
{
	const struct kernel_stack *own = layout_stack_of(l, event_vector(event), 0);
	uint64_t rsp = b->gpr[GPR_RSP];

	if (event_base(event) != EVENT_MCE && event_base(event) != EVENT_DB)
		return false;
	if (event_base(event) == EVENT_DB && b->dr7 == ABI_DR7_DISARMED)
		return false;
	return !cpu_cpl(b) && own && rsp > own->base && rsp < own->base + own->size;
}

static bool is_no_ist(const struct layout *l, const struct cpu_state *b, enum event event)
{
	if (!event_is_fatal(event) || cpu_cpl(b) || layout_fixup(l, b->rip))
		return false;
	return b->a != l->k_own || layout_stack(l, b->gpr[GPR_RSP]) == LAYOUT_STACK_USER;
}

enum death death_predict(const struct layout *l, const struct cpu_state *before, enum event event)
{
	if (is_mcip(before, event))
		return DEATH_MCIP;
	if (is_same_ist(l, before, event))
		return DEATH_SAME_IST;
	return is_no_ist(l, before, event) ? DEATH_NO_IST : DEATH_NONE;
}

uint64_t death_push_top(const struct cpu_state *before)
{
	return before->gpr[GPR_RSP] & ~15ull;
}

static bool reaches(struct judge *j, uint64_t gate, const char *whose, const struct death_end *end)
{
	return judge_check(j, RULE_PROGRESS, end->stopped && end->now.rip == gate, "the gate of %s must be reached: %s", whose,
			   end->what);
}

/* As at any IST gate: that its frame lies at the top is what loses the other one. */
static void judge_same_ist(struct judge *j, const struct injected *in, const struct death_end *end)
{
	struct hardware_frame pushed;

	memcpy(&pushed, end->word, sizeof(pushed));
	if (reaches(j, j->layout->gate[event_vector(in->event)], event_name(in->event), end))
		judge_gate(j, in, &end->now, &pushed);
}

static void judge_words(struct judge *j, const struct cpu_state *b, const uint64_t *word)
{
	static const char *const name[] = { "error code", "RIP", "CS", "RFLAGS", "RSP", "SS" };
	const uint64_t must[] = { 0, b->rip, b->cs, b->rflags | RFLAGS_RF, b->gpr[GPR_RSP], b->ss };

	for (unsigned n = 0; n < sizeof(must) / sizeof(must[0]); n++)
		judge_check(j, RULE_PROGRESS, word[n] == must[n], "pushed %s is %#lx, must be %#lx", name[n],
			    (unsigned long)word[n], (unsigned long)must[n]);
}

/* Delivery without IST goes on below RSP, aligned to 16, and touches neither base (SDM vol. 3, 6.14.2). If it cannot push
 * there, the faults of it become #DF (6.15, table 6-5), which has a stack of its own; whether that saves RF is not
 * told. */
static void judge_no_ist(struct judge *j, const struct injected *in, bool writable, const struct death_end *end)
{
	unsigned vector = writable ? event_vector(in->event) : VECTOR_DF;
	const struct kernel_stack *own = layout_stack_of(j->layout, VECTOR_DF, 0);
	uint64_t top = writable ? death_push_top(in->before) : own ? own->base + own->size : 0;
	uint64_t word[6];

	if (!reaches(j, j->layout->gate[vector], writable ? event_name(in->event) : "#DF", end))
		return;
	memcpy(word, end->word, sizeof(word));
	word[3] |= writable ? 0 : RFLAGS_RF;
	judge_equal(j, RULE_PROGRESS, "A at the gate", end->now.a, in->before->a);
	judge_equal(j, RULE_PROGRESS, "I at the gate", end->now.i, in->before->i);
	judge_equal(j, RULE_PROGRESS, "CPL at the gate", cpu_cpl(&end->now), 0);
	judge_equal(j, RULE_PROGRESS, "RSP at the gate", end->now.gpr[GPR_RSP], top - DEATH_PUSHED);
	judge_words(j, in->before, word);
}

void death_judge(struct judge *j, const struct injected *in, enum death death, bool writable, const struct death_end *end)
{
	judge_expect(j, in->before->a, in->before->i);
	if (death == DEATH_MCIP)
		judge_check(j, RULE_PROGRESS, end->shutdown, "the machine must shut down: %s", end->what);
	else if (death == DEATH_SAME_IST)
		judge_same_ist(j, in, end);
	else
		judge_no_ist(j, in, writable, end);
}
