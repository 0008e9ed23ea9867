/* SPDX-License-Identifier: MIT */
/* qemu.c: QEMU as a child process, stopped before its guest's first instruction. */
#define _GNU_SOURCE
#include "vmm/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/abi.h"
#include "vmm/clock.h"
#include "vmm/die.h"

#define VERSION_SECONDS 5.0
#define END_SECONDS 0.5                 /* from a closed socket to the end of the process */
#define MOST_AT_ONCE 16
#define HIGH_FD 64                      /* out of the way of the numbers that a child gets */

/* What a child finds under these numbers. */
enum { FD_IN, FD_CONSOLE, FD_ERRORS, FD_GDB, FD_RAM, FD_COUNT };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t children[MOST_AT_ONCE];

static void kill_children(void)
{
	for (unsigned n = 0; n < MOST_AT_ONCE; n++)
		if (children[n]) {
			kill(children[n], SIGKILL);
			waitpid(children[n], NULL, 0);
		}
}

static bool replace(pid_t old, pid_t new)
{
	static bool registered;
	bool found = false;

	pthread_mutex_lock(&lock);
	if (!registered)
		atexit(kill_children);
	registered = true;
	for (unsigned n = 0; n < MOST_AT_ONCE && !found; n++)
		if (children[n] == old) {
			children[n] = new;
			found = true;
		}
	pthread_mutex_unlock(&lock);
	return found;
}

/* Between fork() and exec(): nothing that takes a lock. */
static __attribute__((noreturn)) void become(char *const argv[], const int fd[], pid_t parent)
{
	sigset_t none;
	int high[FD_COUNT];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int n = 0; n < FD_COUNT; n++)
		high[n] = fcntl(fd[n], F_DUPFD, HIGH_FD);
	for (int n = 0; n < FD_COUNT; n++)
		if (dup2(high[n], n) < 0)
			_exit(127);
	close_range(FD_COUNT, ~0u, 0);
	execv(argv[0], argv);
	_exit(127);
}

static pid_t spawn(char *const argv[], const int fd[])
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become(argv, fd, parent);
	if (pid > 0 && !replace(0, pid)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		errno = EAGAIN;
		return -1;
	}
	return pid;
}

/* Has it ended, now or within so many seconds? */
static bool ended(pid_t pid, double seconds, int *status)
{
	struct timespec tick = { .tv_nsec = 2000000 };
	double until = clock_now() + seconds;
	pid_t got;

	while ((got = waitpid(pid, status, WNOHANG)) == 0 && clock_now() < until)
		nanosleep(&tick, NULL);
	if (got == pid)
		replace(pid, 0);
	return got == pid;
}

static void put_down(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	replace(pid, 0);
}

static int nameless(const char *what)
{
	int fd = memfd_create(what, MFD_CLOEXEC);

	if (fd < 0)
		die_errno(EXIT_HOST, "a file for %s of QEMU", what);
	return fd;
}

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
	int out = nameless("the output"), null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0;
	const int fd[FD_COUNT] = { null, out, out, null, null };
	pid_t pid = spawn(argv, fd);
	bool good = false;

	if (pid < 0)
		snprintf(err, err_size, "%s cannot be started: %s", path, strerror(errno));
	else if (!(good = ended(pid, VERSION_SECONDS, &status)))
		snprintf(err, err_size, "%s does not say its version within %.0f s", path, VERSION_SECONDS);
	if (pid > 0 && !good)
		put_down(pid);
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

/* A machine without any source of interrupts, whose report ports end it. */
static pid_t spawn_machine(const char *path, const char *image, const int fd[])
{
	char done[64], panic[64], debugcon[64], size[64], ram[128];
	char *const argv[] = {
		(char *)path, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-S", "-accel", "tcg", "-cpu", "max",
		"-M", "microvm,x-option-roms=off,auto-kernel-cmdline=off,pit=off,pic=off,rtc=off,isa-serial=off,memory-backend=ram",
		"-m", size, "-object", ram, "-kernel", (char *)image, "-device", done, "-device", panic,
		"-chardev", "stdio,id=console,signal=off", "-device", debugcon, "-chardev", "socket,id=gdb,fd=3", "-gdb", "chardev:gdb", NULL,
	};

	_Static_assert(FD_GDB == 3, "the socket's number in the arguments");
	snprintf(done, sizeof(done), "isa-debug-exit,iobase=%#x,iosize=1", ABI_PORT_DONE);
	snprintf(panic, sizeof(panic), "isa-debug-exit,iobase=%#x,iosize=1", ABI_PORT_PANIC);
	snprintf(debugcon, sizeof(debugcon), "isa-debugcon,iobase=%#x,chardev=console", ABI_PORT_CONSOLE);
	snprintf(size, sizeof(size), "size=%uk", ABI_RAM_SIZE / 1024);
	snprintf(ram, sizeof(ram), "memory-backend-file,id=ram,share=on,size=%uk,mem-path=/proc/self/fd/%d", ABI_RAM_SIZE / 1024,
		 FD_RAM);
	return spawn(argv, fd);
}

bool qemu_start(struct qemu *q, const char *path, const char *image, char *err, size_t err_size)
{
	int pair[2], ram = nameless("RAM"), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	memset(q, 0, sizeof(*q));
	q->console = nameless("the console");
	q->errors = nameless("the errors");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || ftruncate(ram, ABI_RAM_SIZE))
		die_errno(EXIT_HOST, "a socket and RAM for QEMU");
	mem_init_file(&q->ram, ram, ABI_RAM_SIZE);
	q->gdb = pair[0];
	q->pid = spawn_machine(path, image, (const int[FD_COUNT]){ null, q->console, q->errors, pair[1], ram });
	if (q->pid < 0)
		snprintf(err, err_size, "%s cannot be started: %s", path, strerror(errno));
	close(pair[1]);
	close(ram);
	close(null);
	if (q->pid < 0)
		qemu_stop(q);
	return q->pid > 0;
}

void qemu_stop(struct qemu *q)
{
	if (q->pid > 0)
		put_down(q->pid);
	q->pid = -1;
	close(q->gdb);
	close(q->console);
	close(q->errors);
	mem_free(&q->ram);
}

void qemu_describe(struct qemu *q, char *out, size_t out_size)
{
	char said[200], panic[200];
	int status = 0;

	*out = '\0';
	first_line(q->errors, said, sizeof(said));
	first_line(q->console, panic, sizeof(panic));
	if (q->pid <= 0 || !ended(q->pid, END_SECONDS, &status))
		return;
	q->pid = -1;
	if (WIFSIGNALED(status))
		snprintf(out, out_size, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(out, out_size, "exit status %d", WEXITSTATUS(status));
	if (*said || *panic)
		snprintf(out + strlen(out), out_size - strlen(out), ", it said \"%s\"", *panic ? panic : said);
}
