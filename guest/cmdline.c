/* SPDX-License-Identifier: MIT */
/* cmdline.c: the command line: its words and their values. */
#include "guest/abi.h"
#include "guest/cmdline.h"
#include "guest/report.h"

/* In .data: the bench writes it into the image's bytes before the first instruction; pvh.S does so if it is
 * empty. */
char boot_cmdline[ABI_CMDLINE_SIZE] __attribute__((section(".data"), used));

extern const char user_syscall[], user_syscall_iret[], user_exception[], user_usercopy[], user_gs[],
	user_flags[], user_work[], user_gp[], user_breakpoint[],
	user_bad_iret[], user_selector[], user_set_rip[], user_fallback[], user_no_stack[], user_nmi[], user_nmi_again[],
	user_machine_check[], user_debug[], user_watch[], user_probe[];
extern const char user_two_cpus[], user_two_cpus_cpu1[], user_ipi[], user_ipi_cpu1[], user_remote_gs[], user_remote_gs_cpu1[],
	user_migrate[], user_migrate_cpu1[], user_boot[], user_boot_cpu1[];

static const struct named {
	const char *name;
	uint64_t value, on_cpu_1;
} schemes[] = {
	{ "swapgs", SCHEME_SWAPGS, 0 },
	{ "ist", SCHEME_IST, 0 },
	{ 0, 0, 0 },
}, programs[] = {
	{ "syscall", (uint64_t)user_syscall, 0 },
	{ "syscall_iret", (uint64_t)user_syscall_iret, 0 },
	{ "exception", (uint64_t)user_exception, 0 },
	{ "usercopy", (uint64_t)user_usercopy, 0 },
	{ "gs", (uint64_t)user_gs, 0 },
	{ "flags", (uint64_t)user_flags, 0 },
	{ "work", (uint64_t)user_work, 0 },
	{ "gp", (uint64_t)user_gp, 0 },
	{ "breakpoint", (uint64_t)user_breakpoint, 0 },
	{ "bad_iret", (uint64_t)user_bad_iret, 0 },
	{ "selector", (uint64_t)user_selector, 0 },
	{ "no_stack", (uint64_t)user_no_stack, 0 },
	{ "set_rip", (uint64_t)user_set_rip, 0 },
	{ "fallback", (uint64_t)user_fallback, 0 },
	{ "nmi", (uint64_t)user_nmi, 0 },
	{ "nmi_again", (uint64_t)user_nmi_again, 0 },
	{ "machine_check", (uint64_t)user_machine_check, 0 },
	{ "debug", (uint64_t)user_debug, 0 },
	{ "watch", (uint64_t)user_watch, 0 },
	{ "probe", (uint64_t)user_probe, 0 },
	{ "two_cpus", (uint64_t)user_two_cpus, (uint64_t)user_two_cpus_cpu1 },
	{ "ipi", (uint64_t)user_ipi, (uint64_t)user_ipi_cpu1 },
	{ "remote_gs", (uint64_t)user_remote_gs, (uint64_t)user_remote_gs_cpu1 },
	{ "boot", (uint64_t)user_boot, (uint64_t)user_boot_cpu1 },
	{ "migrate", (uint64_t)user_migrate, (uint64_t)user_migrate_cpu1 },
	{ 0, 0, 0 },
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

static const struct named *find(const struct named *table, const char *name)
{
	for (; table->name; table++)
		if (is_same(table->name, name))
			return table;
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

static void set_program(struct cmdline *out, const struct named *program)
{
	out->program = program->value;
	out->program_1 = program->on_cpu_1;
}

static void parse_word(const char *word, struct cmdline *out)
{
	const char *value;

	if ((value = after(word, "scheme=")))
		out->scheme = find(schemes, value)->value;
	else if ((value = after(word, "program=")))
		set_program(out, find(programs, value));
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
}
