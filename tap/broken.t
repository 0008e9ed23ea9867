#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# broken.t: every broken guest is caught exactly where, and by exactly the rule that, its manifest says.
#
# tap/broken/NAME.patch is one small bug for guest/, tap/broken/NAME.expect what must come of it, written by hand.
# Without a patch it is the good guest that the arguments lead astray. A manifest has lines of words, # begins a comment:
#
#   bug    NUMBER              of the catalogue; "none" if it is not in there
#   needs  fsgsbase            what the host must have
#   engine qemu                what it runs on, instead of the usual one; skipped where there is no QEMU
#   run    ARGUMENT...         restricts the run and the map
#   events EVENT[,EVENT...]    what is injected where the scenario has it; without this line nmi,mce,db
#   expect RULE when TERM...   each case that all TERMs hold for breaks RULE first
#   golden RULE when TERM...   each golden run that they hold for breaks RULE first
#
#   TERM: COLUMN=VALUE[|VALUE...]  COLUMN!=VALUE[|VALUE...]  COLUMN<0  COLUMN>=0  (signed, 64 bits)
#   VALUE: a word, a number, or @ and another COLUMN's name
#   COLUMN: scenario scheme (that which runs: swapgs where the scenario has no FSGSBASE) gs; for a case also symbol offset visit event and all that the map has
#           (gsgate list --boundaries): cpl a i avalue ivalue stack if df masked raised window db inject irq gp
#
# The cases of a manifest are the map's boundaries times the events: irq where the map has irq=1, gp and pf where it has gp=1, any other event where it
# has inject=1, of those NMI where it is not masked, and #DB where the map says how it could come. Expected and reported must be equal sets.
use strict;
use warnings;
no warnings 'portable';         # 64-bit numbers
use File::Temp 'tempdir';
use JSON::PP;
use Test::More;

my $gsgate = $ENV{GSGATE} // 'build/gsgate';
my $good = $ENV{GUEST_ELF} // 'build/guest.elf';
my @events = qw(nmi mce db irq nmi.resched mce.resched db.resched gp pf);
my @usual = qw(nmi mce db);     # the others ask for more than most of these bugs break
my @rules = read_file('vmm/judge.c') =~ /\[RULE_\w+\] = "([\w-]+)"/g;    # in the order in which they speak
my %is_rule = map { $_ => 1 } @rules;
my $dir = tempdir(CLEANUP => 1);

sub read_file {
	my ($path) = @_;
	open my $in, '<', $path or die "$path: $!\n";
	return do { local $/; <$in> } // '';
}

# Exit status, standard output and standard error.
sub gsgate {
	my @args = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDOUT, '>', "$dir/out" or die "$dir/out: $!\n";
		open STDERR, '>', "$dir/err" or die "$dir/err: $!\n";
		exec { $gsgate } $gsgate, @args or die "$gsgate: $!\n";
	}
	waitpid $pid, 0;
	my ($status, $signal) = ($? >> 8, $? & 127);
	return ($signal ? "signal $signal" : $status, read_file("$dir/out"), read_file("$dir/err"));
}

sub parse_term {
	my ($word) = @_;
	return [$1, $2, '0'] if $word =~ /^(\w+)(<|>=)0$/;
	return [$1, $2, $3] if $word =~ /^(\w+)(!?=)([^=|]+(?:\|[^=|]+)*)$/;
	die "\"$word\" is no term\n";
}

