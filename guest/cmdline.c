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
extern const char user_decision[], user_step[], user_context[], user_signal[], user_forbidden[], user_breakpoints[], user_breakpoint_kernel[];

static const struct named {
	const char *name;
	uint64_t value;
} schemes[] = {
	{ "swapgs", SCHEME_SWAPGS },
	{ "ist", SCHEME_IST },
	{ 0, 0 },
}, programs[] = {
	{ "syscall", (uint64_t)user_syscall },
	{ "syscall_iret", (uint64_t)user_syscall_iret },
	{ "exception", (uint64_t)user_exception },
	{ "usercopy", (uint64_t)user_usercopy },
	{ "gs", (uint64_t)user_gs },
	{ "flags", (uint64_t)user_flags },
	{ "work", (uint64_t)user_work },
	{ "gp", (uint64_t)user_gp },
	{ "breakpoint", (uint64_t)user_breakpoint },
	{ "bad_iret", (uint64_t)user_bad_iret },
	{ "selector", (uint64_t)user_selector },
	{ "no_stack", (uint64_t)user_no_stack },
	{ "set_rip", (uint64_t)user_set_rip },
	{ "fallback", (uint64_t)user_fallback },
	{ "nmi", (uint64_t)user_nmi },
	{ "nmi_again", (uint64_t)user_nmi_again },
	{ "machine_check", (uint64_t)user_machine_check },
	{ "debug", (uint64_t)user_debug },
	{ "watch", (uint64_t)user_watch },
	{ "decision", (uint64_t)user_decision },
	{ "step", (uint64_t)user_step },
	{ "context", (uint64_t)user_context },
	{ "signal", (uint64_t)user_signal },
	{ "forbidden", (uint64_t)user_forbidden },
	{ "breakpoints", (uint64_t)user_breakpoints },
	{ "breakpoint_kernel", (uint64_t)user_breakpoint_kernel },
	{ "probe", (uint64_t)user_probe },
	{ 0, 0 },
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

static uint64_t find(const struct named *table, const char *name)
{
	for (; table->name; table++)
		if (is_same(table->name, name))
			return table->value;
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

static void parse_word(const char *word, struct cmdline *out)
{
	const char *value;

	if ((value = after(word, "scheme=")))
		out->scheme = find(schemes, value);
	else if ((value = after(word, "program=")))
		out->program = find(programs, value);
	else if ((value = after(word, "gs=")))
		out->gs = hex(value);
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

	*out = (struct cmdline){ .scheme = SCHEME_COUNT };
	if (boot_cmdline[ABI_CMDLINE_SIZE - 1])
		cmdline_refuse("command line: longer than it may be", 0);
	for (const char *line = next_word(boot_cmdline, word); *word; line = next_word(line, word))
		parse_word(word, out);
	if (out->scheme == SCHEME_COUNT || !out->program)
		cmdline_refuse("command line: needed", "scheme= and program=");
}
