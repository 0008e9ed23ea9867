/* SPDX-License-Identifier: MIT */
/* progress.c: one line on stderr that shows how far long work is, if stderr is a terminal. */
#include "vmm/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/clock.h"

#define WIDTH 30
#define INTERVAL 0.2

static bool shown;
static const char *shown_what;
static double last, began;

void progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

void progress_show(const char *what, size_t done, size_t total)
{
	static const char full[] = "##############################", empty[] = "..............................";
	double now = clock_now();
	int filled = total ? (int)(WIDTH * done / total) : WIDTH;

	if (!isatty(STDERR_FILENO))
		return;
	if (shown_what != what) {
		shown_what = what;
		began = now;
	}
	if (shown && now - last < INTERVAL)
		return;
	last = now;
	fprintf(stderr, "\r%-10s [%.*s%.*s] %zu/%zu  %.0f/s ", what, filled, full, WIDTH - filled, empty, done, total,
		now > began ? done / (now - began) : 0.0);
	shown = true;
}
