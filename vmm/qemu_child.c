/* SPDX-License-Identifier: MIT */
/* qemu_child.c: the child processes that QEMU runs in: what they find open, and that none outlives the bench. */
#define _GNU_SOURCE
#include "vmm/qemu_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/die.h"

#define MOST_AT_ONCE 80                 /* more than jobs */
#define HIGH_FD 64                      /* out of the way of the numbers that a child gets */

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
	setpgid(0, 0);                  /* Ctrl-C is for the bench, which ends in good order */
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

pid_t child_spawn(char *const argv[], const int fd[])
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

bool child_ended(pid_t pid, double seconds, int *status)
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

void child_put_down(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	replace(pid, 0);
}

int child_file(const char *what)
{
	int fd = memfd_create(what, MFD_CLOEXEC);

	if (fd < 0)
		die_errno(EXIT_HOST, "a file for %s of QEMU", what);
	return fd;
}
