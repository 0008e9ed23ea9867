/* SPDX-License-Identifier: MIT */
/* cmdline.c: the command line: its words and their values. */
#include "guest/abi.h"
#include "guest/cmdline.h"
#include "guest/report.h"

/* In .data: the bench writes it into the image's bytes before the first instruction; pvh.S does so if it is
 * empty. */
char boot_cmdline[ABI_CMDLINE_SIZE] __attribute__((section(".data"), used));

/* A user program of user.h: where it begins; on CPU 1, and as the second thread of each CPU, 0 if it does not. */
struct program {
	const char *name;
	uint64_t first, on_cpu_1, second[ABI_CPUS];
};
extern const struct program __programs_start[], __programs_end[];

static const char *const schemes[SCHEME_COUNT] = {
	[SCHEME_SWAPGS] = "swapgs", [SCHEME_IST] = "ist", [SCHEME_LSL] = "lsl", [SCHEME_PURE] = "pure",
};

void cmdline_refuse(const char *why, const char *word)
{
	report_panic(ABI_PANIC_CMDLINE, why, word);
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The text after prefix, or NULL. */
static const char *after(const char *word, const char *prefix)
{
	while (*prefix)
		if (*word++ != *prefix++)
			return 0;
	return word;
}

static enum scheme find_scheme(const char *name)
{
	for (enum scheme n = 0; n < SCHEME_COUNT; n++)
		if (is_same(schemes[n], name))
			return n;
	cmdline_refuse("command line: unknown name", name);
}

static const struct program *find_program(const char *name)
{
	for (const struct program *p = __programs_start; p < __programs_end; p++)
		if (is_same(p->name, name))
			return p;
	cmdline_refuse("command line: unknown name", name);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static uint64_t hex(const char *text)
{
	const char *digits = after(text, "0x");
	uint64_t value = 0;

	if (!digits || !*digits)
		cmdline_refuse("command line: not a number 0x...", text);
	for (; *digits; digits++) {
		if (hex_digit(*digits) < 0 || value >> 60)
			cmdline_refuse("command line: not a number of 64 bits", text);
		value = value << 4 | hex_digit(*digits);
	}
	return value;
}

static void set_program(struct cmdline *out, const struct program *program)
{
	out->program = program->first;
	out->program_1 = program->on_cpu_1;
	for (unsigned cpu = 0; cpu < ABI_CPUS; cpu++)
		out->program_2[cpu] = program->second[cpu];
}

static void parse_word(const char *word, struct cmdline *out)
{
	const char *value;

	if ((value = after(word, "scheme=")))
		out->scheme = find_scheme(value);
	else if ((value = after(word, "program=")))
		set_program(out, find_program(value));
	else if ((value = after(word, "gs=")))
		out->gs = hex(value);
	else if ((value = after(word, "gs1=")))
		out->gs_1 = hex(value);
	else if ((value = after(word, "cpus=")))
		out->cpus = hex(value);
	else if ((value = after(word, "flags=")))
		out->flags = hex(value);
	else if (is_same(word, "fsgsbase"))
		out->fsgsbase = true;
	else if (is_same(word, "nofsgsbase"))
		out->nofsgsbase = true;
	else if ((value = after(word, "threads=")))
		out->threads = hex(value);
	else if (is_same(word, "switch=2019"))
		out->switch_2019 = true;
	else if (is_same(word, "timer=migrate"))
		out->timer_migrates = true;
	else if (is_same(word, "lapic"))
		out->lapic = true;
	else
		cmdline_refuse("command line: unknown word", word);
}

/* Copies the next word and returns what follows it. */
static const char *next_word(const char *line, char *word)
{
	while (*line == ' ')
		line++;
	while (*line && *line != ' ')
		*word++ = *line++;
	*word = 0;
	return line;
}

/* As many on each CPU. */
static void check_threads(const struct cmdline *args)
{
	uint64_t each = args->threads / args->cpus;

	if (args->threads % args->cpus || each > ABI_THREADS_OF_CPU)
		cmdline_refuse("command line: threads= has two for each CPU, or one", 0);
	for (unsigned cpu = 0; cpu < args->cpus && each > 1; cpu++)
		if (!args->program_2[cpu])
			cmdline_refuse("command line: no program of a second thread", 0);
}

void cmdline_parse(struct cmdline *out)
{
	static char word[ABI_CMDLINE_SIZE];

	*out = (struct cmdline){ .scheme = SCHEME_COUNT, .cpus = 1 };
	if (boot_cmdline[ABI_CMDLINE_SIZE - 1])
		cmdline_refuse("command line: longer than it may be", 0);
	for (const char *line = next_word(boot_cmdline, word); *word; line = next_word(line, word))
		parse_word(word, out);
	if (out->scheme == SCHEME_COUNT || !out->program)
		cmdline_refuse("command line: needed", "scheme= and program=");
	if (!out->cpus || out->cpus > ABI_CPUS || (out->cpus > 1 && !out->program_1))
		cmdline_refuse("command line: there are not so many CPUs, or no program for each", 0);
	if (out->timer_migrates && out->cpus < 2)
		cmdline_refuse("command line: there is no other CPU", "timer=migrate");
	check_threads(out);
}
