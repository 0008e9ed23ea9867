/* SPDX-License-Identifier: MIT */
/* main.c: the command line's first word. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/commands.h"
#include "vmm/die.h"

static const struct {
	const char *name, *help;
	int (*run)(const struct options *o);
} commands[] = {
	{ "run", "[SCENARIO|FILE.scn...]   inject at every boundary; TAP on stdout", cmd_run },
	{ "replay", "[FILE.scn] CASE [--around N]     one case again: every stop, the instructions around it, its neighbours", cmd_replay },
	{ "list", "[--boundaries] [SCENARIO...]  scenarios, or the measured map", cmd_list },
	{ "doctor", "                      what this host can and cannot do", cmd_doctor },
};

static void usage(FILE *f)
{
	fprintf(f, "gsgate: a test bench for x86-64 kernel entry code\n\n");
	for (size_t n = 0; n < sizeof(commands) / sizeof(commands[0]); n++)
		fprintf(f, "  gsgate %s %s\n", commands[n].name, commands[n].help);
	fprintf(f, "\n"
		"  --engine NAME            auto (kvm, without it qemu), kvm, qemu, libvirt;  --connect URI  whose libvirt\n"
		"  --scheme ist,pure,...    schemes of the guest kernel (default: all)\n"
		"  --gs u-small,...         user GS values by name (default: all that the scheme can meet)\n"
		"  --event nmi,mce,db       events (default: all)\n"
		"  --kernel FILE            guest kernel (default: guest.elf beside gsgate)\n"
		"  --jobs N                 guests at once (default: one per CPU)\n"
		"  --seed N                 which cases are run on to the end of the workload\n"
		"  --timeout S, --time S    limit of one entry into the guest, of the whole run\n"
		"  --strict                 a skip makes the run incomplete\n"
		"  --summary FILE|-         one JSON object;  --journal FILE  one line per case\n"
		"  --map FILE               run: what list --boundaries prints, of this run\n"
		"  --artifacts DIR          run: a folder for the first case of each group of violations, with what a bug report needs\n"
		"  --dump DIR               replay: the same of this case\n"
		"  --around N               replay: judge the N boundaries before and after with the same event, too\n"
		"  --gdb SOCKET             replay: hold the guest for a gdb that connects there; engine qemu\n"
		"  --stop PLACE             where: before the event (default), or at its gate, handler or return\n"
		"  --image HASH             replay: refuse a kernel whose image_hash (see --summary) is another\n\n"
		"exit status: 0 good, 1 a rule was broken, 2 wrong command line or file, 3 this host cannot,\n"
		"4 incomplete, 130/143 interrupted\n");
}

/* A file opened later must not become standard output by accident. */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int n = 1; n < argc; n++)
		if (!strcmp(argv[n], "--help") || !strcmp(argv[n], "-h") || (n == 1 && !strcmp(argv[n], "help")))
			return true;
	return false;
}

static int dispatch(int argc, char **argv)
{
	struct options options;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (asks_for_help(argc, argv)) {
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

int main(int argc, char **argv)
{
	int status;

	open_standard_files();
	signal(SIGXFSZ, SIG_IGN);               /* a write past the limit fails and is told */
	status = dispatch(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_USAGE, "standard output: not everything could be written");
	return status;
}
