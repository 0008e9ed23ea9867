/* SPDX-License-Identifier: MIT */
/* tap.c: the TAP producer: points are counted and printed at once, so that a crash shows what came before. */
#include "tap/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned planned, count, failed;

void plan(unsigned points)
{
	planned = points;
	printf("TAP version 13\n1..%u\n", points);
	fflush(stdout);
}

/* '#' would start a directive, and a newline a new point. */
static void print_name(const char *fmt, va_list ap)
{
	char name[256], *p;

	vsnprintf(name, sizeof(name), fmt, ap);
	for (p = name; *p; p++)
		putchar(*p == '#' || *p == '\n' ? '_' : *p);
}

static void point(bool good, const char *fmt, va_list ap)
{
	count++;
	failed += !good;
	printf("%sok %u - ", good ? "" : "not ", count);
	print_name(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

bool tap_ok(const char *file, int line, bool good, const char *cond, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	point(good, name, ap);
	va_end(ap);
	if (!good)
		printf("# %s:%d: false: %s\n", file, line, cond);
	return good;
}

bool tap_u64(const char *file, int line, uint64_t got, uint64_t want, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	point(got == want, name, ap);
	va_end(ap);
	if (got != want)
		printf("# %s:%d:  got 0x%016llx\n# %s:%d: want 0x%016llx\n", file, line, (unsigned long long)got,
		       file, line, (unsigned long long)want);
	return got == want;
}

bool tap_str(const char *file, int line, const char *got, const char *want, const char *name, ...)
{
	bool good = got && !strcmp(got, want);
	va_list ap;

	va_start(ap, name);
	point(good, name, ap);
	va_end(ap);
	if (!good)
		printf("# %s:%d:  got \"%s\"\n# %s:%d: want \"%s\"\n", file, line, got ? got : "(null)", file, line, want);
	return good;
}

void skip(const char *name, const char *reason)
{
	printf("ok %u - %s # SKIP %s\n", ++count, name, reason);
	fflush(stdout);
}

int done(void)
{
	if (failed)
		printf("# %u of %u points failed\n", failed, count);
	if (count != planned)
		printf("# planned %u points but made %u\n", planned, count);
	fflush(stdout);
	return failed || count != planned;
}
