#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# cli.t: what is wrong is refused in one line, with the right exit status; nothing crashes, hangs or is half-written.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cwd 'abs_path';
use POSIX ();
use TestGsgate;

my @quick = qw(run syscall --scheme ist --gs u-small --event nmi);
my @scenario = ('[scenario]', 'claim = c', 'rows = none', 'bugs = none', 'program = syscall', 'cpus = 1', 'threads = 1',
	'schemes = ist', 'events = nmi');
my $image = read_file($guest) // die "$guest: $!\n";

# A scenario file of @scenario with some keys replaced ("key = value") or dropped ("-key").
sub scenario {
	my (@changes) = @_;
	my @lines = @scenario;
	for my $change (@changes) {
		my ($drop, $key) = $change =~ /^(-?)(\w+)/;
		my ($at) = grep { $lines[$_] =~ /^$key\b/ } 0 .. $#lines;
		splice @lines, $at // @lines, defined $at ? 1 : 0, $drop ? () : $change;
	}
	return write_file("$dir/mine.scn", join("\n", @lines) . "\n");
}

sub refuse_all {
	my ($name, $status, $says, @lines) = @_;
	claim($name, sub { map { refused($status, $says, @$_) } @lines });
}

# --- the command line's words ---
claim('without arguments: usage on stderr, exit 2', sub {
	my $r = gsgate();
	return grep { $_ } $r->{status} ne 2 && "exit $r->{status}", length $r->{out} && 'something on stdout',
		$r->{err} !~ /gsgate run/ && 'no usage on stderr';
});
claim('--help: usage on stdout, exit 0, and every command and option that this version has', sub {
	my $r = gsgate('--help');
	return grep { $_ } $r->{status} ne 0 && "exit $r->{status}", length $r->{err} && 'something on stderr',
		map { $r->{out} !~ /\Q$_\E/ && "no $_" } qw(run replay list doctor --scheme --gs --event --kernel --jobs --seed
			--timeout --time --strict --summary --journal --map --boundaries --artifacts --dump);
});
refuse_all('an unknown command is refused', 2, undef, ['bogus'], [''], ['-x'], ['runn'], ['RUN'], ['../run']);
refuse_all('an unknown option is refused', 2, undef, [qw(run --bogus)], [qw(run -x)], [qw(list --bogus=1)],
	[qw(replay --bogus x)], [qw(doctor --bogus)], [qw(run --strict=1)], [qw(run --s 1)]);
refuse_all('an option without its value is refused', 2, undef,
	map { ['run', $_] } qw(--scheme --gs --event --kernel --jobs --seed --timeout --time --summary --journal --map));
refuse_all('an unknown or empty name of a scheme, user GS or event is refused', 2, undef, map {
	my $option = $_;
	map { ['run', $option, $_] } 'bogus', '', ',', 'u-small,', ',ist', 'nmi,,mce', 'NMI', 'ist '
} qw(--scheme --gs --event));
refuse_all('--jobs wants a number from 1', 2, qr/jobs/,
	map { ['list', '--jobs', $_] } '0', '-1', '1e9', 'abc', '', '1x', '1.5', '0x', '99999999999999999999', '-0', ' -1');
refuse_all('--seed wants a number', 2, qr/seed/,
	map { ['list', '--seed', $_] } '-1', '1e9', 'abc', '', '1x', '99999999999999999999');
refuse_all('--seed does not take a negative number behind a space', 2, qr/seed/, ['list', '--seed', ' -1']);
refuse_all('--timeout and --time want seconds', 2, undef, map {
	my $option = $_;
	map { ['list', $option, $_] } '0', '-1', '1e9', 'abc', '', '1x', 'nan', 'inf', '-inf', '1e400', '1s'
} qw(--timeout --time));
refuse_all('an engine, format or depth that this version lacks is refused', 2, undef, [qw(run --engine bogus)],
	['run', '--engine', ''], [qw(run --format junit)],
	[qw(run --format ktap)], ['run', '--format', ''], [qw(run --depth 2)], [qw(run --depth 0)], ['run', '--depth', '']);
