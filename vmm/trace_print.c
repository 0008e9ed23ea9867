/* SPDX-License-Identifier: MIT */
/* trace_print.c: a trace as text: a line an instruction, a line a run of C code, a mark where A is not K. */
#include <stdio.h>
#include <string.h>

#include "vmm/trace.h"

#define MOST_LINES 400                  /* of one event: a good one has about a hundred */
#define CELL 400

enum { PLACE, NAME, INSN, CPL, BASE_A, BASE_I, STACK, SOURCE, CHANGED, COLUMNS };

struct row {
	char mark;
	char cell[COLUMNS][CELL];
};

struct printer {
	FILE *out;
	bool measuring;                 /* nothing is printed yet: how wide are the columns? */
	int width[COLUMNS];
	const struct trace *t;
	const struct session *s;
	const struct elf *elf;
	const struct trace_step *last;  /* shown in full; what the next one is compared with */
	size_t boundary;                /* index of the injected one */
	size_t event;                   /* ... and of the event's first instruction */
};

static bool is_window(const struct trace_step *step)
{
	return cpu_cpl(&step->now) == 0 && step->a != TRACE_K && step->a != TRACE_BOTH;
}

/* A gate that is there for several schemes is included from *_gate.h. */
static bool is_assembly(const struct printer *p, const struct trace_step *step)
{
	char line[300];

	elf_line(p->elf, step->now.rip, line, sizeof(line));
	return *line ? strstr(line, ".S:") || strstr(line, "_gate.h:") : range_has(&p->s->layout.entry_text, step->now.rip);
}

static bool is_folded(const struct printer *p, const struct trace_step *step)
{
	return step->part == TRACE_EVENT && !step->broken && !is_assembly(p, step);
}

/* Direct jumps name their target instead of its address. */
static void insn_text(const struct printer *p, uint64_t rip, char *out, size_t out_size)
{
	uint64_t left;
	const uint8_t *bytes = stops_text(&p->s->stops, rip, &left);
	struct insn insn;
	size_t word;
	char *tail;

	snprintf(out, out_size, "(no text)");
	if (!bytes || !decode_text(bytes, left, rip, out, out_size) || !decode_insn(bytes, left, rip, &insn))
		return;
	if (insn.flow != FLOW_JUMP && insn.flow != FLOW_BRANCH && insn.flow != FLOW_CALL)
		return;
	word = strcspn(out, " ");
	snprintf(out + word, out_size - word, " ");
	elf_name(p->elf, insn.target, out + word + 1, out_size - word - 1);
	tail = strstr(out, "+0x0");
	if (tail && !tail[4])
		*tail = '\0';
}

static void base_text(char *out, enum trace_base whose, uint64_t value)
{
	if (whose)
		snprintf(out, CELL, "%s", trace_base_name(whose));
	else
		snprintf(out, CELL, "%#lx", (unsigned long)value);
}

static void place_text(const struct printer *p, size_t n, char *out)
{
	long from_boundary = (long)n - (long)p->boundary;
	size_t events = 0;

	if (p->t->at[n].part == TRACE_EVENT) {
		snprintf(out, CELL, "%zu", n - p->event + 1);
		return;
	}
	for (size_t k = p->boundary + 1; k <= n; k++)
		events += p->t->at[k].part == TRACE_EVENT || p->t->at[k].part == TRACE_BACK;
	from_boundary -= events;
	snprintf(out, CELL, from_boundary ? "%+ld" : "%ld", from_boundary);
}

static void changed_text(const struct printer *p, const struct trace_step *step, char *out)
{
	bool back = step->part == TRACE_BACK;
	const struct trace_step *was = back ? &p->t->at[p->boundary] : p->last;

	out[0] = '\0';
	if (was)
		trace_changes(p->s, was, step, out, CELL);
	if (back && !*out)
		snprintf(out, CELL, "as it was");
}

/* No blanks at the end, where the last column is empty. */
static void put_row(struct printer *p, const struct row *r)
{
	int last = COLUMNS;

	for (int n = 0; n < COLUMNS && p->measuring; n++)
		if ((int)strlen(r->cell[n]) > p->width[n])
			p->width[n] = strlen(r->cell[n]);
	if (p->measuring)
		return;
	while (last > 1 && !r->cell[last - 1][0])
		last--;
	fprintf(p->out, "%c ", r->mark);
	for (int n = 0; n < last - 1; n++)
		fprintf(p->out, n == PLACE ? "%*s  " : "%-*s  ", p->width[n], r->cell[n]);
	fprintf(p->out, "%s\n", r->cell[last - 1]);
}

