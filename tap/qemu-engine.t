#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# qemu-engine.t: engine qemu where QEMU is absent, old, silent, dead or hangs: one line, exit 3, nothing left running; and auto without /dev/kvm.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd 'abs_path';
use POSIX ();
use Time::HiRes 'sleep';
use TestGsgate;

my ($real) = grep { -x } map { "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
my @short = qw(run syscall --scheme ist --gs u-small --event nmi --jobs 1);
my @long = (qw(run syscall usercopy --scheme), 'swapgs,ist', qw(--gs u-small --jobs 2));     # for some seconds
my $new = 'case $1 in --version) echo "QEMU emulator version 8.1.0"; exit;; esac';
my $pids = "$dir/pids";

# A QEMU of our own making, alone in PATH; each start writes its process id down.
sub fake {
	my (@lines) = @_;
	mkdir "$dir/bin";
	write_file("$dir/bin/qemu-system-x86_64", join "\n", '#!/bin/sh', "echo \$\$ >> $pids", @lines, '');
	chmod 0755, "$dir/bin/qemu-system-x86_64";
	unlink $pids;
	return "$dir/bin";
}

sub need_qemu {
	skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)') if !$real;
}

sub qemu {
	my ($o, $command, @args) = @_;
	return gsgate({ limit => 60, %$o }, $command, '--engine', 'qemu', @args);
}