refuse_all('doctor takes no argument', 2, undef, [qw(doctor extra)]);
refuse_all('--boundaries belongs to list alone', 2, undef, [@quick, '--boundaries']);
refuse_all('a newline in what was given does not make a second line', 2, undef, ["a\nb"], ['run', "a\nb"],
	['run', "a\nb.scn"], ['run', "--a\nb"], ['run', '--scheme', "a\nb"], ['run', '--jobs', "a\nb"],
	['run', '--summary', "missing/a\nb"], ['run', '--kernel', "a\nb"], ['replay', "a\nb"]);
refuse_all('an unknown scenario is refused', 2, undef, [qw(run nosuch)], ['run', ''], [qw(run /)], [qw(run nosuch.scn)],
	[qw(list nosuch)], [qw(list --boundaries nosuch)], ['run', 'x' x 5000], ['run', 'x' x 5000 . '.scn'],
	[qw(run ../scenarios/syscall)], ['run', "$dir.scn"]);
claim('a user GS that only WRGSBASE sets is refused where the scenario has no FSGSBASE', sub {
	need_engine();
	return (refused(2, qr/nothing to run/, qw(run fallback --scheme ist --gs u-negative)),
		refused(2, qr/without FSGSBASE/, 'replay', 'fallback/ist/u-negative/entry_SYSCALL_64+0x0@1:nmi'));
});
refuse_all('a scenario asked for twice is refused', 2, undef, [@quick, 'syscall']);

# --- scenario files ---
my @wrong = (
	['an unknown key', 10, 'bogus = 1'], ['a bad number', 6, 'cpus = x'], ['no number', 6, 'cpus ='],
	['an unknown scheme', 8, 'schemes = ist, bogus'], ['an unknown event', 9, 'events = smi'],
	['an unknown user GS', 10, 'gs = u-bogus'], ['a line that is no key', 10, 'bogus'],
);
for (@wrong) {
	my ($name, $line, $change) = @$_;
	claim("a scenario file with $name is refused with file:line",
		sub { refused(2, qr/mine\.scn:$line: /, 'run', scenario($change)) });
}
claim('a scenario file with a key given twice, or missing, is refused with the file', sub {
	my $twice = write_file("$dir/twice.scn", join("\n", @scenario, 'cpus = 1', ''));
	return (refused(2, qr/twice\.scn:10: /, 'run', $twice),
		map { refused(2, qr/mine\.scn:\d+: .*$_/, 'run', scenario("-$_")) } qw(claim program schemes events));
});
claim('a scenario file that is empty, binary, a directory, a FIFO or endless is refused', sub {
	mkdir "$dir/d.scn";
	POSIX::mkfifo("$dir/fifo.scn", 0600);
	symlink '/dev/zero', "$dir/zero.scn";
	write_file("$dir/empty.scn", '');
	write_file("$dir/binary.scn", join '', map { chr($_ * 37 % 256) } 1 .. 5000);
	write_file("$dir/long.scn", 'claim = ' . 'x' x 100000 . "\n");
	return map { refused(2, qr/$_\.scn/, 'run', "$dir/$_.scn") } qw(d fifo zero empty binary long);
});
claim('a scenario whose program the guest lacks is refused',
	sub { need_engine(); refused('2|3', qr/nosuch/, 'run', scenario('program = nosuch')) });
# What this version cannot run it must not claim to.
claim('a scenario with one thread on two CPUs, with three, or with four and turns is not run on less without a word', sub {
	need_engine();
	return map { refused('2|3', qr/cpus|threads/, 'run', '--gs', 'u-small', scenario(@$_)) }
		['cpus = 2'], ['threads = 3'], ['cpus = 2', 'threads = 3'], ['cpus = 2', 'threads = 4', 'turns = 1'];
});
claim('a scenario file runs from any directory, without a rebuild', sub {
	need_engine();
	scenario();
	my $r = gsgate({ cwd => $dir, program => abs_path($gsgate) }, qw(run mine.scn --gs u-small));
	return $r->{status} eq 0 ? tap_problems($r->{out}) : "exit $r->{status}: $r->{err}";
});