static void put_heads(struct printer *p)
{
	struct row r = { ' ', { [NAME] = "about to execute", [CPL] = "CPL", [BASE_A] = "A", [BASE_I] = "I",
				[STACK] = "stack", [SOURCE] = "source", [CHANGED] = "changed" } };

	put_row(p, &r);
}

static void put_step(struct printer *p, size_t n)
{
	const struct trace_step *step = &p->t->at[n];
	struct row r = { .mark = is_window(step) ? '>' : ' ' };
	size_t used;

	place_text(p, n, r.cell[PLACE]);
	elf_name(p->elf, step->now.rip, r.cell[NAME], CELL);
	insn_text(p, step->now.rip, r.cell[INSN], CELL);
	snprintf(r.cell[CPL], CELL, "%u", cpu_cpl(&step->now));
	base_text(r.cell[BASE_A], step->a, step->now.a);
	base_text(r.cell[BASE_I], step->i, step->now.i);
	snprintf(r.cell[STACK], CELL, "%s", trace_stack(p->s, &step->now));
	elf_line(p->elf, step->now.rip, r.cell[SOURCE], CELL);
	changed_text(p, step, r.cell[CHANGED]);
	used = strlen(r.cell[CHANGED]);
	if (step->broken)
		snprintf(r.cell[CHANGED] + used, CELL - used, "%s<- broken here", used ? "  " : "");
	put_row(p, &r);
	p->last = step;
}

/* A fold ends where a base, the CPL or the stack changes: these must be seen. */
static bool same_fold(const struct printer *p, const struct trace_step *first, const struct trace_step *step)
{
	return is_folded(p, step) && step->now.a == first->now.a && step->now.i == first->now.i &&
	       step->now.cs == first->now.cs && trace_stack(p->s, &step->now) == trace_stack(p->s, &first->now);
}

static const char *function_at(const struct printer *p, size_t n)
{
	const struct elf_symbol *symbol = elf_nearest(p->elf, p->t->at[n].now.rip);

	return symbol ? symbol->name : "?";
}

/* The functions, each once, in the order of their calls. */
static void put_functions(const struct printer *p, size_t from, size_t to)
{
	for (size_t n = from; n < to; n++) {
		size_t k = from;

		while (k < n && strcmp(function_at(p, k), function_at(p, n)))
			k++;
		if (k == n)
			fprintf(p->out, "%s%s", n == from ? " " : ", ", function_at(p, n));
	}
}

/* Prints the run of C code that begins at n; the index behind it. */
static size_t put_fold(const struct printer *p, size_t n)
{
	const struct trace_step *first = &p->t->at[n];
	size_t end = n + 1;

	while (end < p->t->count && same_fold(p, first, &p->t->at[end]))
		end++;
	if (p->measuring)
		return end;
	fprintf(p->out, "%c %*s  %zu instruction%s in", is_window(first) ? '>' : ' ', p->width[PLACE], "...", end - n,
	       end - n == 1 ? "" : "s");
	put_functions(p, n, end);
	fprintf(p->out, "\n");
	return end;
}

static void find_parts(struct printer *p)
{
	while (p->boundary + 1 < p->t->count && p->t->at[p->boundary].part != TRACE_BOUNDARY)
		p->boundary++;
	p->event = p->boundary + 1;
}

static void put_caption(const struct printer *p, size_t n, enum event event)
{
	const struct trace_step *step = &p->t->at[n], *before = step - 1;

	if (!n || p->measuring)
		return;
	if (step->part == TRACE_EVENT && before->part != TRACE_EVENT)
		fprintf(p->out, "  %*s  -- %s\n", p->width[PLACE], "", event_name(event));
	else if (step->part == TRACE_BACK)
		fprintf(p->out, "  %*s  -- back at the boundary, compared with line 0 above\n", p->width[PLACE], "");
}

static void put_all(struct printer *p, enum event event)
{
	const struct trace *t = p->t;
	unsigned lines = 0;

	put_heads(p);
	p->last = NULL;
	for (size_t n = 0; n < t->count; lines++) {
		put_caption(p, n, event);
		if (lines == MOST_LINES && t->at[n].part == TRACE_EVENT) {
			if (!p->measuring)
				fprintf(p->out, "  %*s  and %zu instructions more\n", p->width[PLACE], "...", t->count - n);
			return;
		}
		if (is_folded(p, &t->at[n]))
			n = put_fold(p, n);
		else
			put_step(p, n++);
	}
}

void trace_print(FILE *out, const struct trace *t, const struct session *s, enum event event)
{
	struct printer p = { .out = out, .measuring = true, .t = t, .s = s, .elf = s->bench->elf };

	find_parts(&p);
	put_all(&p, event);
	p.measuring = false;
	fprintf(out, "  trace: > where A is not K at CPL 0; changed since the line above, * where A, I, CPL or the stack switched\n");
	put_all(&p, event);
}
