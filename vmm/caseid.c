/* SPDX-License-Identifier: MIT */
/* caseid.c: case ids to and from text. */
#include "vmm/caseid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi.h"

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define DIGITS       "0123456789"
#define HEX_DIGITS   "0123456789abcdefABCDEF"

#define CASEID_TAIL  "SCHEME/GS/[cpuN.]SYMBOL+0xOFFSET@VISIT:EVENT[,cpuM@TURNS]"

#define REFUSE(...) (snprintf(err, err_size, "case id: " __VA_ARGS__), false)

/* Cuts *text at the first separator and returns what stood before it, or NULL if there is none. */
static char *cut_first(char **text, char separator)
{
	char *start = *text, *end = strchr(start, separator);

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return start;
}

/* Cuts text at the last separator and returns what stands behind it, or NULL. */
static char *cut_last(char *text, const char *separator)
{
	char *at, *last = NULL;

	for (at = strstr(text, separator); at; at = strstr(at + 1, separator))
		last = at;
	if (!last)
		return NULL;
	*last = '\0';
	return last + strlen(separator);
}

/* Digits only, no sign or space, and no overflow. */
static bool number(const char *text, const char *digits, int base, uint64_t max, uint64_t *out)
{
	size_t n = strlen(text);

	if (!n || n > 16 || strspn(text, digits) != n)
		return false;
	*out = strtoull(text, NULL, base);
	return *out <= max;
}

static bool copy(char *out, size_t out_size, const char *text)
{
	return (size_t)snprintf(out, out_size, "%s", text) < out_size && *text;
}

/* What stands behind cpuN., if that is there; NULL if there is no such CPU. */
static char *parse_cpu(char *point, struct caseid *out)
{
	size_t digits = strncmp(point, "cpu", 3) ? 0 : strspn(point + 3, DIGITS);
	uint64_t n;

	if (!digits || point[3 + digits] != '.')
		return point;
	point[3 + digits] = '\0';
	if (digits > 1 || !number(point + 3, DIGITS, 10, ABI_CPUS - 1, &n))
		return NULL;
	out->has_cpu = true;
	out->cpu = n;
	return point + 3 + digits + 1;
}

/* cpuM@N: CPU M has N turns; only the other CPU of an id that says its own. */
static bool parse_turns(char *text, struct caseid *out)
{
	char *count = cut_last(text, "@");
	uint64_t cpu, n;

	if (!count || strncmp(text, "cpu", 3) || strlen(text) != 4 || !number(text + 3, DIGITS, 10, ABI_CPUS - 1, &cpu))
		return false;
	if (!out->has_cpu || cpu == out->cpu || !number(count, DIGITS, 10, CASEID_TURNS, &n) || !n)
		return false;
	out->turns = n;
	return true;
}

/* [cpuN.]SYM+0xOFF@N:EVENT[,cpuM@N], cut from its end, because only the symbol may hold these characters too. */
static bool parse_point(char *point, struct caseid *out, char *err, size_t err_size)
{
	char *event = cut_last(point, ":"), *visit = event ? cut_last(point, "@") : NULL;
	char *offset = visit ? cut_last(point, "+0x") : NULL;
	char *turns;
	uint64_t n;

	if (!offset)
		return REFUSE("the last part must be SYMBOL+0xOFFSET@VISIT:EVENT");
	if (strchr(point, ','))
		return REFUSE("a chain of events (with ',') is not supported yet");
	turns = strchr(event, ',');
	if (turns)
		*turns++ = '\0';
	if (!event_find(event, &out->event))
		return REFUSE("unknown event '%s' (nmi, mce, db, each also with .resched, irq, gp and pf)", event);
	if (!number(visit, DIGITS, 10, 0xffffffff, &n) || !n)
		return REFUSE("visit '%s' is not a number from 1", visit);
	out->visit = n;
	if (!number(offset, HEX_DIGITS, 16, UINT64_MAX, &out->offset))
		return REFUSE("offset '0x%s' is not a hexadecimal number", offset);
	point = parse_cpu(point, out);
	if (!point)
		return REFUSE("there is no such CPU: cpu0. to cpu%u.", ABI_CPUS - 1);
	if (turns && !parse_turns(turns, out))
		return REFUSE("what stands behind ',' is not cpuM@TURNS, M the other CPU, TURNS from 1 to %d", CASEID_TURNS);
	if (!copy(out->symbol, sizeof(out->symbol), point))
		return REFUSE("the symbol is empty or too long");
	return true;
}

/* What a case id and a pin have in common: SCHEME/GS/SYM+0xOFF@N:EVENT. */
static bool parse_tail(char *text, struct caseid *out, char *err, size_t err_size)
{
	char *scheme = cut_first(&text, '/');
	char *gs = scheme ? cut_first(&text, '/') : NULL;

	if (!gs)
		return REFUSE("'%s' is not " CASEID_TAIL, scheme ? scheme : text);
	if (!scheme_find(scheme, &out->scheme))
		return REFUSE("unknown scheme '%s' (swapgs, ist)", scheme);
	if (!gsvalue_find(gs, &out->gs))
		return REFUSE("unknown user GS '%s'", gs);
	return parse_point(text, out, err, err_size);
}

static bool parse_whole(char *text, struct caseid *out, char *err, size_t err_size)
{
	char *scenario = cut_first(&text, '/');

	if (!scenario)
		return REFUSE("must be SCENARIO/" CASEID_TAIL);
	if (!copy(out->scenario, sizeof(out->scenario), scenario))
		return REFUSE("the scenario is empty or too long");
	return parse_tail(text, out, err, err_size);
}

/* All that is refused before the parts are looked at, then `parse` on a copy that it may cut. */
static bool parse_text(const char *text, struct caseid *out, char *err, size_t err_size,
		       bool (*parse)(char *text, struct caseid *out, char *err, size_t err_size))
{
	size_t bad = strspn(text, ALPHANUMERIC "_.@+:,/-");
	char buf[CASEID_SIZE];

	memset(out, 0, sizeof(*out));
	if (text[bad] >= ' ' && text[bad] <= '~')
		return REFUSE("character '%c' at position %zu is not allowed", text[bad], bad + 1);
	if (text[bad])
		return REFUSE("byte 0x%02x at position %zu is not allowed", (unsigned char)text[bad], bad + 1);
	if (!copy(buf, sizeof(buf), text))
		return REFUSE("empty, or longer than %zu characters", sizeof(buf) - 1);
	return parse(buf, out, err, err_size);
}

bool caseid_parse(const char *text, struct caseid *out, char *err, size_t err_size)
{
	return parse_text(text, out, err, err_size, parse_whole);
}

bool caseid_parse_tail(const char *text, struct caseid *out, char *err, size_t err_size)
{
	return parse_text(text, out, err, err_size, parse_tail);
}

void caseid_format(const struct caseid *c, char *out, size_t out_size)
{
	char cpu[16] = "", turns[24] = "";

	if (c->has_cpu)
		snprintf(cpu, sizeof(cpu), "cpu%u.", c->cpu);
	if (c->turns)
		snprintf(turns, sizeof(turns), ",cpu%u@%u", !c->cpu, c->turns);
	snprintf(out, out_size, "%s/%s/%s/%s%s+0x%llx@%u:%s%s", c->scenario, scheme_name(c->scheme),
		 gsvalue_name(c->gs), cpu, c->symbol, (unsigned long long)c->offset, c->visit, event_name(c->event), turns);
}