# --- the kernel file ---
my %kernel = (
	missing => undef, empty => '', 'cut after 1 byte' => substr($image, 0, 1), text => "#!/bin/sh\n",
	map({ ("cut after $_ bytes" => substr $image, 0, $_) } 4, 16, 63, 64, 200, 4096, 20000, length($image) >> 1,
		length($image) - 4000, length($image) - 1),
);
for my $name (sort keys %kernel) {
	claim("a kernel file that is $name is refused", sub {
		my $path = "$dir/kernel";
		unlink $path;
		write_file($path, $kernel{$name}) if defined $kernel{$name};
		return refused('2|3', undef, @quick, '--kernel', $path);
	});
}
claim('a directory, a device, a FIFO or another program is no kernel', sub {
	POSIX::mkfifo("$dir/fifo", 0600);
	return map { refused('2|3', undef, @quick, '--kernel', $_) } $dir, '/dev/zero', "$dir/fifo", '/bin/true', '';
});
claim('a kernel without symbols is refused and says so', sub {
	system('strip', '-o', "$dir/stripped", $guest) && skip_claim('strip does not work here');
	return refused('2|3', qr/symbol/, @quick, '--kernel', "$dir/stripped");
});
# One byte of the ELF header, of the tables or of the image, as a broken disk would do it.
claim('a kernel file with wrong bytes in it never crashes or hangs the bench', sub {
	need_engine();
	my ($tables, @against) = unpack 'Q', substr $image, 0x28, 8;
	srand 4;
	for my $n (1 .. 28) {
		my ($at, $value) = ($n % 4 ? $n % 2 ? int rand 64 : 64 + int rand 280 : $tables + int rand length($image) - $tables,
			(0, 1, 127, 128, 255)[rand 5]);
		my $copy = $image;
		substr($copy, $at, 1) = chr $value;
		my $r = gsgate({ limit => 10 }, @quick, '--jobs', 1, '--timeout', '0.3', '--kernel', write_file("$dir/wrong", $copy));
		next if $r->{status} =~ /^[01]$/ && !length $r->{err};
		push @against, map { sprintf 'byte 0x%x = 0x%x: %s', $at, $value, $_ } refusal({ %$r, out => '' }, '[1-4]');
	}
	return @against;
});

# --- a guest that does not get to user code ---
sub at_entry {
	my ($code) = @_;
	my ($entry, $headers, $count) = (unpack('Q', substr $image, 24, 8), unpack('Q', substr $image, 32, 8),
		unpack 'v', substr $image, 56, 2);
	for my $n (0 .. $count - 1) {
		my ($type, undef, $offset, $address, undef, $size) = unpack 'VVQQQQ', substr $image, $headers + 56 * $n, 48;
		next if $type != 1 || $entry < $address || $entry >= $address + $size;
		my $copy = $image;
		substr($copy, $offset + $entry - $address, length $code) = $code;
		return write_file("$dir/sick", $copy);
	}
	die "the entry lies in no segment\n";
}
my %sick = ('hangs' => "\xeb\xfe", 'faults before it has gates' => "\x0f\x0b", 'halts' => "\xf4",
	'halts for ever' => "\xf4\xeb\xfd", 'talks to an unknown port for ever' => "\xe6\x80\xeb\xfc",
	'jumps to nowhere' => "\x31\xc0\xff\xe0");
for my $name (sort keys %sick) {
	claim("a guest that $name at boot: one line, exit 3, in time", sub {
		need_engine();
		my $r = gsgate({ limit => 20 }, @quick, '--timeout', '0.5', '--kernel', at_entry($sick{$name}));
		return (refusal($r, 3, qr/user code/), $r->{seconds} > 5 ? "took $r->{seconds} s" : ());
	});
}

