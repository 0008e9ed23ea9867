#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# broken.t: every broken guest is caught exactly where, and by exactly the rule that, its manifest says.
#
# As many guests at once as there are processors, each run with one job. With PART in the environment it is one guest for each rule. How a manifest is read stands in TestBroken.pm. `prove tap/broken.t :: NAME...` runs these alone, once `make build/broken/NAME/guest.elf` has built them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp 'tempdir';
use IO::Handle;
use JSON::PP;
use POSIX ();
use Time::HiRes 'time';
use Test::More;
use TestBroken;

my $gsgate = $ENV{GSGATE} // 'build/gsgate';
my $good = $ENV{GUEST_ELF} // 'build/guest.elf';
my $dir = tempdir(CLEANUP => 1);
my ($has, $summary);

# Exit status, standard output and standard error.
sub gsgate {
	my @args = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDOUT, '>', "$dir/out" or die "$dir/out: $!\n";
		open STDERR, '>', "$dir/err" or die "$dir/err: $!\n";
		exec { $gsgate } $gsgate, @args or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my ($status, $signal) = ($? >> 8, $? & 127);
	return ($signal ? "signal $signal" : $status, read_file("$dir/out"), read_file("$dir/err"));
}

# Exit status, summary and map. The map is that of the run itself: another process would only measure it again.
sub run_guest {
	my ($kernel, $events, @run) = @_;
	my ($status, $out, $err) = gsgate('run', '--jobs', 1, '--event', join(',', @$events), '--kernel', $kernel, '--summary', "$dir/summary", '--map', "$dir/map", @run);
	die "gsgate run: $status: $err" if $status !~ /^[01]$/;
	return ($status, decode_json(read_file("$dir/summary")), read_file("$dir/map"));
}

