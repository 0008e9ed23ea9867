/* SPDX-License-Identifier: MIT */
/* report_map.c: the measured map as text, and the windows in it. */
#include "vmm/report_map.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/caseid.h"
#include "vmm/die.h"
#include "vmm/map.h"

static const char *stack_name(const struct layout *l, unsigned stack)
{
	return stack == LAYOUT_STACK_USER ? "user" : l->stack[stack].name;
}

/* One line per visit that is injected: everything that decides what must hold there. */
static void write_visit(FILE *f, const struct unit_record *r, const struct bench *bench, const struct layout *l, size_t n)
{
	const struct visit *v = &r->map.at[n];
	char id[CASEID_SIZE], line[300];

	record_case_id(r, bench, n, EVENT_NMI, id, sizeof(id));
	elf_line(bench->elf, v->rip, line, sizeof(line));
	fprintf(f, "%.*s cpl=%u a=%s i=%s avalue=0x%lx ivalue=0x%lx k=0x%lx stack=%s if=%u df=%u masked=%u raised=%u window=%u db=%s context=%s inject=%u irq=%u gp=%u turns=%u %s\n",
	       (int)(strrchr(id, ':') - id), id, v->cpl, gs_class_name(v->a), gs_class_name(v->i),
	       (unsigned long)v->a_value, (unsigned long)v->i_value, (unsigned long)r->bases.k[v->cpu], stack_name(l, v->stack), v->interrupts,
	       v->direction, v->nmi_masked, v->raised, map_in_window(v),
	       !v->dr7_armed || v->db_mixes ? "none" : v->after_access ? "real" : "synthetic",
	       v->context_user ? "user" : "kernel", v->inject, v->inject_irq, !map_why_not(v, EVENT_GP), r->unit.scenario->turns, line);
}

static void write_unit(FILE *f, const struct unit_record *r, const struct bench *bench, const struct layout *l)
{
	char name[160];

	unit_name(&r->unit, name, sizeof(name));
	fprintf(f, "# %s: %zu visits, golden run %s\n", name, r->map.count,
	       r->golden.broken ? "broken" : r->golden.completed ? "good" : "incomplete");
	for (size_t n = 0; n < r->map.count; n++)
		if (r->map.at[n].inject || r->map.at[n].inject_irq)
			write_visit(f, r, bench, l, n);
}

/* One run of visits in which A is not K, seen in some of the units. */
struct window {
	struct range at;                /* its first and its last boundary */
	size_t boundaries;
	enum gs_class a;
	size_t units, last_unit;        /* how many units have it; the latest of them */
};

struct windows {
	struct window *of;
	size_t count, units;
};

static struct window *find_window(struct windows *w, const struct window *wanted)
{
	for (size_t n = 0; n < w->count; n++)
		if (!memcmp(&w->of[n].at, &wanted->at, sizeof(wanted->at)) && w->of[n].a == wanted->a)
			return &w->of[n];
	w->of = xrealloc(w->of, (w->count + 1) * sizeof(*w->of));
	w->of[w->count] = *wanted;
	return &w->of[w->count++];
}

static void add_windows(struct windows *w, const struct map *m)
{
	w->units++;
	for (size_t n = 0, end; n < m->count; n = end) {
		struct window seen = { .at.start = m->at[n].rip, .a = m->at[n].a }, *found;

		end = map_window_end(m, n);
		if (end == n) {
			end++;
			continue;
		}
		seen.at.end = m->at[end - 1].rip;
		seen.boundaries = end - n;
		found = find_window(w, &seen);
		found->units += found->last_unit != w->units;
		found->last_unit = w->units;
	}
}

static void write_windows(FILE *f, const struct windows *w, const struct bench *bench)
{
	char first[160], last[160];

	for (size_t n = 0; n < w->count; n++) {
		elf_name(bench->elf, w->of[n].at.start, first, sizeof(first));
		elf_name(bench->elf, w->of[n].at.end, last, sizeof(last));
		fprintf(f, "# window %zu: %s .. %s, %zu boundar%s, A=%s, in %zu of %zu units\n", n + 1, first, last,
		       w->of[n].boundaries, w->of[n].boundaries == 1 ? "y" : "ies", gs_class_name(w->of[n].a), w->of[n].units, w->units);
	}
}

static void explain_columns(FILE *f)
{
	fprintf(f, "# one line a visit that is injected: SCENARIO, SCHEME, GS, boundary @ number of the visit, then\n"
		"#   cpl          3 user, 0 kernel\n"
		"#   a, i         whose base is active and inactive: K the kernel's, U the user's; avalue, ivalue the values\n"
		"#   k            the kernel's base\n"
		"#   stack        the stack that RSP is on\n"
		"#   if, df       RFLAGS.IF and RFLAGS.DF\n"
		"#   window       1 at CPL 0 where A is not K; all windows are listed at the end\n"
		"#   context      user or kernel: what the guest's context tracking says there\n"
		"#   inject irq   1: NMI-like events, interrupts are injected at this visit\n"
		"#   gp           1: #GP or #PF is a death there, and is injected where the scenario has it\n"
		"#   db           real: hardware could raise #DB here; synthetic: it could not; none: DR7 is disarmed\n"
		"#   turns        so many turns has the other CPU in each case\n"
		"#   last         the source line\n");
}

/* The stacks' names: from any guest of this image. */
static void read_layout(struct layout *l, const struct bench *bench, const struct unit *unit)
{
	struct session *s = xcalloc(1, sizeof(*s));
	char err[RECORD_ERROR];

	if (!session_open(s, bench, unit, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	*l = s->layout;
	session_close(s);
	free(s);
}

void report_map(FILE *f, const struct plan *p, const struct bench *bench)
{
	struct layout *l = xcalloc(1, sizeof(*l));
	struct windows windows = { 0 };

	read_layout(l, bench, &p->units[0].unit);
	explain_columns(f);
	for (size_t n = 0; n < p->unit_count; n++)
		if (p->units[n].asked) {
			write_unit(f, &p->units[n], bench, l);
			add_windows(&windows, &p->units[n].map);
		}
	write_windows(f, &windows, bench);
	free(windows.of);
	free(l);
}
