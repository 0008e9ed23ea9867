/* SPDX-License-Identifier: MIT */
/* options.c: the command line, parsed. */
#include "vmm/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/die.h"
#include "vmm/event.h"
#include "vmm/gsvalue.h"

enum { OPT_ENGINE = 256, OPT_KERNEL, OPT_SCHEME, OPT_GS, OPT_EVENT, OPT_JOBS, OPT_SEED, OPT_TIMEOUT, OPT_TIME,
       OPT_STRICT, OPT_FORMAT, OPT_SUMMARY, OPT_JOURNAL, OPT_BOUNDARIES, OPT_DEPTH, OPT_AROUND,
       OPT_IMAGE, OPT_CONNECT, OPT_ARTIFACTS, OPT_DUMP, OPT_GDB, OPT_STOP, OPT_MAP };

static const struct option table[] = {
	{ "engine", required_argument, NULL, OPT_ENGINE }, { "kernel", required_argument, NULL, OPT_KERNEL },
	{ "scheme", required_argument, NULL, OPT_SCHEME }, { "gs", required_argument, NULL, OPT_GS },
	{ "event", required_argument, NULL, OPT_EVENT }, { "jobs", required_argument, NULL, OPT_JOBS },
	{ "seed", required_argument, NULL, OPT_SEED }, { "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "time", required_argument, NULL, OPT_TIME }, { "strict", no_argument, NULL, OPT_STRICT },
	{ "format", required_argument, NULL, OPT_FORMAT }, { "summary", required_argument, NULL, OPT_SUMMARY },
	{ "journal", required_argument, NULL, OPT_JOURNAL }, { "boundaries", no_argument, NULL, OPT_BOUNDARIES },
	{ "depth", required_argument, NULL, OPT_DEPTH }, { "around", required_argument, NULL, OPT_AROUND },
	{ "image", required_argument, NULL, OPT_IMAGE }, { "connect", required_argument, NULL, OPT_CONNECT },
	{ "artifacts", required_argument, NULL, OPT_ARTIFACTS }, { "dump", required_argument, NULL, OPT_DUMP },
	{ "gdb", required_argument, NULL, OPT_GDB }, { "stop", required_argument, NULL, OPT_STOP },
	{ "map", required_argument, NULL, OPT_MAP },
	{ 0 },
};

void options_beside(const char *name, char *out, unsigned long out_size)
{
	char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0)
		die_errno(EXIT_HOST, "/proc/self/exe");
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(out, out_size, "%.*s/%s", (int)(slash - path), path, name);
}

/* A comma-separated list of names to a bit mask, through a function that knows one name. */
static unsigned names(const char *option, const char *text, bool (*find)(const char *, unsigned *))
{
	char *copy = xstrdup(text), *rest = copy, *word;
	unsigned mask = 0, one;

	while ((word = strsep(&rest, ","))) {
		if (!find(word, &one))
			die(EXIT_USAGE, "--%s: unknown name \"%s\"", option, word);
		mask |= 1u << one;
	}
	free(copy);
	return mask;
}

static bool find_scheme(const char *name, unsigned *out)
{
	enum scheme s;

	if (!scheme_find(name, &s))
		return false;
	*out = s;
	return true;
}

static bool find_gs(const char *name, unsigned *out)
{
	enum gs_name g;

	if (!gsvalue_find(name, &g))
		return false;
	*out = g;
	return true;
}

static bool find_event(const char *name, unsigned *out)
{
	enum event e;

	if (!event_find(name, &e))
		return false;
	*out = e;
	return true;
}

static uint64_t number(const char *option, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || !isdigit((unsigned char)*text) || *end || n < min || n > max)
		die(EXIT_USAGE, "--%s: \"%s\" is no number from %llu to %llu", option, text, (unsigned long long)min,
		    (unsigned long long)max);
	return n;
}

/* As the summary writes it, with or without 0x. */
static uint64_t hash(const char *text)
{
	const char *digits = !strncmp(text, "0x", 2) ? text + 2 : text;
	size_t length = strspn(digits, "0123456789abcdef");

	if (!length || length > 16 || digits[length])
		die(EXIT_USAGE, "--image: \"%s\" is no image_hash of a summary", text);
	return strtoull(digits, NULL, 16);
}

static double seconds(const char *option, const char *text)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || isspace((unsigned char)*text) || !isfinite(n) || n <= 0 || n > 1e6)
		die(EXIT_USAGE, "--%s: \"%s\" is no time in seconds", option, text);
	return n;
}

static void only(const char *option, const char *text, const char *supported)
{
	if (strcmp(text, supported) && strcmp(text, "auto"))
		die(EXIT_USAGE, "--%s: \"%s\" is not available; this version has \"%s\"", option, text, supported);
}

static enum engine_choice engine(const char *name)
{
	static const char *const names[] = { [ENGINE_AUTO] = "auto", [ENGINE_KVM] = "kvm", [ENGINE_QEMU] = "qemu",
					     [ENGINE_LIBVIRT] = "libvirt" };

