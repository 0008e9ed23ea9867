/* SPDX-License-Identifier: MIT */
/* map.c: the measured map of a golden run, and which visits are injected. */
#include "vmm/map.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/die.h"

static const char *const class_names[] = { [CLASS_K] = "K", [CLASS_U] = "U", [CLASS_OTHER] = "other" };

const char *gs_class_name(enum gs_class c)
{
	return class_names[c];
}

void map_add(struct map *m, const struct visit *v)
{
	if (m->count == m->room) {
		m->room = m->room ? 2 * m->room : 1024;
		m->at = xrealloc(m->at, m->room * sizeof(*m->at));
	}
	m->at[m->count++] = *v;
}

void map_free(struct map *m)
{
	free(m->at);
}

bool map_in_window(const struct visit *v)
{
	return v->cpl == 0 && !v->no_idt && v->a != CLASS_K;
}

const char *map_cannot(const struct visit *v, enum event event)
{
	if (v->no_idt)
		return "that CPU has no IDT yet";
	if (v->shadow)
		return "it lies in an interrupt shadow, where no event is injected";
	if (event_is_interrupt(event) && !v->interrupts)
		return "IF is 0 there";
	if (event == EVENT_TIMER && v->no_timer)
		return "the timer of timer=migrate comes in user code alone";
	if (event_base(event) == EVENT_NMI && v->nmi_masked)
		return "NMIs are masked there: it would come where they are unmasked, and that is another case";
	if (event_asks(event) && v->raised)
		return "no reschedule is asked for inside the handler of an event that the guest has raised itself";
	if (event_base(event) == EVENT_DB && v->db_mixes)
		return "DR6 of the two #DBs would mix";
	if (event_base(event) == EVENT_DB && !v->dr7_armed)
		return "no #DB is injected where DR7 is disarmed";
	if (event_is_fatal(event) && !v->no_ist)
		return "no death is predicted there";
	return NULL;
}

const char *map_why_not(const struct visit *v, enum event event)
{
	bool planned = event_is_interrupt(event) ? v->inject_irq : v->inject;
	bool said_first = v->no_idt || v->shadow || (event_is_interrupt(event) && !v->interrupts);

	if (!planned && !said_first)
		return "the map does not plan that visit: an earlier one is the same, or it is outside of what is injected";
	return map_cannot(v, event);
}

bool map_is_planned(const struct visit *v, unsigned events, enum event event)
{
	return events >> event & 1 && !map_why_not(v, event);
}

bool map_same_kind(const struct visit *a, const struct visit *b)
{
	return a->cpu == b->cpu && a->rip == b->rip && a->cpl == b->cpl && a->a == b->a && a->i == b->i && a->stack == b->stack &&
	       a->interrupts == b->interrupts && a->direction == b->direction && a->nmi_masked == b->nmi_masked &&
	       a->raised == b->raised && a->nested == b->nested;
}

/* Visits of one boundary lie far apart in the map: a hash of the address finds the earlier ones. */
struct seen {
	uint32_t *head, *next;          /* index + 1, 0 for none */
	size_t buckets;
};

static bool is_first(struct seen *s, const struct map *m, size_t n)
{
	const struct visit *v = &m->at[n];
	uint32_t *head = &s->head[v->rip * 0x9e3779b97f4a7c15ull >> 32 & (s->buckets - 1)];

	for (uint32_t at = *head; at; at = s->next[at - 1])
		if (map_same_kind(&m->at[at - 1], v))
			return false;
	s->next[n] = *head;
	*head = n + 1;
	return true;
}

/* Where another NMI can come inside an NMI. */
static bool is_open(const struct visit *v)
{
	return v->raised == ABI_VECTOR_NMI && !v->nmi_masked;
}

static void take_classes(struct map *m, const struct map *distinguishing)
{
	for (size_t n = 0; n < m->count && n < distinguishing->count; n++) {
		struct visit *v = &m->at[n];
		const struct visit *d = &distinguishing->at[n];

		if (v->rip != d->rip)
			return;
		v->a = d->a;
		v->i = d->i;
	}
}

void map_plan(struct map *m, const struct map *distinguishing, const struct range *entry_text)
{
	struct seen seen = { .buckets = 4096 };

	if (distinguishing)
		take_classes(m, distinguishing);
	seen.head = xcalloc(seen.buckets, sizeof(*seen.head));
	seen.next = xcalloc(m->count, sizeof(*seen.next));
	for (size_t n = 0; n < m->count; n++) {
		struct visit *v = &m->at[n];
		bool wanted = v->cpl == 3 || range_has(entry_text, v->rip) || map_in_window(v) || is_open(v) || v->boots;

		bool first = (wanted || v->interrupts) && !v->shadow && !v->no_idt && is_first(&seen, m, n);

		v->inject = wanted && first;
		v->inject_irq = v->interrupts && first;
	}
	free(seen.head);
	free(seen.next);
}

static void add_window(struct map_windows *w, const struct range *window)
{
	for (unsigned n = 0; n < w->count; n++)
		if (!memcmp(&w->window[n], window, sizeof(*window)))
			return;
	w->window = xrealloc(w->window, (w->count + 1) * sizeof(*w->window));
	w->window[w->count++] = *window;
}

size_t map_window_end(const struct map *m, size_t n)
{
	size_t end = n;

	while (end < m->count && map_in_window(&m->at[end]) && !(end > n && m->at[end].entered))
		end++;
	return end;
}

void map_windows(const struct map *m, struct map_windows *w)
{
	for (size_t n = 0, end; n < m->count; n = end) {
		end = map_window_end(m, n);
		if (end > n)
			add_window(w, &(struct range){ m->at[n].rip, m->at[end - 1].rip });
		else
			end++;
	}
}
