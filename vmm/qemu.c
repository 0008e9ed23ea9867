/* SPDX-License-Identifier: MIT */
/* qemu.c: QEMU as a child process, stopped before its guest's first instruction. */
#define _GNU_SOURCE
#include "vmm/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/abi.h"
#include "vmm/die.h"
#include "vmm/qcow2.h"
#include "vmm/qemu_child.h"

#define VERSION_SECONDS 5.0
#define BIOS_SIZE 65536                 /* the least that QEMU takes */
#define END_SECONDS 0.5                 /* from a closed socket to the end of the process */

/* The first line of a child's file. */
static void first_line(int fd, char *out, size_t out_size)
{
	ssize_t n = pread(fd, out, out_size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
}

bool qemu_find(char *path, size_t path_size)
{
	const char *at = getenv("PATH");

	while (at && *at) {
		size_t n = strcspn(at, ":");
		bool fits = n && (size_t)snprintf(path, path_size, "%.*s/%s", (int)n, at, QEMU_PROGRAM) < path_size;

		if (fits && !access(path, X_OK))
			return true;
		at += n + (at[n] == ':');
	}
	return false;
}

/* Both outputs go to one file: a program that cannot say its version says why. */
static bool ask_version(const char *path, char *said, size_t said_size, char *err, size_t err_size)
{
	char *const argv[] = { (char *)path, "--version", NULL };
	int out = child_file("the output"), null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0;
	const int fd[FD_COUNT] = { null, out, out, null, null, null, null };
	pid_t pid = child_spawn(argv, fd);
	bool good = false;

	if (pid < 0)
		snprintf(err, err_size, "%s cannot be started: %s", path, strerror(errno));
	else if (!(good = child_ended(pid, VERSION_SECONDS, &status)))
		snprintf(err, err_size, "%s does not say its version within %.0f s", path, VERSION_SECONDS);
	if (pid > 0 && !good)
		child_put_down(pid);
	first_line(out, said, said_size);
	if (good && !*said)
		snprintf(err, err_size, "%s does not say its version", path);
	close(out);
	close(null);
	return good && *said;
}

bool qemu_version(const char *path, char *version, size_t version_size, char *err, size_t err_size)
{
	char said[160];
	unsigned major, minor;
	const char *number;

	if (!ask_version(path, said, sizeof(said), err, err_size))
		return false;
	number = strstr(said, " version ");
	if (!number || sscanf(number, " version %u.%u", &major, &minor) != 2) {
		snprintf(err, err_size, "%s does not say its version but \"%.80s\"", path, said);
		return false;
	}
	number += strlen(" version ");
	snprintf(version, version_size, "%.*s", (int)strspn(number, "0123456789."), number);
	if (major > QEMU_OLDEST_MAJOR || (major == QEMU_OLDEST_MAJOR && minor >= QEMU_OLDEST_MINOR))
		return true;
	snprintf(err, err_size, "%s is version %s, older than %u.%u", path, version, QEMU_OLDEST_MAJOR, QEMU_OLDEST_MINOR);
	return false;
}

#define MACHINE "microvm,x-option-roms=off,auto-kernel-cmdline=off,pit=off,pic=off,rtc=off,isa-serial=off,memory-backend=ram"
struct ram_words {
	char size[64], object[128];
};

static struct ram_words ram_words(void)
{
	struct ram_words w;

	_Static_assert(FD_GDB == 3, "the socket's number in the arguments");
	snprintf(w.size, sizeof(w.size), "size=%uk", ABI_RAM_SIZE / 1024);
	snprintf(w.object, sizeof(w.object), "memory-backend-file,id=ram,share=on,size=%uk,mem-path=/proc/self/fd/%d",
		 ABI_RAM_SIZE / 1024, FD_RAM);
	return w;
}

/* No source of interrupts; stopped before the first instruction; RAM and gdb stub inherited. */
static pid_t spawn(const char *path, const int fd[])
{
	struct ram_words ram = ram_words();
	char bios[64], drive[128];
	char *const argv[] = {
		(char *)path, "-nodefaults", "-no-user-config", "-display", "none", "-S", "-accel", "tcg", "-cpu", "max",
		"-M", MACHINE, "-m", ram.size, "-object", ram.object, "-chardev", "socket,id=gdb,fd=3", "-gdb", "chardev:gdb",
		"-bios", bios, "-drive", drive, NULL,
	};

	snprintf(bios, sizeof(bios), "/proc/self/fd/%d", FD_BIOS);
	snprintf(drive, sizeof(drive), "if=none,id=state,format=qcow2,cache=unsafe,file=/proc/self/fd/%d", FD_STATE);
	return child_spawn(argv, fd);
}

bool qemu_start_empty(struct qemu *q, const char *path, char *err, size_t err_size)
{
	int pair[2], ram = child_file("RAM"), bios = child_file("firmware"), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int errors = child_file("the errors"), state = child_file("the saved state");
	int fd[FD_COUNT] = { null, errors, errors, -1, ram, state, bios };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || ftruncate(ram, ABI_RAM_SIZE) || ftruncate(bios, BIOS_SIZE) ||
	    !qcow2_create(state))
		die_errno(EXIT_HOST, "a socket, RAM and the saved state of QEMU");
	*q = (struct qemu){ .gdb = pair[0], .errors = errors, .state = state };
	mem_init_file(&q->ram, ram, ABI_RAM_SIZE);
	fd[FD_GDB] = pair[1];
	q->pid = spawn(path, fd);
	if (q->pid < 0)
		snprintf(err, err_size, "%s cannot be started: %s", path, strerror(errno));
	close(pair[1]);
	close(ram);
	close(bios);
	close(null);
	if (q->pid < 0)
		qemu_stop(q);
	return q->pid > 0;
}

void qemu_stop(struct qemu *q)
{
	if (q->pid > 0)
		child_put_down(q->pid);
	q->pid = -1;
	close(q->gdb);
	close(q->errors);
	close(q->state);
	mem_free(&q->ram);
}

void qemu_describe(struct qemu *q, char *out, size_t out_size)
{
	char said[200];
	int status = 0;

	*out = '\0';
	first_line(q->errors, said, sizeof(said));
	if (q->pid <= 0 || !child_ended(q->pid, END_SECONDS, &status))
		return;
	q->pid = -1;
	if (WIFSIGNALED(status))
		snprintf(out, out_size, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(out, out_size, "exit status %d", WEXITSTATUS(status));
	if (*said)
		snprintf(out + strlen(out), out_size - strlen(out), ", it said \"%s\"", said);
}
