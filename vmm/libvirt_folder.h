/* SPDX-License-Identifier: MIT */
/* libvirt_folder.h: a private temporary folder, and the files and sockets in it. */
#ifndef VMM_LIBVIRT_FOLDER_H
#define VMM_LIBVIRT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_PATH 108                 /* no longer than the path of a socket may be */

struct folder {
	char path[FOLDER_PATH];         /* "" if there is none */
};

/* In TMPDIR. `room`: so many bytes more must fit into the path of a socket in there. */
bool folder_make(struct folder *f, size_t room, char *err, size_t err_size);

/* With all that is in it. */
void folder_remove(struct folder *f);

/* A new file of zeros; -1 with errno. Names are short: folder_make() has left room for them. */
int folder_file(const struct folder *f, const char *name, size_t size);
bool folder_text(const struct folder *f, const char *name, const char *text);
bool folder_folder(const struct folder *f, const char *name);

/* A socket that can be connected to under this name. */
int folder_listen(const struct folder *f, const char *name);
void folder_unlink(const struct folder *f, const char *name);

#endif