sub parse_line {
	my ($m, $line) = @_;
	my ($key, @words) = split ' ', $line =~ s/#.*//r;
	return if !defined $key;
	if ($key eq 'expect' || $key eq 'golden') {
		my ($rule, $when, @terms) = @words;
		die "there is no rule \"" . ($rule // '') . "\"\n" if !$is_rule{ $rule // '' };
		die "\"when\" and a term are missing\n" if ($when // '') ne 'when' || !@terms;
		push @{ $m->{lines} }, { kind => $key, rule => $rule, line => $., terms => [map { parse_term($_) } @terms] };
	} elsif ($key eq 'run') {
		push @{ $m->{run} }, @words;
	} elsif ($key eq 'engine' && "@words" eq 'qemu') {
		$m->{engine} = 'qemu';
		push @{ $m->{run} }, '--engine', 'qemu';
	} elsif ($key eq 'events' && @words == 1) {
		$m->{events} = [split /,/, $words[0]];
		my @unknown = grep { my $word = $_; !grep { $_ eq $word } @events } @{ $m->{events} };
		die "there is no event \"@unknown\"\n" if @unknown;
	} elsif ($key eq 'bug' && "@words" =~ /^(?:[1-9]\d*|none)$/) {
		die "a second bug\n" if $m->{bug};
		$m->{bug} = $words[0];
	} elsif ($key eq 'needs' && "@words" eq 'fsgsbase') {
		$m->{needs} = 'fsgsbase';
	} else {
		die "\"$line\" is not understood\n";
	}
}

sub read_manifest {
	my ($path) = @_;
	my $m = { path => $path, run => [], events => \@usual, lines => [] };
	open my $in, '<', $path or die "$path: $!\n";
	while (my $line = <$in>) {
		chomp $line;
		eval { parse_line($m, $line); 1 } or die "$path:$.: $@";
	}
	die "$path: no line \"bug\"\n" if !$m->{bug};
	die "$path: nothing is expected\n" if !@{ $m->{lines} };
	return $m;
}

sub same {
	my ($x, $y) = @_;
	return $x eq $y if grep { !/^(?:0x[0-9a-f]{1,16}|\d{1,19})$/ } $x, $y;
	return number($x) == number($y);
}

sub number {
	my ($text) = @_;
	return $text =~ /^0x/ ? hex $text : $text + 0;
}

sub value_of {
	my ($word, $columns) = @_;
	return $word if $word !~ /^@(.*)/;
	return $columns->{$1} // die "there is no column \"$1\"\n";
}

sub holds {
	my ($term, $columns) = @_;
	my ($name, $op, $value) = @$term;
	my $seen = $columns->{$name} // die "there is no column \"$name\"\n";
	return number($seen) >> 63 == ($op eq '<') if $op eq '<' || $op eq '>=';
	my $any = grep { same($seen, value_of($_, $columns)) } split /\|/, $value;
	return $op eq '=' ? $any : !$any;
}

# { scenario => its events }, and which of them fall back to swapgs
my %falls_back;
sub read_scenarios {
	my %events;
	for my $path (<scenarios/*.scn>) {
		my ($name) = $path =~ m{([^/]+)\.scn$};
		my $text = read_file($path);
		my ($words) = $text =~ /^events\s*=\s*(.*?)\s*$/m or die "$path: no events\n";
		$events{$name} = [split /\s*,\s*/, $words];
		$falls_back{$name} = 1 if $text =~ /^cmdline\s*=.*\bnofsgsbase\b/m;
	}
	return \%events;
}

sub is_injected {
	my ($event, $columns) = @_;
	return $columns->{irq} if $event eq 'irq';
	return 0 if $event =~ /^nmi\b/ && $columns->{masked};
	return $columns->{gp} if $event =~ /^(?:gp|pf)$/;
	return $columns->{inject} && !($event =~ /^db\b/ && $columns->{db} eq 'none');
}

sub runs {
	my ($scenario, $scheme) = @_;
	return $falls_back{$scenario} ? 'swapgs' : $scheme;
}

# From the map: { golden => { id => columns }, expect => { id => columns } }.
sub read_map {
	my ($text, $events, $has) = @_;
	my %asked = map { $_ => 1 } @$events;
	my %all = (golden => {}, expect => {});
	for (split /\n/, $text) {
		if (m{^# (([^/]+)/([^/]+)/([^/]+)): }) {
			$all{golden}{"$1:-"} = { scenario => $2, scheme => runs($2, $3), gs => $4 };
			next;
		}
		next if /^#/;
		my ($id, @columns) = split ' ';
		$id =~ m{^([^/]+)/([^/]+)/([^/]+)/(.+)\+(0x[0-9a-f]+)\@(\d+)$} or die "map: \"$_\" is not understood\n";
		my %c = (scenario => $1, scheme => runs($1, $2), gs => $3, symbol => $4, offset => $5, visit => $6);
		/^(\w+)=(\S+)$/ and $c{$1} = $2 for @columns;
		for my $event (grep { $asked{$_} && is_injected($_, \%c) } @{ $has->{ $c{scenario} } }) {
			$all{expect}{"$id:$event"} = { %c, event => $event };
		}
	}
	return \%all;
}

# What must be reported: { id => rule }.
sub predict {
	my ($m, $all) = @_;
	my %expected;
	for my $line (@{ $m->{lines} }) {
		my ($at, $count) = ("$m->{path}:$line->{line}", 0);
		for my $id (sort keys %{ $all->{ $line->{kind} } }) {
			my $columns = $all->{ $line->{kind} }{$id};
			my $match = eval { !grep { !holds($_, $columns) } @{ $line->{terms} } };
			die "$at: $@" if $@;
			next if !$match;
			die "$at: $id is expected twice\n" if $expected{$id};
			$expected{$id} = $line->{rule};
			$count++;
		}
		die "$at: no case matches\n" if !$count;
	}
	return \%expected;
}

sub run_guest {
	my ($kernel, $events, @run) = @_;
	my ($status, $out, $err) = gsgate('run', '--event', join(',', @$events), '--kernel', $kernel, '--summary', "$dir/summary", @run);
	die "gsgate run: $status: $err" if $status !~ /^[01]$/;
	return ($status, decode_json(read_file("$dir/summary")));
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
	my ($status, $map, $err) = gsgate('list', '--boundaries', '--kernel', $kernel, @{ $m->{run} });
	die "gsgate list: $status: $err" if $status ne '0';
	my $expected = predict($m, read_map($map, $m->{events}, $has));
	my ($result, $summary) = run_guest($kernel, $m->{events}, @{ $m->{run} });
	my %seen = map { $_->{case} => $_->{unstable} ? "$_->{rule} (unstable)" : $_->{rule} } @{ $summary->{violations} };
	my @wrong = differences($expected, \%seen);
	die join("\n", @wrong) . "\n" if @wrong;
	die "gsgate run: status $result, must be 1\n" if $result ne '1';
	my %rules;
	$rules{$_}++ for values %$expected;
	return \%rules;
}

sub summed {
	my ($rules) = @_;
	return join ', ', map { "$_ $rules->{$_}" } grep { $rules->{$_} } @rules;
}

plan skip_all => 'the KVM device is not usable here' if !-r '/dev/kvm' || !-w '/dev/kvm';
my @names = map { m{([^/]+)\.expect$} } sort <tap/broken/*.expect>;
my @lonely = grep { !-e "tap/broken/$_.expect" } map { m{([^/]+)\.patch$} } <tap/broken/*.patch>;
plan tests => @names + 5;

my $has = eval { read_scenarios() };
diag($@) if $@;
my (undef, $summary) = eval { run_guest($good, \@usual) };
diag($@) if $@;
ok($summary && !@{ $summary->{violations} }, 'the good guest breaks no rule');

my (%bug, %caught, %by, $skipped);
for my $name (@names) {
	my $m = eval { read_manifest("tap/broken/$name.expect") };
	my $needs = $m && $m->{needs};
	SKIP: {
		if ($needs && $summary && !$summary->{host}{$needs}) {
			$skipped = 1;
			skip "$name: this host has no $needs", 1;
		}
		skip "$name: there is no QEMU", 1 if $m && $m->{engine} && !grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
		my $rules = $m && eval { check($name, $m, $has) };
		diag($@) if !$rules;
		ok($rules, $name);
		note(summed($rules)) if $rules;
		push @{ $bug{ $m->{bug} } }, $name if $m;
		$by{$_} = $name for keys %{ $rules // {} };
		$caught{$name} = 1 if grep { $_ ne 'progress' } keys %{ $rules // {} };
	}
}
ok(!@lonely, 'every broken guest has a manifest');
diag("tap/broken/$_.patch: no manifest") for @lonely;
my @twice = grep { $_ ne 'none' && @{ $bug{$_} } > 1 } sort keys %bug;
ok(!@twice, 'every bug is there once');
diag("bug $_: @{ $bug{$_} }") for @twice;
SKIP: {
	skip 'some broken guests cannot run on this host', 2 if $skipped;
	cmp_ok(scalar(keys %caught), '>=', 6, 'at least six are caught by a rule other than progress');
	my %skipped = map { $_->{what} =~ /^rule (.*)/ ? ($1 => 1) : () } @{ $summary->{skipped} };
	my %canary = map { $_->{caught} ? ($_->{rule} => 1) : () } @{ $summary->{canaries} };
	my @idle = grep { !$by{$_} && !$canary{$_} && !$skipped{$_} } @rules;
	ok(@rules > 9 && !@idle, 'every rule that a run can check catches a broken guest or a canary');
	diag("neither a broken guest nor a canary breaks the rule $_") for @idle;
}