	for (unsigned n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (!strcmp(name, names[n]))
			return n;
	die(EXIT_USAGE, "--engine: \"%s\" is none of auto, kvm, qemu, libvirt", name);
}

static enum hold hold(const char *name)
{
	static const char *const names[] = {
		[HOLD_BEFORE] = "before", [HOLD_GATE] = "gate", [HOLD_HANDLER] = "handler", [HOLD_RETURN] = "return",
	};

	for (unsigned n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (!strcmp(name, names[n]))
			return n;
	die(EXIT_USAGE, "--stop: \"%s\" is none of before, gate, handler, return", name);
}

static void take(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPT_ENGINE: o->engine = engine(value); break;
	case OPT_FORMAT: only("format", value, "tap"); break;
	case OPT_DEPTH: only("depth", value, "1"); break;
	case OPT_KERNEL: o->kernel = value; break;
	case OPT_SCHEME: o->schemes = names("scheme", value, find_scheme); break;
	case OPT_GS: o->gs = names("gs", value, find_gs); break;
	case OPT_EVENT: o->events = names("event", value, find_event); break;
	case OPT_JOBS: o->jobs = number("jobs", value, 1, 64); break;
	case OPT_SEED: o->seed = number("seed", value, 0, INT64_MAX); break;
	case OPT_TIMEOUT: o->timeout = seconds("timeout", value); break;
	case OPT_TIME: o->time = seconds("time", value); break;
	case OPT_CONNECT: o->connect = value; break;
	case OPT_STRICT: o->strict = true; break;
	case OPT_SUMMARY: o->summary = value; break;
	case OPT_JOURNAL: o->journal = value; break;
	case OPT_MAP: o->map = value; break;
	case OPT_BOUNDARIES: o->boundaries = true; break;
	case OPT_AROUND: o->around = number("around", value, 1, 1000); break;
	case OPT_ARTIFACTS: o->artifacts = value; break;
	case OPT_DUMP: o->dump = value; break;
	case OPT_GDB: o->gdb = value; break;
	case OPT_STOP: o->stop = hold(value); o->stop_named = true; break;
	case OPT_IMAGE: o->image = hash(value); o->image_named = true; break;
	}
}

static const char *default_kernel(void)
{
	static char path[600];

	options_beside("guest.elf", path, sizeof(path));
	return path;
}

static void only_for(const char *command, const char *named, bool used, const char *option)
{
	if (used && strcmp(command, named))
		die(EXIT_USAGE, "%s belongs to gsgate %s", option, command);
}

/* Only engine qemu has a gdb stub to offer: it need not be named. */
static void check_gdb(struct options *o, const char *command)
{
	only_for("replay", command, o->gdb, "--gdb");
	if (o->stop_named && !o->gdb)
		die(EXIT_USAGE, "--stop belongs to gsgate replay --gdb");
	if (o->gdb && o->engine == ENGINE_AUTO)
		o->engine = ENGINE_QEMU;
	if (o->gdb && o->engine != ENGINE_QEMU)
		die(EXIT_USAGE, "--gdb: only engine qemu can hand its guest over to a gdb");
}

void options_parse(struct options *o, int argc, char **argv)
{
	int option;

	*o = (struct options){ .timeout = 2, .seed = 1 };
	opterr = 0;                     /* one line, ours */
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == '?')
			die(EXIT_USAGE, "%s: unknown option, or its value is missing; see gsgate --help", argv[optind - 1]);
		take(o, option, optarg);
	}
	only_for("list", argv[0], o->boundaries, "--boundaries");
	only_for("replay", argv[0], o->around, "--around");
	only_for("replay", argv[0], o->image_named, "--image");
	only_for("replay", argv[0], o->dump, "--dump");
	only_for("run", argv[0], o->artifacts, "--artifacts");
	only_for("run", argv[0], o->map, "--map");
	if (o->connect && o->engine == ENGINE_AUTO)
		o->engine = ENGINE_LIBVIRT;     /* an URI is libvirt's */
	if (o->connect && o->engine != ENGINE_LIBVIRT)
		die(EXIT_USAGE, "--connect belongs to engine libvirt");
	check_gdb(o, argv[0]);
	o->kernel_named = o->kernel;
	if (!o->kernel)
		o->kernel = default_kernel();
	if (!o->jobs)
		o->jobs = sysconf(_SC_NPROCESSORS_ONLN);
	o->args = argv + optind;
	o->arg_count = argc - optind;
}

void options_allow(const struct options *o, unsigned allowed)
{
	if (o->arg_count && !(allowed & OPTIONS_ARGS))
		die(EXIT_USAGE, "%s: this command takes no such argument", o->args[0]);
	if (o->boundaries && !(allowed & OPTIONS_BOUNDARIES))
		die(EXIT_USAGE, "--boundaries: this command has no such option");
}
