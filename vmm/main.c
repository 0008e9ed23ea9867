/* SPDX-License-Identifier: MIT */
/* main.c: the command line's first word. */
#include <stdio.h>
#include <string.h>

#include "vmm/commands.h"
#include "vmm/die.h"

static const struct {
	const char *name, *help;
	int (*run)(const struct options *o);
} commands[] = {
	{ "run", "[SCENARIO|FILE.scn...]   inject at every boundary; TAP on stdout", cmd_run },
	{ "replay", "CASE                  one case again, with the machine's state at every stop", cmd_replay },
	{ "list", "[--boundaries] [SCENARIO...]  scenarios, or the measured map", cmd_list },
	{ "doctor", "                      what this host can and cannot do", cmd_doctor },
};

static void usage(FILE *f)
{
	fprintf(f, "gsgate: a test bench for x86-64 kernel entry code\n\n");
	for (size_t n = 0; n < sizeof(commands) / sizeof(commands[0]); n++)
		fprintf(f, "  gsgate %s %s\n", commands[n].name, commands[n].help);
	fprintf(f, "\n"
		"  --scheme swapgs,ist      schemes of the guest kernel (default: all)\n"
		"  --gs u-small,...         user GS values by name (default: all that the scheme can meet)\n"
		"  --event nmi,mce,db       events (default: all)\n"
		"  --kernel FILE            guest kernel (default: guest.elf beside gsgate)\n"
		"  --jobs N                 guests at once (default: one per CPU)\n"
		"  --seed N                 which cases are run on to the end of the workload\n"
		"  --timeout S, --time S    limit of one entry into the guest, of the whole run\n"
		"  --strict                 a skip makes the run incomplete\n"
		"  --summary FILE|-         one JSON object;  --journal FILE  one line per case\n\n"
		"exit status: 0 good, 1 a rule was broken, 2 wrong command line or file, 3 this host cannot,\n"
		"4 incomplete, 130/143 interrupted\n");
}

int main(int argc, char **argv)
{
	struct options options;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_GOOD;
	}
	for (size_t n = 0; n < sizeof(commands) / sizeof(commands[0]); n++)
		if (!strcmp(argv[1], commands[n].name)) {
			options_parse(&options, argc - 1, argv + 1);
			return commands[n].run(&options);
		}
	die(EXIT_USAGE, "no command \"%s\"; gsgate --help shows them", argv[1]);
}
