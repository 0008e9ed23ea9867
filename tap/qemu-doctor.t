#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# qemu-doctor.t: what gsgate doctor says of QEMU: of a good one, of none, and of those that hang, lie or die; and that nothing of it is left.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Time::HiRes 'sleep';
use TestGsgate;

my ($real) = grep { -x } map { "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
my @facts = ('QEMU boots this image', 'QEMU tells the state', 'QEMU: stops are exact', 'QEMU: monitor command nmi',
	'QEMU: monitor command mce', 'QEMU: #DB by RFLAGS.TF');
# A good version, so that what follows it is tried.
my $new = 'case $1 in --version) echo "QEMU emulator version 8.1.0"; exit;; esac';
my ($tmp, $pid) = ("$dir/tmp", "$dir/pid");
mkdir $tmp;

# A QEMU of our own making, alone in PATH.
sub fake {
	my (@lines) = @_;
	mkdir "$dir/bin";
	write_file("$dir/bin/qemu-system-x86_64", join "\n", '#!/bin/sh', @lines, '');
	chmod 0755, "$dir/bin/qemu-system-x86_64";
	return "$dir/bin";
}

sub doctor {
	my ($path, $image, %options) = @_;
	need_engine();
	unlink $pid;
	return gsgate({ limit => 60, env => { PATH => $path, TMPDIR => $tmp }, %options }, 'doctor', '--kernel', $image // $guest);
}

sub need_qemu {
	skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)') if !$real;
	return $real =~ s{/[^/]+\z}{}r;
}

sub fact {
	my ($r, $about) = @_;
	return (grep { /^(?:yes|no ) {2}\Q$about\E(?: |$)/ } lines_of($r->{out}))[0] // '';
}

# Those that run an image of our own.
sub running {
	return map { m{(\d+)$} } grep { (read_file("$_/cmdline") // '') =~ /\0-kernel\0\Q$dir\E/ } glob '/proc/[0-9]*';
}

# Is this process there and no corpse?
sub lives {
	my ($number) = @_;
	return (read_file("/proc/$number/stat") // '') =~ /\) [^ZX]/;
}

sub left {
	my @ours = (running(), (read_file($pid) // '') =~ /(\d+)/);
	for (1 .. 100) {
		last if !grep { lives($_) } @ours;
		sleep 0.02;
	}
	return (map({ "process $_ is left" } grep { lives($_) } @ours), map { "file $_ is left" } leftovers($tmp));
}

# Speaks of QEMU in one line that says this, and a remedy.
sub useless {
	my ($r, $says) = @_;
	my $line = fact($r, 'QEMU');
	return (left(), grep { $_ } $r->{status} !~ /^[03]$/ && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}",
		$line !~ /^no .*$says/ && "it says: $line", $r->{out} !~ /^\Q$line\E\n {5}remedy: \S/m && 'no remedy',
		$r->{out} =~ /^(?:yes|no ) {2}(QEMU\S* \S.*)/m && fact($r, $1) && "it goes on: $1", $r->{out} !~ /^floor: /m && 'no floor');
}

# A copy of the image in which some bytes, there once, are others.
sub image {
	my ($from, $to) = @_;
	my $bytes = read_file($guest);
	die "not once in $guest\n" if (() = $bytes =~ /\Q$from\E/g) != 1;
	return write_file("$dir/guest.elf", $bytes =~ s/\Q$from\E/$to/r);
}

claim('of a good one: each fact, and all of them good', sub {
	my $r = doctor(need_qemu(), write_file("$dir/guest.elf", read_file($guest)));
	return (left(), grep({ length } $r->{err}), map { fact($r, $_) =~ /^yes/ ? () : "$_: " . fact($r, $_) } 'QEMU', @facts);
});
claim('of none: one line, what it costs and what helps', sub { useless(doctor(''), qr/no qemu-system-x86_64 in PATH; the image cannot/) });

my @useless = (
	['that hangs when asked for its version', qr/does not say its version within/, "echo \$\$ > $pid", 'exec /bin/sleep 1000'],
	['that says something else', qr/does not say its version but "hel\?\[31mlo"/, 'printf "hel\\033[31mlo\\nworld\\n"'],
	['that says nothing', qr/does not say its version;/, 'exit 0'],
	['that is too old', qr/is version 7\.1\.9, older than 7\.2/, 'echo QEMU emulator version 7.1.9'],
	['that hangs', qr/does not answer within/, $new, "echo \$\$ > $pid", 'exec /bin/sleep 1000'],
	['that ends at once', qr/is gone: exit status 7, it said "no such machine"/, $new, 'echo no such machine >&2; exit 7'],
	['that is killed', qr/is gone: killed by signal 9/, $new, 'kill -9 $$'],
	['that prints garbage', qr/is no packet/, $new, "echo \$\$ > $pid", 'echo garbage >&3', 'exec /bin/sleep 1000'],
);
for (@useless) {
	my ($name, $says, @lines) = @$_;
	claim("of one $name: one line", sub { useless(doctor(fake(@lines)), $says) });
}

claim('of one that is killed in the middle: which line it was, and why', sub {
	my %seen;
	my $r = doctor(need_qemu(), write_file("$dir/guest.elf", read_file($guest)), signal => 'CONT', when => sub {
		$seen{$_} = 1 for running();
		kill 'KILL', running() if keys %seen > 1;       # the first one has told the way
		return 0;
	});
	my ($first) = grep { /^no .*QEMU/ } lines_of($r->{out});
	return (left(), grep { $_ } $r->{status} !~ /^[03]$/ && "exit $r->{status}", fact($r, $facts[0]) !~ /^yes/ && 'it does not boot',
		($first // '') !~ /: stops are exact .*is gone: killed by signal 9/ && ($first // 'all is good'), $r->{out} !~ /^floor: /m && 'no floor');
});
claim('an image that refuses its command line there: with its own words', sub {
	my $line = fact(doctor(need_qemu(), image("lapic\0nofs", "lapiX\0nofs")), 'QEMU boots this image');
	return (left(), $line =~ /^no .*user code is not reached: exit status 9, it said "panic: command line: unknown word: lapic"/ ? () : $line);
});
claim('an image whose handlers lose A: the event comes, and it is not QEMU that is to blame', sub {
	my $broken = 'build/broken/05-never-restores/guest.elf';
	skip_claim("there is no $broken (make broken)") if !-e $broken;
	my $r = doctor(need_qemu(), $broken);
	return (left(), map { fact($r, $_) =~ (/command/ ? qr/^no .*it comes, but this image/ : qr/^yes/) ? () : "$_: " . fact($r, $_) } @facts);
});
claim('an image whose local APIC keeps NMIs back: nmi comes nowhere, the rest is good', sub {
	my $r = doctor(need_qemu(), image("\x60\x03\xe0\xbf\x00\x04\x00\x00", "\x60\x03\xe0\xbf\x00\x04\x01\x00"));
	return (left(), map { fact($r, $_) =~ (/nmi/ ? qr/^no .*at 0 of [1-9]/ : qr/^yes/) ? () : "$_: " . fact($r, $_) } @facts);
});
for my $signal (qw(INT TERM KILL)) {
	claim("SIG$signal while one hangs: nothing of it is left", sub {
		my $r = doctor(fake($new, "echo \$\$ > $pid", 'exec /bin/sleep 1000'), $guest, signal => $signal, when => sub { -s $pid });
		return (left(), grep { $_ } !-s $pid && 'it was never started', $r->{status} !~ /^signal/ && "exit $r->{status}");
	});
}

run_claims();