# --- /dev/kvm ---
sub shim {
	return "$dir/shim.so" if -e "$dir/shim.so";
	write_file("$dir/shim.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
static int refuse(const char *call, const char *path, int flags, int mode)
{
	int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, call);
	if (strcmp(path, "/dev/kvm"))
		return real(path, flags, mode);
	errno = atoi(getenv("SHIM_ERRNO"));
	return -1;
}
#define SHIM(call) int call(const char *path, int flags, ...) { va_list a; va_start(a, flags); \
	int mode = va_arg(a, int); va_end(a); return refuse(#call, path, flags, mode); }
SHIM(open)
SHIM(open64)
C
	system("gcc -shared -fPIC -o '$dir/shim.so' '$dir/shim.c' -ldl 2>'$dir/shim.log'") && skip_claim('no shared library by gcc');
	return "$dir/shim.so";
}
my %said;
for ([ENOENT => POSIX::ENOENT()], [EACCES => POSIX::EACCES()], [EBUSY => POSIX::EBUSY()]) {
	my ($name, $errno) = @$_;
	claim("/dev/kvm with $name: exit 3, and a line with a remedy of its own", sub {
		my %env = (LD_PRELOAD => shim(), SHIM_ERRNO => $errno);
		my @against;
		for my $command (\@quick, [qw(list --boundaries syscall)]) {
			my $r = gsgate({ env => \%env, limit => 20 }, @$command, '--engine', 'kvm');
			push @against, refusal($r, 3, qr{/dev/kvm: [^;]+; \w+});
			my ($remedy) = $r->{err} =~ /; (.*)/;
			push @against, "the remedy is that of $said{$remedy}" if ($said{ $remedy // '' } //= $name) ne $name;
		}
		my $r = gsgate({ env => \%env }, 'doctor', '--engine', 'kvm');
		my ($remedy) = $r->{out} =~ m{\Ano   KVM +/dev/kvm: [^;\n]+\n     remedy: (\w.*)\n\z};
		push @against, "doctor: exit $r->{status}, $r->{out}" if $r->{status} ne 3 || ($said{ $remedy // '' } // '') ne $name;
		return @against;
	});
}

# --- where results go ---
refuse_all('--summary, --journal and --map into a missing directory are refused before any work', 2, qr/missing/,
	map { [@quick, $_, "$dir/missing/x"] } qw(--summary --journal --map));
for my $option (qw(--summary --journal --map)) {
	claim("$option is refused before any work if its name is empty or a directory", sub {
		my $before = join ' ', leftovers('.');
		mkdir "$dir/taken";
		my @against = (refused(2, undef, @quick, $option, ''), refused(2, qr/taken/, @quick, $option, "$dir/taken"));
		push @against, map { "left behind: $_" } leftovers("$dir/taken"), grep { /^taken\./ } leftovers($dir);
		return (@against, $before eq join(' ', leftovers('.')) ? () : 'left something in the working directory');
	});
}
refuse_all('two of --summary, --journal and --map into one file are refused', 2, qr/the same file/,
	map { [@quick, map { ($_, "$dir/one") } @$_] } [qw(--summary --journal)], [qw(--journal --map)], [qw(--summary --map)]);
claim('an unwritable directory is refused before any work', sub {
	skip_claim('root may write everywhere') if !$>;
	mkdir "$dir/locked", 0500;
	return refused(2, qr/locked/, @quick, '--summary', "$dir/locked/x");
});
# Never try this with a device of the machine: as root the bench replaced it by a file.
claim('--summary never replaces a FIFO (or a device) by a file', sub {
	need_engine();
	POSIX::mkfifo("$dir/pipe", 0600);
	my $reader = fork // die "fork: $!\n";
	exec 'sh', '-c', 'exec cat "$0" > "$1"', "$dir/pipe", "$dir/read" or POSIX::_exit(127) if !$reader;
	my $r = gsgate(@quick, '--summary', "$dir/pipe");
	kill 'KILL', $reader if $r->{status} ne 0 || !-p "$dir/pipe";        # it may wait for nobody then
	waitpid $reader, 0;
	return grep { $_ } !-p "$dir/pipe" && 'the FIFO is gone', $r->{status} ne 0 && "exit $r->{status}",
		!decode(read_file("$dir/read")) && 'what came through it is no JSON';
});
claim('a result that cannot be printed is no success', sub {
	need_engine();
	skip_claim('no /dev/full') if !-c '/dev/full';
	return map {
		my $r = gsgate({ stdout => '/dev/full' }, @$_);
		$r->{status} eq 0 || !length $r->{err} ? "gsgate $r->{args}: exit $r->{status}, stderr \"$r->{err}\"" : ()
	} \@quick, ['list'], ['--help'];
});
claim('without a stdout, TAP does not get into the files of results', sub {
	need_engine();
	my ($s, $j) = map { "$dir/closed.$_" } qw(summary journal);
	my $r = gsgate({ closed => 1 }, @quick, '--summary', $s, '--journal', $j);
	my @files = grep { -e } $s, $j;
	return grep { $_ } map({ (read_file($_) // '') =~ /^(?:TAP|ok)\b/m && "TAP in $_" } @files),
		-e $s && !decode(read_file($s)) && "$s is not JSON";
});

run_claims();
