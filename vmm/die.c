/* SPDX-License-Identifier: MIT */
/* die.c: one clear line on stderr and an exit status; allocation that does not fail. */
#include "vmm/die.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* exit() may be called once only: whoever comes second waits for the end. */
static void take_the_exit(void)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&once);
}

/* One line, whatever a name from outside contains. */
static void say(const char *fmt, va_list ap, const char *tail)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	fflush(stdout);
	fprintf(stderr, "gsgate: %s%s%s\n", text, tail ? ": " : "", tail ? tail : "");
}

void die(int status, const char *fmt, ...)
{
	va_list ap;

	take_the_exit();
	va_start(ap, fmt);
	say(fmt, ap, NULL);
	va_end(ap);
	exit(status);
}

void die_errno(int status, const char *fmt, ...)
{
	const char *reason = strerror(errno);
	va_list ap;

	take_the_exit();
	va_start(ap, fmt);
	say(fmt, ap, reason);
	va_end(ap);
	exit(status);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, NULL);
	va_end(ap);
}

void *xcalloc(unsigned long n, unsigned long size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		die(EXIT_HOST, "out of memory (%lu x %lu bytes)", n, size);
	return p;
}

void *xrealloc(void *p, unsigned long size)
{
	p = realloc(p, size);
	if (!p)
		die(EXIT_HOST, "out of memory (%lu bytes)", size);
	return p;
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		die(EXIT_HOST, "out of memory");
	return p;
}
