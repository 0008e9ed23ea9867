/* SPDX-License-Identifier: MIT */
/* apart.c: work done in a process of its own, so that what ends it ends nothing else. */
#define _GNU_SOURCE
#include "vmm/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/die.h"

#define OWN_NAME "gsgate: "             /* every line of die() begins with it */

void *apart_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die_errno(EXIT_HOST, "memory for two processes");
	return memory;
}

void apart_free(void *memory, size_t size)
{
	munmap(memory, size);
}

static __attribute__((noreturn)) void become(pid_t parent, int said, void (*work)(void *context), void *context)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_HOST);
	work(context);
	exit(EXIT_GOOD);
}

static void describe(int status, int said, char *why, size_t why_size)
{
	ssize_t n = pread(said, why, why_size - 1, 0);
	size_t skip = strlen(OWN_NAME);

	why[n > 0 ? n : 0] = '\0';
	why[strcspn(why, "\n")] = '\0';
	if (!strncmp(why, OWN_NAME, skip))
		memmove(why, why + skip, strlen(why + skip) + 1);
	if (*why)
		return;
	if (WIFSIGNALED(status))
		snprintf(why, why_size, "the measuring was killed by signal %d", WTERMSIG(status));
	else
		snprintf(why, why_size, "the measuring ended with exit status %d", WEXITSTATUS(status));
}

void apart_do(void (*work)(void *context), void *context, char *why, size_t why_size)
{
	int said = memfd_create("stderr", MFD_CLOEXEC), status = 0;
	pid_t parent = getpid(), pid;

	*why = '\0';
	fflush(stdout);                 /* or both would write it */
	pid = said < 0 ? -1 : fork();
	if (pid == 0)
		become(parent, said, work, context);
	if (pid < 0)
		die_errno(EXIT_HOST, "a process for measuring");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		describe(status, said, why, why_size);
	close(said);
}
