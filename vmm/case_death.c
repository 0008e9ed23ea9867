/* SPDX-License-Identifier: MIT */
/* case_death.c: an injection that no guest survives, flown to the outcome that the architecture demands and no further. */
#include <string.h>

#include "vmm/case_flight.h"
#include "vmm/hash.h"

/* Nothing of the guest's may run before that outcome: every instruction is a stop, that of the boundary included. */
static struct stop run_to_outcome(struct session *s)
{
	struct stop stop;

	stops_carpet(&s->stops);
	s->run.report_faults = true;
	stop = run_to_stop(&s->run);
	s->run.report_faults = false;
	return stop;
}

static bool can_push(const struct flight *f)
{
	const struct cpu_state *b = f->in.before;

	return mem_is_writable(&f->s->machine.mem, b->cr3, death_push_top(b) - DEATH_PUSHED, DEATH_PUSHED);
}

static void read_end(struct flight *f, const struct stop *stop, struct death_end *end)
{
	struct session *s = f->s;

	end->shutdown = stop->kind == STOP_SHUTDOWN;
	end->stopped = stop->kind == STOP_BOUNDARY;
	f->out->hash = hash_bytes(f->out->hash, &stop->kind, sizeof(stop->kind));
	if (!end->stopped)
		return;                 /* what a dead machine's registers hold is nobody's promise */
	machine_get(&s->machine, MACHINE_CORE | MACHINE_I, &f->now);
	end->now = f->now;
	session_read(s, f->now.gpr[GPR_RSP], end->word, sizeof(end->word));
	f->out->hash = hash_bytes(f->out->hash, &end->now, sizeof(end->now));
	f->out->hash = hash_bytes(f->out->hash, end->word, sizeof(end->word));
	case_trace(f, CASE_GATE);
}

void case_fly_death(struct flight *f)
{
	enum death death = f->out->death;
	bool writable = can_push(f), declared = f->s->unit.scenario->deaths >> death & 1;
	struct death_end end = { 0 };
	char what[BREACH_DETAIL];
	struct stop stop;

	judge_at(&f->s->judge, "boundary", f->in.before);
	judge_check(&f->s->judge, RULE_PROGRESS, declared, "a death that the scenario does not declare, %s: %s",
		    death_name(death), death_meaning(death));
	stop = run_to_outcome(f->s);
	session_describe_stop(f->s, &stop, what, sizeof(what));
	end.what = what;
	read_end(f, &stop, &end);
	judge_at(&f->s->judge, "death", end.stopped ? &end.now : f->in.before);
	death_judge(&f->s->judge, &f->in, death, writable, &end);
	f->done = true;
}
