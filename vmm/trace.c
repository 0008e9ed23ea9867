/* SPDX-License-Identifier: MIT */
/* trace.c: recording the instructions around one injection, and telling what each changed. */
#include "vmm/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

#define MOST_REGISTERS 4                /* named in one line */

enum trace_base trace_base(const struct session *s, uint64_t base)
{
	bool k = base == s->layout.k_own, u = base == s->model.gs_base || base == s->next.gs_base;

	return k && u ? TRACE_BOTH : k ? TRACE_K : u ? TRACE_U : TRACE_OTHER;
}

const char *trace_base_name(enum trace_base b)
{
	static const char *const name[] = { [TRACE_K] = "K", [TRACE_U] = "U", [TRACE_BOTH] = "K=U", [TRACE_OTHER] = "" };

	return name[b];
}

void trace_add(struct trace *t, const struct session *s, enum trace_part part, const struct cpu_state *now)
{
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		t->at = xrealloc(t->at, t->room * sizeof(*t->at));
	}
	t->at[t->count++] = (struct trace_step){
		.part = part, .now = *now, .a = trace_base(s, now->a), .i = trace_base(s, now->i),
	};
}

void trace_free(struct trace *t)
{
	free(t->at);
}

struct way {
	struct trace *trace;
	struct session *s;
};

static void seen(void *context, const struct cpu_state *now)
{
	struct way *w = context;
	struct cpu_state full = *now;

	machine_get(&w->s->machine, MACHINE_I, &full);
	trace_add(w->trace, w->s, TRACE_EVENT, &full);
}

/* A broken case may run on through the whole workload: nobody wants to read that. */
static void cut(struct trace *t, size_t from, const struct breach *breach)
{
	for (size_t n = from; n < t->count; n++) {
		if (t->at[n].now.rip != breach->rip || t->at[n].now.a != breach->a)
			continue;
		t->at[n].broken = true;
		if (t->count > n + 1 + TRACE_AFTER)
			t->count = n + 1 + TRACE_AFTER;
		return;
	}
	if (t->count > from)            /* it died on the way */
		t->at[t->count - 1].broken = true;
}

void trace_event(struct trace *t, struct session *s, const struct case_start *start, enum event event,
		 const struct case_result *result)
{
	const struct breach *breach = &result->breach;
	struct way w = { t, s };
	size_t from = t->count;

	case_walk(s, start, event, seen, &w);
	if (result->death && !breach->broken && t->count > from)
		t->count = from + 1;    /* the gate: what a dead guest does from there on means nothing */
	else if (breach->broken && strcmp(breach->at, "back"))
		cut(t, from, breach);
}

/* A line that is added to piece by piece. */
struct line {
	char *text;
	size_t used, size;
};

static void __attribute__((format(printf, 2, 3))) say(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	if (l->used && l->used + 1 < l->size)
		l->text[l->used++] = ' ';
	va_start(args, fmt);
	n = vsnprintf(l->text + l->used, l->size - l->used, fmt, args);
	va_end(args);
	l->used += n < 0 ? 0 : n;
	if (l->used >= l->size)
		l->used = l->size - 1;
}

static void say_base(struct line *l, const char *name, const struct trace_step *was, const struct trace_step *is, bool a)
{
	uint64_t from = a ? was->now.a : was->now.i, to = a ? is->now.a : is->now.i;
	enum trace_base whose = a ? was->a : was->i, now = a ? is->a : is->i;
	char value[2][24];

	if (from == to)
		return;
	snprintf(value[0], sizeof(value[0]), "%#lx", (unsigned long)from);
	snprintf(value[1], sizeof(value[1]), "%#lx", (unsigned long)to);
	if (whose == now)               /* user code has set another U */
		whose = now = TRACE_OTHER;
	say(l, "*%s %s->%s", name, whose ? trace_base_name(whose) : value[0], now ? trace_base_name(now) : value[1]);
}

const char *trace_stack(const struct session *s, const struct cpu_state *c)
{
	unsigned n = cpu_cpl(c) ? LAYOUT_STACK_USER : layout_stack(&s->layout, c->gpr[GPR_RSP]);

	return n == LAYOUT_STACK_USER ? "user" : s->layout.stack[n].name;
}

/* What the eye must find: the switches. */
static void say_switches(struct line *l, const struct session *s, const struct trace_step *was, const struct trace_step *is)
{
	const char *from = trace_stack(s, &was->now), *to = trace_stack(s, &is->now);

	if (cpu_cpl(&was->now) != cpu_cpl(&is->now))
		say(l, "*CPL %u->%u", cpu_cpl(&was->now), cpu_cpl(&is->now));
	say_base(l, "A", was, is, true);
	say_base(l, "I", was, is, false);
	if (strcmp(from, to))
		say(l, "*stack %s->%s", from, to);
}

static void say_registers(struct line *l, const struct cpu_state *was, const struct cpu_state *is)
{
	unsigned count = 0;

	for (unsigned n = 0; n < GPR_COUNT; n++)
		if (n != GPR_RSP && was->gpr[n] != is->gpr[n] && ++count <= MOST_REGISTERS)
			say(l, "%s=%#lx", gpr_name(n), (unsigned long)is->gpr[n]);
	if (count > MOST_REGISTERS)
		say(l, "and %u more", count - MOST_REGISTERS);
}

static void say_flags(struct line *l, uint64_t was, uint64_t is)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} flag[] = {
		{ 1 << 0, "CF" }, { 1 << 2, "PF" }, { 1 << 4, "AF" }, { 1 << 6, "ZF" }, { 1 << 7, "SF" }, { 1 << 11, "OF" },
		{ RFLAGS_TF, "TF" }, { RFLAGS_IF, "IF" }, { RFLAGS_DF, "DF" }, { RFLAGS_NT, "NT" }, { RFLAGS_RF, "RF" },
		{ RFLAGS_AC, "AC" }, { RFLAGS_ID, "ID" },
	};

	for (unsigned n = 0; n < sizeof(flag) / sizeof(flag[0]); n++)
		if ((was ^ is) & flag[n].bit)
			say(l, "%s%c", flag[n].name, is & flag[n].bit ? '+' : '-');
}

static void say_rest(struct line *l, const struct cpu_state *was, const struct cpu_state *is)
{
	if (was->cr2 != is->cr2)
		say(l, "CR2=%#lx", (unsigned long)is->cr2);
	if (was->fs_base != is->fs_base)
		say(l, "FS base=%#lx", (unsigned long)is->fs_base);
	if (was->gs != is->gs)
		say(l, "GS=%#x", is->gs);
	if (was->cs != is->cs && is->cs == ABI_USER32_CS)
		say(l, "32-bit code");
	if (was->nmi_masked != is->nmi_masked)
		say(l, "NMIs %s", is->nmi_masked ? "blocked" : "unblocked");
}

void trace_changes(const struct session *s, const struct trace_step *was, const struct trace_step *is, char *out,
		   size_t out_size)
{
	struct line l = { out, 0, out_size };
	int64_t moved = is->now.gpr[GPR_RSP] - was->now.gpr[GPR_RSP];

	out[0] = '\0';
	say_switches(&l, s, was, is);
	if (moved && strcmp(trace_stack(s, &was->now), trace_stack(s, &is->now)))
		say(&l, "RSP=%#lx", (unsigned long)is->now.gpr[GPR_RSP]);
	else if (moved)
		say(&l, "RSP%c%#lx", moved < 0 ? '-' : '+', labs(moved));
	say_registers(&l, &was->now, &is->now);
	say_flags(&l, was->now.rflags, is->now.rflags);
	say_rest(&l, &was->now, &is->now);
}
