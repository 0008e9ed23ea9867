/* SPDX-License-Identifier: MIT */
/* libvirt_child.c: the embedded driver makes orphans of its QEMUs, and waits for the end of one until there is no such process. The
 * first process of a container may take seconds to see an orphan's end, or never look. So the carrier adopts them. */
#define _GNU_SOURCE
#include "vmm/libvirt_child.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void name_of(pid_t pid, char *name, size_t size)
{
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	*name = '\0';
	if (f && !fgets(name, size, f))
		*name = '\0';
	if (f)
		fclose(f);
}

/* What libvirt has forked and waits for itself is still in this process's session, or has one of its own and has executed no other
 * program. */
static bool is_orphan(pid_t pid)
{
	char its[20], own[20];

	if (getsid(pid) == getsid(0))
		return false;
	name_of(pid, its, sizeof(its));
	name_of(getpid(), own, sizeof(own));
	return *its && strcmp(its, own) != 0;
}

static void *bury(void *unused)
{
	struct timespec nobody = { .tv_nsec = 20000000 }, not_ours = { .tv_nsec = 1000000 };
	siginfo_t info;

	(void)unused;
	for (;;)
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT))
			nanosleep(&nobody, NULL);
		else if (is_orphan(info.si_pid))
			waitpid(info.si_pid, NULL, 0);
		else
			nanosleep(&not_ours, NULL);
	return NULL;
}

bool child_adopt(void)
{
	pthread_t thread;

	return !prctl(PR_SET_CHILD_SUBREAPER, 1) && !pthread_create(&thread, NULL, bury, NULL);
}
