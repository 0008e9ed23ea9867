/* SPDX-License-Identifier: MIT */
/* t-libvirt-uri.c: which URIs are taken, and with which exit status the others are refused. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vmm/libvirt.h"

static const struct {
	const char *uri;
	enum exit_status status;
	const char *says;
} cases[] = {
	{ "qemu:///embed", EXIT_GOOD, "" },
	{ "qemu:///session", EXIT_GOOD, "" },
	{ "qemu:///system", EXIT_GOOD, "" },
	{ "qemu+unix:///system?socket=/run/x", EXIT_GOOD, "" },
	{ "qemu://localhost/system", EXIT_GOOD, "" },
	{ "qemu+ssh://root@localhost:22/system", EXIT_GOOD, "" },
	{ "qemu+tcp://[::1]:16509/session", EXIT_GOOD, "" },
	{ "qemu+tcp://127.0.0.1/system", EXIT_GOOD, "" },
	{ "qemu+ssh://user@far.example/system", EXIT_HOST, "run gsgate on far.example" },
	{ "qemu+tcp://10.0.0.1:16509/system", EXIT_HOST, "run gsgate on 10.0.0.1 with" },
	{ "qemu+tls://[fe80::1]/system", EXIT_HOST, "run gsgate on fe80::1 with" },
	{ "qemu://localhost.evil.example/system", EXIT_HOST, "the machine that gsgate runs on" },
	{ "", EXIT_USAGE, "no URI" },
	{ "qemu", EXIT_USAGE, "no URI" },
	{ "qemu:/system", EXIT_USAGE, "no URI" },
	{ "qemu+://host/system", EXIT_USAGE, "no URI" },
	{ "qemu:///sys tem", EXIT_USAGE, "no URI" },
	{ "qemu:///system\n", EXIT_USAGE, "no URI" },
	{ "xen:///system", EXIT_USAGE, "no URI" },
	{ "test:///default", EXIT_USAGE, "no URI" },
	{ "qemu+pigeon://host/system", EXIT_USAGE, "no transport \"pigeon\"" },
	{ "qemu:///", EXIT_USAGE, "no hypervisor \"/\"" },
	{ "qemu://host", EXIT_USAGE, "no hypervisor \"\"" },
	{ "qemu:///system/", EXIT_USAGE, "no hypervisor" },
	{ "qemu:///embed?root=/x", EXIT_USAGE, "a folder of its own" },
	{ "qemu+ssh://host/embed", EXIT_USAGE, "a folder of its own" },
};

static void test_case(size_t n)
{
	char err[600] = "";
	enum exit_status status = libvirt_uri(cases[n].uri, err, sizeof(err));

	if (!ok(status == cases[n].status && strstr(err, cases[n].says) && !*err == (status == EXIT_GOOD), "\"%s\": %d", cases[n].uri,
		cases[n].status))
		printf("# %d, %s\n", status, err);
}

/* Nothing but its length is wrong. */
static void test_long(void)
{
	char uri[2000], err[600] = "";

	memset(uri, 'x', sizeof(uri) - 1);
	memcpy(uri, "qemu:///system?", strlen("qemu:///system?"));
	uri[sizeof(uri) - 1] = '\0';
	ok(libvirt_uri(uri, err, sizeof(err)) == EXIT_USAGE && strlen(err) < 400, "one of 2000 characters");
	memcpy(uri, "qemu://xxxxxxxxxxxxxxxxx", strlen("qemu://xxxxxxxxxxxxxxxxx"));
	uri[900] = '\0';
	ok(libvirt_uri(uri, err, sizeof(err)) == EXIT_USAGE, "a host of 900 characters");
}

int main(void)
{
	char own[200] = "", uri[300], err[600];

	plan(sizeof(cases) / sizeof(cases[0]) + 4);
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		test_case(n);
	test_long();
	ok(libvirt_uri(NULL, err, sizeof(err)) == EXIT_GOOD, "none at all");
	gethostname(own, sizeof(own) - 1);
	snprintf(uri, sizeof(uri), "qemu://%s/system", own);
	ok(libvirt_uri(uri, err, sizeof(err)) == EXIT_GOOD, "this machine by its own name");
	return done();
}
