/* SPDX-License-Identifier: MIT */
/* around.c: the neighbours of one boundary in the golden run, judged with the same event. */
#include "vmm/around.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmm/die.h"

static void judge_one(struct session *s, enum event event, struct breach *breach)
{
	struct case_options options = { 0 };
	struct case_result result;
	struct case_start start;

	walk_pause(s);
	case_begin(s, &start);
	case_inject(s, &start, event, &options, &result);
	walk_resume(s);
	*breach = result.breach;
}

void around_judge(struct around *a, struct session *s, const struct place *p, enum event event,
		  const struct breach *known)
{
	struct breach breach = { 0 };
	struct neighbour *n;

	a->of = xrealloc(a->of, (a->count + 1) * sizeof(*a->of));
	n = &a->of[a->count++];
	*n = (struct neighbour){ .index = p->index, .visit = *p->visit };
	n->skipped = known ? NULL : map_cannot(p->visit, event);
	if (known)
		breach = *known;
	else if (!n->skipped)
		judge_one(s, event, &breach);
	n->broken = breach.broken;
	n->rule = breach.rule;
	n->at = breach.at;
	a->broken |= breach.broken;
}

static void print_one(const struct neighbour *n, const struct elf *elf, size_t target)
{
	long distance = (long)n->index - (long)target;
	char name[160], place[200], where[16];

	elf_name(elf, n->visit.rip, name, sizeof(name));
	snprintf(place, sizeof(place), "%s@%u", name, n->visit.number);
	snprintf(where, sizeof(where), distance ? "%+ld" : "%ld", distance);
	printf("%c %4s  %-40s CPL %u  A=%-5s I=%-5s ", map_in_window(&n->visit) ? '>' : ' ', where, place, n->visit.cpl,
	       gs_class_name(n->visit.a), gs_class_name(n->visit.i));
	if (n->skipped)
		printf("not injected: %s\n", n->skipped);
	else if (n->broken)
		printf("%s is broken at the %s\n", rule_name(n->rule), n->at);
	else
		printf("good\n");
}

void around_print(const struct around *a, const struct elf *elf, size_t target)
{
	unsigned broken = 0;

	printf("  neighbours in the golden run, each with the same event:\n");
	for (size_t n = 0; n < a->count; n++) {
		print_one(&a->of[n], elf, target);
		broken += a->of[n].broken;
	}
	printf("  %u of %zu boundaries broken\n", broken, a->count);
}

void around_free(struct around *a)
{
	free(a->of);
}
