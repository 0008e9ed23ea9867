/* SPDX-License-Identifier: MIT */
/* case_turns.c: a case in which the other CPU runs while the event is in its handler's body. The way without the event, on which
 * it has the same turns at the boundary, says what must come of it: for RAM, for that CPU, and for what it has sent. */
#include "vmm/case_turns.h"

#include <string.h>

#include "vmm/ahead.h"
#include "vmm/hash.h"
#include "vmm/smp.h"
#include "vmm/walk.h"

bool case_turns_ahead(struct session *s, const struct case_start *start)
{
	unsigned cpu = s->machine.cpu;
	struct walk_kept *kept;
	struct walk_result out;
	bool given_back;

	if (!s->turns || !s->walk)
		return false;
	if (s->meanwhile && s->meanwhile->key == s->begun)
		return !s->meanwhile->ends;
	machine_restore_core(&s->machine, &start->state);
	kept = walk_keep(s);
	given_back = walk_turns(s, s->turns, &out);
	smp_select(s, !cpu);
	ahead_keep(&s->meanwhile, s, s->begun);
	s->meanwhile->ends = !given_back && !out.broken;       /* what is broken the case itself will tell */
	s->meanwhile->sent = s->cpu[cpu].sent;
	walk_bring_back(s, kept);
	case_put_back(s, start, false, true);
	return !s->meanwhile->ends;
}

void case_turns_take(struct flight *f)
{
	struct session *s = f->s;
	struct walk_result out;
	bool given_back;

	if (!f->turns || f->turned)
		return;
	f->turned = true;
	given_back = walk_turns(s, s->turns, &out);
	if (out.broken && !s->judge.breach.broken) {
		s->judge.broken |= out.broken;
		s->judge.breach = out.breach;
		s->judge.breach.at = "turn of the other CPU";
	}
	judge_check(&s->judge, RULE_PROGRESS, given_back, "the other CPU does not give the turn back");
	f->done |= !given_back;
}

void case_turns_judge(struct flight *f)
{
	struct session *s = f->s;
	struct cpu_state other = { 0 };
	unsigned cpu = s->machine.cpu;
	uint64_t sent = s->run.sent;

	if (!f->turned)
		return;
	smp_select(s, !cpu);
	machine_get(&s->machine, MACHINE_ALL, &other);
	smp_select(s, cpu);
	f->out->hash = hash_bytes(f->out->hash, &other, sizeof(other));
	judge_check(&s->judge, RULE_TRANSPARENT, !memcmp(&other, &s->meanwhile->state, sizeof(other)),
		    "the other CPU stands at %#lx and is not as without the event, at %#lx", (unsigned long)other.rip,
		    (unsigned long)s->meanwhile->state.rip);
	judge_equal(&s->judge, RULE_TRANSPARENT, "the set of interrupts that the other CPU has sent", sent, s->meanwhile->sent);
}

const uint8_t *case_turns_ram(const struct flight *f)
{
	return f->turned ? f->s->meanwhile->ram : f->s->machine.reference;
}
