/* SPDX-License-Identifier: MIT */
/* libvirt_uri.c: which hypervisors can be asked for. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/libvirt.h"

#define MOST 1000

struct parts {
	char transport[20], host[256], path[32], query[MOST];
};

__attribute__((format(printf, 4, 5)))
static enum exit_status refuse(enum exit_status status, char *err, size_t err_size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, err_size, fmt, ap);
	va_end(ap);
	return status;
}

/* Copies what stands before any of these. False if that is too long. */
static bool take(const char **at, const char *until, char *out, size_t out_size)
{
	size_t n = strcspn(*at, until);

	if (n >= out_size)
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n;
	return true;
}

/* Without user and port; an IPv6 address stands in brackets. */
static void bare_host(char *host)
{
	char *at = strrchr(host, '@'), *from = at ? at + 1 : host;

	from += *from == '[';
	memmove(host, from, strlen(from) + 1);
	host[strcspn(host, from == host || !strchr(host, ']') ? ":" : "]")] = '\0';
}

static bool split(const char *uri, struct parts *p)
{
	char host[sizeof(p->host)];

	memset(p, 0, sizeof(*p));
	for (const char *c = uri; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 127)
			return false;
	if (strlen(uri) >= MOST || strncmp(uri, "qemu", 4))
		return false;
	uri += 4;
	if (*uri == '+' && (uri++, !take(&uri, ":", p->transport, sizeof(p->transport)) || !*p->transport))
		return false;
	if (strncmp(uri, "://", 3))
		return false;
	uri += 3;
	if (!take(&uri, "/?#", host, sizeof(host)) || !take(&uri, "?#", p->path, sizeof(p->path)))
		return false;
	snprintf(p->host, sizeof(p->host), "%s", host);
	bare_host(p->host);
	snprintf(p->query, sizeof(p->query), "%s", uri);
	return true;
}

static bool is_here(const char *host)
{
	char own[256] = "";

	if (!*host || !strcmp(host, "localhost") || !strcmp(host, "127.0.0.1") || !strcmp(host, "::1"))
		return true;
	return !gethostname(own, sizeof(own) - 1) && !strcmp(host, own);
}

static bool known_transport(const char *name)
{
	static const char *const known[] = { "", "unix", "ssh", "libssh", "libssh2", "tcp", "tls" };

	for (size_t n = 0; n < sizeof(known) / sizeof(known[0]); n++)
		if (!strcmp(name, known[n]))
			return true;
	return false;
}

enum exit_status libvirt_uri(const char *uri, char *err, size_t err_size)
{
	struct parts p;
	bool embed;

	if (!uri)
		return EXIT_GOOD;
	if (!split(uri, &p))
		return refuse(EXIT_USAGE, err, err_size, "\"%.200s\" is no URI of a QEMU hypervisor: qemu:///embed, qemu:///session or "
			      "qemu:///system", uri);
	if (!known_transport(p.transport))
		return refuse(EXIT_USAGE, err, err_size, "%.200s: no transport \"%s\"", uri, p.transport);
	embed = !strcmp(p.path, "/embed");
	if (!embed && strcmp(p.path, "/session") && strcmp(p.path, "/system"))
		return refuse(EXIT_USAGE, err, err_size, "%.200s: no hypervisor \"%s\": /embed, /session or /system", uri, p.path);
	if (embed && (*p.query || *p.host || *p.transport))
		return refuse(EXIT_USAGE, err, err_size, "%.200s: the embedded hypervisor is in this process and has a folder of its own: "
			      "qemu:///embed, and nothing else", uri);
	if (!is_here(p.host))
		return refuse(EXIT_HOST, err, err_size, "%.200s: the bench maps the guest's RAM, so the hypervisor must be on the machine that "
			      "gsgate runs on: run gsgate on %s with --connect qemu://%s", uri, p.host, p.path);
	return EXIT_GOOD;
}