sub differences {
	my ($expected, $seen) = @_;
	my @missing = grep { ($seen->{$_} // '') ne $expected->{$_} } sort keys %$expected;
	my @extra = grep { !$expected->{$_} } sort keys %$seen;
	my @say = map { "$_: expected $expected->{$_}, reported " . ($seen->{$_} // 'nothing') } @missing[0 .. min(4, $#missing)];
	push @say, map { "$_: expected nothing, reported $seen->{$_}" } @extra[0 .. min(4, $#extra)];
	unshift @say, @missing . ' expected otherwise, ' . @extra . ' not expected, of ' . keys(%$expected) if @say;
	return @say;
}

sub min {
	my ($x, $y) = @_;
	return $x < $y ? $x : $y;
}

# One broken guest: the rules that caught it, or dies saying what is wrong.
sub check {
	my ($name, $m, $has) = @_;
	my $kernel = -e "tap/broken/$name.patch" ? "build/broken/$name/guest.elf" : $good;
	my ($status, $summary, $map) = run_guest($kernel, $m->{events}, @{ $m->{run} });
	my $expected = predict($m, read_map($map, $m->{events}, $has));
	my %seen = map { $_->{case} => $_->{unstable} ? "$_->{rule} (unstable)" : $_->{rule} } @{ $summary->{violations} };
	my @wrong = differences($expected, \%seen);
	die join("\n", @wrong) . "\n" if @wrong;
	die "gsgate run: status $status, must be 1\n" if $status ne '1';
	check_green($kernel, $m) if @{ $m->{green} };
	my %rules;
	$rules{$_}++ for values %$expected;
	return \%rules;
}

# At depth 1 nothing is to be seen of it.
sub check_green {
	my ($kernel, $m) = @_;
	my ($status, $summary) = run_guest($kernel, \@usual, @{ $m->{green} }, '--gs', 'u-small');
	my @seen = map { "$_->{rule} at $_->{case}" } @{ $summary->{violations} };
	die "green: $seen[0], of " . @seen . "\n" if @seen;
	die "green: status $status, $summary->{injections} injections\n" if $status ne '0' || !$summary->{injections};
}

sub summed {
	my ($rules) = @_;
	return join ', ', map { "$_ $rules->{$_}" } grep { $rules->{$_} } @rules;
}

# What comes of one guest. `counts`: not all that the whole set shows is shown without it.
sub outcome {
	my ($name) = @_;
	my $m = eval { read_manifest("tap/broken/$name.expect") } // return { diag => $@ };
	my $needs = $m->{needs};
	return { bug => $m->{bug}, counts => 1, skip => "this host has no $needs" } if $needs && $summary && !$summary->{host}{$needs};
	return { bug => $m->{bug}, skip => 'there is no QEMU' } if $m->{engine} && !grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
	my $began = time;
	my $rules = eval { check($name, $m, $has) };
	return { bug => $m->{bug}, $rules ? (rules => $rules, seconds => time - $began) : (diag => $@) };
}

# Each worker takes the next name when it is done with one: the numbers of all lie in a pipe that they share.
sub outcomes {
	my @names = @_;
	my $workers = `nproc` || 1;
	my (%all, @workers);
	pipe my $next, my $numbers or die "pipe: $!\n";
	syswrite $numbers, pack 'N*', 0 .. $#names;
	close $numbers;
	for my $n (1 .. $workers) {
		open my $from, '-|' or work($n, $next, @names);
		push @workers, $from;
	}
	for my $from (@workers) {
		while (<$from>) {
			my ($name, $text) = split ' ', $_, 2;
			$all{$name} = decode_json($text);
		}
	}
	return %all;
}

# In a folder of its own.
sub work {
	my ($n, $next, @names) = @_;
	$dir = "$dir/$n";
	mkdir $dir;
	STDOUT->autoflush;
	while (sysread $next, my $number, 4) {
		my $name = $names[unpack 'N', $number];
		print "$name ", encode_json(outcome($name)), "\n";
	}
	POSIX::_exit(0);
}

plan skip_all => 'the KVM device is not usable here; broken-qemu.t has these guests on the other engine' if !-r '/dev/kvm' || !-w '/dev/kvm';
my @names = @ARGV ? @ARGV : map { m{([^/]+)\.expect$} } sort <tap/broken/*.expect>;
my %has_rule;
@names = grep { !$has_rule{ read_manifest("tap/broken/$_.expect")->{lines}[0]{rule} }++ } @names if $ENV{PART};
my @lonely = grep { !-e "tap/broken/$_.expect" } map { m{([^/]+)\.patch$} } <tap/broken/*.patch>;
plan tests => @names + (@ARGV ? 1 : 5);

$has = eval { read_scenarios() };
diag($@) if $@;
# All of it is run by run.t.
(undef, $summary) = eval { run_guest($good, \@usual, 'syscall', '--gs', 'u-small') };
diag($@) if $@;
ok($summary && !@{ $summary->{violations} }, 'the good guest breaks no rule in a system call');

my (%bug, %caught, %by, $skipped);
my %outcome = outcomes(@names);
for my $name (@names) {
	my $o = $outcome{$name} // { diag => 'nothing came of it' };
	SKIP: {
		$skipped = 1 if $o->{skip} && $o->{counts};
		skip "$name: $o->{skip}", 1 if $o->{skip};
		ok($o->{rules}, $name);
		diag($o->{diag}) if $o->{diag};
		note(summed($o->{rules}) . sprintf ', %.1f s', $o->{seconds}) if $o->{rules};
		$by{$_} = $name for keys %{ $o->{rules} // {} };
		$caught{$name} = 1 if grep { $_ ne 'progress' } keys %{ $o->{rules} // {} };
	}
	push @{ $bug{ $o->{bug} } }, $name if $o->{bug};
}
exit if @ARGV;
ok(!@lonely, 'every broken guest has a manifest');
diag("tap/broken/$_.patch: no manifest") for @lonely;
my @twice = grep { $_ ne 'none' && @{ $bug{$_} } > 1 } sort keys %bug;
ok(!@twice, 'every bug is there once');
diag("bug $_: @{ $bug{$_} }") for @twice;
SKIP: {
	skip 'some broken guests have not been run', 2 if $skipped || $ENV{PART};
	cmp_ok(scalar(keys %caught), '>=', 6, 'at least six are caught by a rule other than progress');
	my %canary = map { $_->{caught} ? ($_->{rule} => 1) : () } @{ $summary->{canaries} };
	my @idle = grep { !$by{$_} && !$canary{$_} } @rules;
	ok(@rules > 9 && !@idle, 'every rule catches a broken guest or a canary');
	diag("neither a broken guest nor a canary breaks the rule $_") for @idle;
}
