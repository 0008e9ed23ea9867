/* SPDX-License-Identifier: MIT */
/* tap.h: a test in C that speaks TAP version 13. Values are compared at full width. */
#ifndef TAP_TAP_H
#define TAP_TAP_H

#include <stdbool.h>
#include <stdint.h>

/* First: how many points follow. */
void plan(unsigned points);

/* One point each; the name is a printf format. They return whether the point is good. */
#define ok(cond, ...)             tap_ok(__FILE__, __LINE__, (cond), #cond, __VA_ARGS__)
#define is_u64(got, want, ...)    tap_u64(__FILE__, __LINE__, (got), (want), __VA_ARGS__)
#define is_str(got, want, ...)    tap_str(__FILE__, __LINE__, (got), (want), __VA_ARGS__)

/* A point that cannot be tried here, and why. */
void skip(const char *name, const char *reason);

/* Last: `return done();` from main. 1 if a point failed or the plan was not kept. */
int done(void);

bool tap_ok(const char *file, int line, bool good, const char *cond, const char *name, ...)
	__attribute__((format(printf, 5, 6)));
bool tap_u64(const char *file, int line, uint64_t got, uint64_t want, const char *name, ...)
	__attribute__((format(printf, 5, 6)));
bool tap_str(const char *file, int line, const char *got, const char *want, const char *name, ...)
	__attribute__((format(printf, 5, 6)));

#endif
