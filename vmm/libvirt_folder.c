/* SPDX-License-Identifier: MIT */
/* libvirt_folder.c: a private temporary folder, and the files and sockets in it. */
#define _GNU_SOURCE
#include "vmm/libvirt_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IN_MEMORY "/dev/shm"
#define TEMPLATE "/gsgate-XXXXXX"
#define OPEN_AT_ONCE 16
#define PATH_MOST 512

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == FOLDER_PATH, "the path of a socket");

/* What may stand in libvirt's XML and in QEMU's options without a second thought. */
static bool is_plain(const char *path)
{
	return *path == '/' && !path[strspn(path, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@")];
}

/* By default in memory: libvirt writes a machine's status to a file at each stop, and waits for the disk. */
static const char *parent(void)
{
	const char *in = getenv("TMPDIR");

	if (in && *in)
		return in;
	return access(IN_MEMORY, W_OK | X_OK) ? P_tmpdir : IN_MEMORY;
}

bool folder_make(struct folder *f, size_t room, char *err, size_t err_size)
{
	const char *in = parent();

	f->path[0] = '\0';
	if (!is_plain(in)) {
		snprintf(err, err_size, "a temporary folder: TMPDIR is \"%.100s\": needed is a path from / on without blanks and marks", in);
		return false;
	}
	if (strlen(in) + strlen(TEMPLATE) + room >= FOLDER_PATH) {
		snprintf(err, err_size, "a temporary folder in %.200s: the path of a socket in there would have more than %d bytes: set TMPDIR to "
			 "a shorter one", in, FOLDER_PATH - 1);
		return false;
	}
	snprintf(f->path, sizeof(f->path), "%s" TEMPLATE, in);
	if (mkdtemp(f->path))
		return true;
	snprintf(err, err_size, "a temporary folder in %.200s: %s", in, strerror(errno));
	f->path[0] = '\0';
	return false;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	remove(path);
	return 0;
}

void folder_remove(struct folder *f)
{
	if (f->path[0])
		nftw(f->path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	f->path[0] = '\0';
}

static const char *full(const struct folder *f, const char *name, char *path)
{
	snprintf(path, PATH_MOST, "%s/%s", f->path, name);
	return path;
}

int folder_file(const struct folder *f, const char *name, size_t size)
{
	char path[PATH_MOST];
	int fd = open(full(f, name, path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0 && ftruncate(fd, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool folder_text(const struct folder *f, const char *name, const char *text)
{
	int fd = folder_file(f, name, 0);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

bool folder_folder(const struct folder *f, const char *name)
{
	char path[PATH_MOST];

	return !mkdir(full(f, name, path), 0700);
}

int folder_listen(const struct folder *f, const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n;

	n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", f->path, name);
	if (fd >= 0 && ((size_t)n >= sizeof(to.sun_path) || bind(fd, (void *)&to, sizeof(to)) || listen(fd, 1))) {
		close(fd);
		return -1;
	}
	return fd;
}

void folder_unlink(const struct folder *f, const char *name)
{
	char path[PATH_MOST];

	unlink(full(f, name, path));
}
