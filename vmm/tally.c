/* SPDX-License-Identifier: MIT */
/* tally.c: what the golden run has executed on each way into the kernel and out of it. */
#include "vmm/tally.h"

#include <stdio.h>
#include <string.h>

#include "guest/abi.h"

static struct tally_way *find_way(struct tally *t, int vector, enum tally_end end)
{
	for (unsigned n = 0; n < t->ways; n++)
		if (t->way[n].vector == vector && t->way[n].end == end)
			return &t->way[n];
	if (t->ways == TALLY_WAYS)
		return NULL;
	t->way[t->ways] = (struct tally_way){ .vector = vector, .end = end };
	return &t->way[t->ways++];
}

static void add_counts(uint64_t *to, const uint64_t *from)
{
	for (enum tallied n = 0; n < TALLIED_COUNT; n++)
		to[n] += from[n];
}

static void begin(struct tally *t, int vector)
{
	if (t->levels < TALLY_LEVELS)
		t->level[t->levels++] = (struct tally_level){ .vector = vector, .rsp = t->last_rsp };
}

static void end(struct tally *t, enum tally_end how)
{
	const struct tally_level *l = &t->level[--t->levels];
	struct tally_way *w = find_way(t, l->vector, l->switched ? TALLY_SWITCHED : how);

	if (!w)
		return;
	w->times++;
	add_counts(w->count, l->count);
}

/* In user code all stays are over. One that a failed IRET has cut short inside the kernel went to user code as well. */
static void end_all(struct tally *t)
{
	while (t->levels > 1)
		end(t, TALLY_IRET);
	if (t->levels)
		end(t, t->last_return == RETURN_SYSRET ? TALLY_SYSRET : TALLY_IRET);
}

static void count_switch(struct tally *t, const struct tally_visit *v, bool tallied)
{
	struct tally_way *w = v->switch_begins || tallied ? find_way(t, TALLY_NONE, TALLY_SWITCH) : NULL;

	if (v->switch_begins && t->levels)
		t->level[t->levels - 1].switched = true;
	if (!w)
		return;
	w->times += v->switch_begins;
	if (tallied)
		w->count[v->insn->tallied]++;
}

static void count(struct tally *t, const struct tally_visit *v)
{
	bool tallied = !v->left_out && v->insn && v->insn->tallied != TALLIED_COUNT;

	if (v->switching)
		count_switch(t, v, tallied);
	else if (tallied && t->levels)
		t->level[t->levels - 1].count[v->insn->tallied]++;
}

/* A gate begins a stay wherever it comes; so does the first boundary at CPL 0 behind user code. One inside the kernel is over
 * when a return has brought back the stack of what it interrupted. */
void tally_visit(struct tally *t, const struct tally_visit *v)
{
	if (v->cpl) {
		end_all(t);
	} else {
		if (t->levels > 1 && t->last_return != RETURN_NONE && v->rsp == t->level[t->levels - 1].rsp && v->vector == TALLY_NONE)
			end(t, TALLY_KERNEL);
		if (v->vector != TALLY_NONE)
			begin(t, v->vector);
		else if (!t->levels)
			begin(t, TALLY_SYSCALL);
		count(t, v);
	}
	t->last_rsp = v->rsp;
	t->last_return = v->insn ? v->insn->is_return : RETURN_NONE;
}

void tally_add(struct tally *to, const struct tally *from)
{
	for (unsigned n = 0; n < from->ways; n++) {
		struct tally_way *w = find_way(to, from->way[n].vector, from->way[n].end);

		if (!w)
			continue;
		w->times += from->way[n].times;
		add_counts(w->count, from->way[n].count);
	}
}

const char *tallied_name(enum tallied n)
{
	static const char *const names[TALLIED_COUNT] = {
		[TALLIED_SWAPGS] = "SWAPGS", [TALLIED_RDMSR] = "RDMSR", [TALLIED_WRMSR] = "WRMSR",
		[TALLIED_RDFSBASE] = "RDFSBASE", [TALLIED_WRFSBASE] = "WRFSBASE", [TALLIED_RDGSBASE] = "RDGSBASE",
		[TALLIED_WRGSBASE] = "WRGSBASE", [TALLIED_MOV_GS] = "MOV GS", [TALLIED_CLI] = "CLI", [TALLIED_STI] = "STI",
	};

	return names[n];
}

/* SDM vol. 3, table 6-1; the guest's own interrupts are numbers. */
static void vector_name(int vector, char *out, unsigned out_size)
{
	static const char *const names[] = {
		[1] = "#DB", [2] = "NMI", [3] = "#BP", [6] = "#UD", [8] = "#DF", [11] = "#NP", [12] = "#SS", [13] = "#GP",
		[14] = "#PF", [18] = "#MC",
	};

	if (vector == TALLY_SYSCALL)
		snprintf(out, out_size, "SYSCALL");
	else if (vector == ABI_VECTOR_INT80)
		snprintf(out, out_size, "INT 0x80");
	else if (vector < (int)(sizeof(names) / sizeof(names[0])) && names[vector])
		snprintf(out, out_size, "%s", names[vector]);
	else
		snprintf(out, out_size, "interrupt %#x", (unsigned)vector);
}

void tally_name(const struct tally_way *w, char *out, unsigned out_size)
{
	static const char *const ends[TALLY_ENDS] = {
		[TALLY_SYSRET] = "to SYSRET", [TALLY_IRET] = "to IRET", [TALLY_KERNEL] = "in the kernel",
		[TALLY_SWITCHED] = "and a switch", [TALLY_SWITCH] = "",
	};
	char from[32];

	if (w->end == TALLY_SWITCH) {
		snprintf(out, out_size, "context switch");
		return;
	}
	vector_name(w->vector, from, sizeof(from));
	snprintf(out, out_size, "%s %s", from, ends[w->end]);
}
