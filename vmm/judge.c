/* SPDX-License-Identifier: MIT */
/* judge.c: rules by name, the count of checks, and the first breach in time. */
#include "vmm/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const rule_names[RULE_COUNT] = {
	[RULE_DELIVERY] = "delivery", [RULE_HANDLER_GS] = "handler-gs",
	[RULE_HANDLER_STACK] = "handler-stack", [RULE_FRAME] = "frame", [RULE_FLAGS] = "flags",
	[RULE_DEBUG] = "debug", [RULE_TRANSPARENT] = "transparent", [RULE_RETURN] = "return",
	[RULE_USER_STATE] = "user-state", [RULE_EXIT_WORK] = "exit-work", [RULE_MASKING] = "masking",
	[RULE_CONTEXT] = "context", [RULE_PROGRESS] = "progress",
};

const char *rule_name(enum rule rule)
{
	return rule_names[rule];
}

void judge_begin(struct judge *j)
{
	j->breach.broken = false;
	j->broken = 0;
	j->switched = j->asked = false;
	j->stop = 0;
	j->at = "";
	j->rip = 0;
}

void judge_at(struct judge *j, const char *at, const struct cpu_state *now)
{
	j->stop++;
	j->at = at;
	j->rip = now->rip;
	j->a = now->a;
	j->i = now->i;
	j->expects = false;
}

void judge_expect(struct judge *j, uint64_t a, uint64_t i)
{
	j->expected_a = a;
	j->expected_i = i;
	j->expects = true;
}

/* Within one stop the rule that comes first in the table speaks, whatever the order of the checks. */
static bool speaks_first(const struct judge *j, enum rule rule)
{
	return !j->breach.broken || (j->breach.stop == j->stop && rule < j->breach.rule);
}

bool judge_check(struct judge *j, enum rule rule, bool good, const char *fmt, ...)
{
	struct breach *b = &j->breach;
	bool first = !b->broken;
	va_list ap;

	j->count[rule].checked++;
	if (good)
		return true;
	j->count[rule].broken++;
	j->broken |= 1u << rule;
	if (j->muted >> rule & 1 || !speaks_first(j, rule))
		return false;
	*b = (struct breach){
		.broken = true, .rule = rule, .stop = j->stop, .rip = j->rip, .a = j->a, .i = j->i, .at = j->at,
		.expects = j->expects, .expected_a = j->expected_a, .expected_i = j->expected_i,
		.cpu = j->layout ? j->layout->cpu : 0,
	};
	va_start(ap, fmt);
	vsnprintf(b->detail, sizeof(b->detail), fmt, ap);
	va_end(ap);
	if (first && j->broke)
		j->broke(j->context);
	return false;
}

bool judge_equal(struct judge *j, enum rule rule, const char *what, uint64_t seen, uint64_t expected)
{
	return judge_check(j, rule, seen == expected, "%s is %#lx, must be %#lx", what, (unsigned long)seen,
			   (unsigned long)expected);
}

uint64_t judge_i_user(const struct judge *j)
{
	return j->scheme == SCHEME_PURE ? ABI_GS_POISON : j->layout->k_own;
}

uint64_t judge_i_kernel(const struct judge *j, const struct model *user)
{
	return j->scheme == SCHEME_PURE ? ABI_GS_POISON : user->gs_base;
}

void judge_inactive(struct judge *j, const struct cpu_state *now)
{
	if (j->scheme == SCHEME_PURE)
		judge_equal(j, RULE_HANDLER_GS, "I", now->i, ABI_GS_POISON);
}