sub stat_of {
	my ($pid) = @_;
	return (read_file("/proc/$pid/stat") // '') =~ /\) (\S) (\d+) / ? ($1, $2) : ();
}

sub lives {
	my ($pid) = @_;
	my ($state) = stat_of($pid);
	return defined $state && $state !~ /[ZX]/;
}

# The gsgates that this test has started, and their QEMUs, by the parent.
sub children_of {
	my ($parent) = @_;
	return grep { ((stat_of($_))[1] // 0) == $parent } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

sub qemus {
	return grep { (read_file("/proc/$_/comm") // '') =~ /^qemu-system/ } map { children_of($_) } children_of($$);
}

# Waits for those to end that were seen, and names those that do not.
sub left {
	my @seen = (@_, map { /(\d+)/ } lines_of(read_file($pids)));
	for (1 .. 150) {
		last if !grep { lives($_) } @seen;
		sleep 0.02;
	}
	return map { "process $_ is left" } grep { lives($_) } @seen;
}

# A good QEMU in the middle of a run: does($gsgate's QEMUs) once, when there are as many as jobs and cases have begun: a second after the canaries.
sub meanwhile {
	my ($does, %options) = @_;
	need_qemu();
	my (%seen, $canaries, $done);
	my $r = qemu({ limit => 120, signal => 'CONT', %options, when => sub {
		my ($out, $seconds) = @_;
		my @now = qemus();
		@seen{@now} = ();
		$canaries //= $seconds if $out =~ /^ok 1 /m;
		return 0 if $done || @now < 2 || $seconds < ($canaries // $seconds) + 1;
		$done = Time::HiRes::time();
		return $does->(@now);
	} }, @long);
	$r->{after} = $done ? Time::HiRes::time() - $done : undef;
	return ($r, $done ? () : 'it ended too early', left(keys %seen));
}

# What speaks against one line on stderr and exit 3, whatever had been printed.
sub gives_up {
	my ($r, $says) = @_;
	return refusal({ %$r, out => '' }, 3, $says);
}

# --- QEMU as it is found ---
claim('no QEMU in PATH: one line, exit 3', sub {
	return map { refusal(qemu({ env => { PATH => $_ } }, @short), 3, qr/no qemu-system-x86_64 in PATH; Debian/) } '', '/nonexistent', $dir;
});
my @found = (
	['that is too old', qr/is version 5\.2\.0, older than 7\.2/, 'echo "QEMU emulator version 5.2.0 (Debian 1:5.2)"'],
	['that says nothing', qr/does not say its version/, 'exit 0'],
	['that says something else', qr/does not say its version but "hello"/, 'echo hello'],
	['that hangs at --version', qr/does not say its version within 5 s/, 'exec /bin/sleep 1000'],
	['that ends at once', qr/exit status 7, it said "no such machine"/, $new, 'echo no such machine >&2; exit 7'],
	['that is killed at once', qr/killed by signal 9/, $new, 'kill -9 $$'],
	['that never answers', qr/does not answer within/, $new, 'exec /bin/sleep 1000'],
	['that prints garbage', qr/is no packet/, $new, 'echo garbage >&3', 'exec /bin/sleep 1000'],
);
for (@found) {
	my ($name, $says, @lines) = @$_;
	claim("a QEMU $name: one line, exit 3, nothing left", sub {
		my $r = qemu({ env => { PATH => fake(@lines) } }, @short);
		return (refusal($r, 3, $says), left(), -s $pids ? () : 'it was never started', $r->{seconds} > 20 ? "took $r->{seconds} s" : ());
	});
}
claim('list and replay say the same', sub {
	my %env = (PATH => fake('echo hello'));
	return map { refusal(qemu({ env => \%env }, @$_), 3, qr/does not say its version/) } [qw(list --boundaries syscall)],
		['replay', 'syscall/ist/u-small/entry_SYSCALL_64+0x0@1:nmi'];
});

# --- QEMU in the middle of a run ---
claim('QEMU is killed in the middle: one line, exit 3, nothing left', sub {
	my ($r, @against) = meanwhile(sub { kill 'KILL', $_[0]; 0 });
	return (@against, gives_up($r, qr/killed by signal 9/));
});
claim('QEMU is stopped in the middle: one line within bounded time, exit 3, gone afterwards', sub {
	my ($r, @against) = meanwhile(sub { kill 'STOP', $_[0]; 0 });
	return (@against, gives_up($r, qr/does not answer|no answer|within/), ($r->{after} // 99) > 40 ? "took $r->{after} s" : ());
});
for ([INT => 130], [TERM => 143], [KILL => 'signal 9']) {
	my ($signal, $status) = @$_;
	claim("gsgate gets SIG$signal in the middle: no QEMU is left", sub {
		my ($r, @against) = meanwhile(sub { 1 }, signal => $signal);
		return (@against, $r->{status} eq $status ? () : "exit $r->{status}, must be $status", length $r->{err} ? "stderr: $r->{err}" : ());
	});
}

# --- a machine without /dev/kvm ---
sub hidden {
	my ($options, @args) = @_;
	return gsgate({ %$options, program => without_kvm() }, abs_path($gsgate), @args);
}
claim('without /dev/kvm: run takes engine qemu, says so in one line, and in the summary', sub {
	need_qemu();
	my $before = join ' ', sort(qemus());
	my $r = hidden({ limit => 200 }, 'run', 'syscall', '--gs', 'u-small', '--event', 'nmi,irq', '--summary', "$dir/summary");
	my $s = decode(read_file("$dir/summary")) // {};
	my $said = $r->{fell_back} || ($r->{err} =~ m{\A(gsgate: /dev/kvm: [^\n]*); engine qemu takes its place\n\z} ? $1 : '');
	return (tap_problems($r->{out}), grep { $_ } $r->{status} ne 0 && "exit $r->{status}", !$said && "stderr: $r->{err}",
		($s->{engine} // '') ne 'qemu' && 'the summary names another engine', !$s->{engine_fallback} && 'no engine_fallback in the summary',
		!$s->{injections} && 'nothing was injected', join(' ', sort(qemus())) ne $before && 'a QEMU is left');
});
claim('without /dev/kvm: list and replay fall back, too', sub {
	need_qemu();
	return map {
		my $r = hidden({}, @$_);
		grep { $_ } $r->{status} ne 0 && "$_->[0]: exit $r->{status}", !length $r->{out} && "$_->[0]: no output",
			!$r->{fell_back} && $r->{err} !~ /\A[^\n]*; engine qemu takes its place\n\z/ && "$_->[0]: stderr: $r->{err}"
	} [qw(list --boundaries syscall --gs u-small)], ['replay', 'syscall/ist/u-small/entry_SYSCALL_64+0x0@1:nmi'];
});
claim('without /dev/kvm --engine kvm is refused in one line, exit 3',
	sub { refusal(hidden({}, 'run', '--engine', 'kvm', @short[1 .. $#short]), 3, qr{^gsgate: /dev/kvm: [^;]+; \w[^;]*$}) });
claim('without either engine: the line about /dev/kvm, then the one about QEMU, exit 3', sub {
	my $r = hidden({}, @short);     # shows that hiding works before PATH is taken away
	my $bare = gsgate({ program => without_kvm() }, '/usr/bin/env', 'PATH=/nonexistent', abs_path($gsgate), @short);
	return grep { $_ } $bare->{status} ne 3 && "exit $bare->{status}", length $bare->{out} && 'something on stdout',
		$bare->{err} !~ /no qemu-system-x86_64 in PATH/ && "stderr: $bare->{err}", $bare->{err} !~ m{/dev/kvm} && !$bare->{fell_back} && 'no word of /dev/kvm';
});

run_claims();
