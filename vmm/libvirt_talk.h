/* SPDX-License-Identifier: MIT */
/* libvirt_talk.h: what the bench and its carrier, the process that calls libvirt, say to each other over a socket. */
#ifndef VMM_LIBVIRT_TALK_H
#define VMM_LIBVIRT_TALK_H

#include <stdbool.h>

enum talk_word {
	TALK_START,                     /* the bench: with the socket that all else about this machine goes over */
	TALK_NMI, TALK_MONITOR, TALK_DESCRIBE, TALK_STOP,
	TALK_GOOD, TALK_BAD,            /* the carrier: with the answer, or with a line that says why not */
};

enum { TALK_GDB, TALK_RAM, TALK_STATE, TALK_FDS };     /* what comes with the answer to TALK_START */

struct talk {
	enum talk_word word;
	unsigned fds;                   /* open files that come with it; the receiver's */
	int fd[TALK_FDS];
	char text[8192];
};

/* A pair of sockets that keep messages apart. False with errno. */
bool talk_pair(int pair[2]);

bool talk_send(int socket, const struct talk *t);
bool talk_say(int socket, enum talk_word word, const char *text);

/* The next message, waited for so long; for ever if negative. False with errno, 0 if the other side is gone. */
bool talk_hear(int socket, struct talk *t, double seconds);

#endif
