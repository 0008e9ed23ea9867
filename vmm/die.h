/* SPDX-License-Identifier: MIT */
/* die.h: exit statuses of the command line contract, and the ways to leave with one. */
#ifndef VMM_DIE_H
#define VMM_DIE_H

enum exit_status {
	EXIT_GOOD = 0,          /* all that was asked ran */
	EXIT_BROKEN = 1,        /* a rule was broken */
	EXIT_USAGE = 2,         /* command line or file wrong */
	EXIT_HOST = 3,          /* this host cannot run it, or nothing was injected */
	EXIT_INCOMPLETE = 4,    /* nothing broken, but not all done */
};

/* One line on stderr, prefixed "gsgate: ", then exit(status). Runs atexit handlers. */
void die(int status, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* The same with ": strerror(errno)" appended. */
void die_errno(int status, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Allocation that cannot fail; zeroed memory. */
void *xcalloc(unsigned long n, unsigned long size);
void *xrealloc(void *p, unsigned long size);
char *xstrdup(const char *s);

#endif
