#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# broken-qemu.t: engine qemu catches what engine kvm catches: of broken guests one case, or the golden run, by the same rule.
#
# Where broken.t has them all on engine kvm, it is here one guest for each rule, and those that tap/differences says are not caught. Without KVM it
# is every guest; with LONG=1 in the environment (check-engines) every guest, and one case of each line of its manifest.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestBroken qw(read_file read_manifest read_scenarios read_map matching);
use TestGsgate;

my $has = read_scenarios();
# Where to look first if a manifest does not say.
my @quick = ('syscall', 'exception', grep { !/^(?:syscall|exception)$/ } sort keys %$has);
my %not_caught = map { my $d = $_; map { ($_ => $d) } grep { $d->{where} && "broken/$_" =~ $d->{where} } map { m{([^/]+)\.expect$} } <tap/broken/*.expect> }
	grep { $_->{who} eq 'qemu' } listed_differences();

sub need_qemu {
	skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)') if !grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
}

sub qemu {
	my ($command, @args) = @_;
	return gsgate({ limit => 120 }, $command, '--engine', 'qemu', @args);
}

# The first case in this part of the map that the line expects.
sub case_in {
	my ($m, $line, $kernel, @part) = @_;
	my $r = qemu('list', '--boundaries', '--kernel', $kernel, @part);
	return if $r->{err} =~ /: nothing to run: no scenario has that scheme/;
	die "gsgate $r->{args}: $r->{status}: $r->{err}" if $r->{status} ne '0';
	return (matching($m, $line, read_map($r->{out}, $m->{events}, $has)))[0];
}

# A case that the line expects, from the first scenario that has one, and the bench's options for it. Where the manifest leaves the scheme open, a quarter
# of the map has one, as a rule.
sub case_of {
	my ($m, $line, $kernel) = @_;
	my @run = "@{ $m->{run} }" =~ s/--engine \S+ ?//r =~ /\S+/g;
	my @named;
	push @named, shift @run while @run && $run[0] !~ /^-/;
	my ($by_term) = map { $_->[0] eq 'scenario' && $_->[1] eq '=' ? $_->[2] : () } @{ $line->{terms} };
	for my $scenario ($by_term ? split /\|/, $by_term : @named ? @named : @quick) {
		for my $part ("@run" =~ /--scheme/ ? () : [@run, '--scheme', 'ist'], [@run]) {
			my $id = case_in($m, $line, $kernel, $scenario, @$part) // next;
			return ($id, map { $run[$_] eq '--timeout' ? @run[$_, $_ + 1] : () } 0 .. $#run);
		}
	}
	die "$m->{path}:$line->{line}: no case matches\n";
}

# What the golden run breaks. The cases that come with it are as few as can be.
sub golden_rule {
	my ($unit, $kernel) = @_;
	my ($scenario, $scheme, $gs) = split m{/}, $unit;
	my $event = (grep { $_ eq 'irq' } @{ $has->{$scenario} }) ? 'irq' : 'nmi';
	# one that has no end takes two minutes to be given up
	my $r = gsgate({ limit => 300 }, qw(run --engine qemu), $scenario, '--scheme', $scheme, '--gs', $gs, '--event', $event, '--kernel', $kernel, '--summary', "$dir/summary");
	die "gsgate $r->{args}: $r->{status}: $r->{err}" if $r->{status} !~ /^[01]$/;
	my ($first) = grep { $_->{case} eq "$unit:-" } @{ decode(read_file("$dir/summary"))->{violations} };
	return $first ? $first->{rule} : 'nothing';
}

sub rule_of {
	my ($id, $kernel, @options) = @_;
	return golden_rule($1, $kernel) if $id =~ /^(.*):-$/;
	my $r = qemu('replay', $id, '--kernel', $kernel, @options);
	return $r->{status} eq '1' && $r->{out} =~ /^  ([\w-]+) is broken at /m ? $1 : $r->{status} eq '0' ? 'nothing' : "exit $r->{status}: $r->{err}";
}

sub check {
	my ($name) = @_;
	my $m = read_manifest("tap/broken/$name.expect");
	my $kernel = -e "tap/broken/$name.patch" ? "build/broken/$name/guest.elf" : $guest;
	my @lines = @{ $m->{lines} };
	return "there is no $kernel (make broken)" if !-e $kernel;
	return map {
		my ($id, @options) = case_of($m, $_, $kernel);
		my $rule = rule_of($id, $kernel, @options);
		$rule eq $_->{rule} ? () : "$id: expected $_->{rule}, reported $rule";
	} $ENV{LONG} ? @lines : $lines[0];
}

# A guest that only two CPUs find.
my %two_cpus = map { read_file("scenarios/$_.scn") =~ /^cpus\s*=\s*2/m ? ($_ => 1) : () } keys %$has;
sub has_two_cpus {
	my ($name) = @_;
	return grep { $two_cpus{$_} } @{ read_manifest("tap/broken/$name.expect")->{run} };
}

my @names = map { m{([^/]+)\.expect$} } sort <tap/broken/*.expect>;
my %has_rule;
my @two = grep { has_two_cpus($_) } @names;
@names = grep { !has_two_cpus($_) } @names;
@names = grep { $not_caught{$_} || !$has_rule{ read_manifest("tap/broken/$_.expect")->{lines}[0]{rule} }++ } @names if engine() eq 'kvm' && !$ENV{LONG};
for my $name (@names) {
	claim($name, sub {
		need_qemu();
		my @against = check($name);
		my $listed = $not_caught{$name} // return @against;
		return @against ? skip_claim("difference $listed->{name}: $listed->{what}") : 'it is caught, and tap/differences says that it is not';
	});
}

claim($_, sub { skip_claim('engine qemu runs one CPU') }) for @two;
run_claims();
