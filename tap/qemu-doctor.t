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
my @facts = ('QEMU boots this image', 'QEMU: stops are exact', 'QEMU: states can be written', 'QEMU: NMIs from outside',
	'QEMU: machine checks from outside', 'QEMU: exceptions in a written state');
# A good version, so that what follows it is tried.
my $new = 'case $1 in --version) echo "QEMU emulator version 8.1.0"; exit;; esac';
my ($tmp, $pid) = ("$dir/tmp", "$dir/pid");
my $copy = write_file("$dir/guest.elf", read_file($guest));
mkdir $tmp;

# A QEMU of our own making, alone in PATH.
sub fake {
	my (@lines) = @_;
	mkdir "$dir/bin";
	write_file("$dir/bin/qemu-system-x86_64", join "\n", '#!/bin/sh', @lines, '');
	chmod 0755, "$dir/bin/qemu-system-x86_64";
	return "$dir/bin";
}

# The real one, with another processor.
sub with_cpu {
	my ($cpu) = @_;
	need_qemu();
	return fake("for a; do shift; [ \"\$a\" = max ] && a=$cpu; set -- \"\$@\" \"\$a\"; done", "exec $real \"\$@\"");
}

sub doctor {
	my ($path, $image, %options) = @_;
	unlink $pid;
	return gsgate({ limit => 60, env => { PATH => $path, TMPDIR => $tmp }, %options }, 'doctor', '--engine', 'qemu', '--kernel', $image // $copy);
}

sub need_qemu {
	skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)') if !$real;
	return $real =~ s{/[^/]+\z}{}r;
}

sub fact {
	my ($r, $about) = @_;
	return (grep { /^(?:yes|no ) {2}\Q$about\E(?: |$)/ } lines_of($r->{out}))[0] // '';
}

# The processes of ours: those with an image of our own on their command line, and their children.
sub running {
	my %parent = map { my $s = read_file("/proc/$_/stat") // ''; $s =~ /\) [^ZX] (\d+) / ? ($_ => $1) : () }
		map { m{(\d+)$} } glob '/proc/[0-9]*';
	my %ours = map { $_ => 1 } grep { (read_file("/proc/$_/cmdline") // '') =~ /\0--kernel\0\Q$dir\E/ } keys %parent;
	return grep { $ours{$_} || $ours{ $parent{$_} } } keys %parent;
}

# The machines among them.
sub machines { return grep { (read_file("/proc/$_/cmdline") // '') =~ /\A[^\0]*qemu-system.*\0-S\0/s } running() }

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

# Exit 3 and one line that says this, with a remedy.
sub useless {
	my ($r, $says) = @_;
	return (left(), grep { $_ } $r->{status} ne 3 && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}",
		$r->{out} !~ /\Ano   QEMU  +[^\n]*$says[^\n]*\n {5}remedy: \S[^\n]*\n\z/ && "it says: $r->{out}");
}

# No trouble but with these facts.
sub good_but {
	my ($r, @bad) = @_;
	my %bad = map { $_ => 1 } @bad;
	return (left(), grep { $_ } $r->{status} ne (@bad ? 3 : 0) && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}",
		map { fact($r, $_) =~ ($bad{$_} ? qr/^no / : qr/^yes/) ? () : "$_: " . fact($r, $_) } 'QEMU', @facts);
}

claim('of a good one: each fact, and all of them good', sub { good_but(doctor(need_qemu())) });
claim('of none: one line, what it costs and what helps', sub { useless(doctor(''), qr/no qemu-system-x86_64 in PATH.*cannot run here/) });

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
	claim("of one $name: one line, exit 3", sub { useless(doctor(fake(@lines)), $says) });
}

claim('of one without an APIC, where no NMI can come in: one line, exit 3', sub { useless(doctor(with_cpu('max,-apic')), qr/section apic/) });
claim('of one whose processor has no machine checks: that is the only lack', sub { good_but(doctor(with_cpu('max,-mce')), 'QEMU: machine checks from outside') });
claim('of one that is killed in the middle: which line it was, and why; nothing after it is good', sub {
	my $began;
	my $r = doctor(need_qemu(), $copy, signal => 'CONT', when => sub {
		my (undef, $now) = @_;
		$began //= $now if machines();
		return 0 if !$began || $now < $began + 0.8;
		kill 'KILL', machines();
		return 1;
	});
	my @lines = map { fact($r, $_) } 'QEMU', @facts;
	my ($first) = grep { $lines[$_] !~ /^yes/ } 0 .. $#lines;
	return 'it was not killed' if !defined $first;
	return (left(), grep { $_ } $r->{status} ne 3 && "exit $r->{status}", $lines[$first] !~ /is gone: killed by signal 9/ && $lines[$first]);
});
claim('an image that does not get to user code: with its own words', sub {
	my $broken = write_file("$dir/other.elf", read_file($guest) =~ s/scheme=\0/scheme-\0/r);
	my $line = fact(doctor(need_qemu(), $broken), 'QEMU boots this image');
	return (left(), $line =~ /^no .*did not reach user code: .*unknown.*; nothing can be injected/ ? () : $line);
});
claim('an image whose handlers lose A: that is not what is asked here', sub {
	my $broken = 'build/broken/05-never-restores/guest.elf';
	skip_claim("there is no $broken (make broken)") if !-e $broken;
	return good_but(doctor(need_qemu(), write_file("$dir/other.elf", read_file($broken))));
});
for my $signal (qw(INT TERM KILL)) {
	claim("SIG$signal while one hangs: nothing of it is left", sub {
		my $r = doctor(fake($new, "echo \$\$ > $pid", 'exec /bin/sleep 1000'), $copy, signal => $signal, when => sub { -s $pid });
		return (left(), grep { $_ } !-s $pid && 'it was never started', $r->{status} !~ /^signal/ && "exit $r->{status}");
	});
	claim("SIG$signal in the middle of measuring: nothing of it is left", sub {
		my $r = doctor(need_qemu(), $copy, signal => $signal, when => sub { machines() });
		return (left(), $r->{status} !~ /^signal/ ? "exit $r->{status}" : ());
	});
}

run_claims();
