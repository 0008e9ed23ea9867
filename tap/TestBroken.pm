# SPDX-License-Identifier: MIT
# TestBroken.pm: the manifests of the broken guests, and what they predict from a map.
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
#   green  SCENARIO...         what needs an event inside another one (class N of the catalogue): here, where there is none, no case breaks a rule
#
#   TERM: COLUMN=VALUE[|VALUE...]  COLUMN!=VALUE[|VALUE...]  COLUMN<0  COLUMN>=0  (signed, 64 bits)
#   VALUE: a word, a number, or @ and another COLUMN's name
#   COLUMN: scenario scheme (that which runs: swapgs where the scenario has no FSGSBASE) gs; for a case also cpu symbol offset visit event and all that the map has
#           (gsgate list --boundaries): cpl a i avalue ivalue k stack if df masked raised window db context inject irq gp turns
#
# The cases of a manifest are the map's boundaries times the events: irq and timer where the map has irq=1 (with timer=migrate the timer in user code alone), gp and pf where it has gp=1, any other event where it
# has inject=1, of those NMI where it is not masked, and #DB where the map says how it could come. Expected and reported must be equal sets.
package TestBroken;
use strict;
use warnings;
no warnings 'portable';         # 64-bit numbers
use Exporter 'import';

our @EXPORT = qw(@rules @usual read_file read_manifest read_scenarios read_map predict matching);
our @usual = qw(nmi mce db);    # the other events ask for more than most of these bugs break
our @rules = read_file('vmm/judge.c') =~ /\[RULE_\w+\] = "([\w-]+)"/g;    # in the order in which they speak
my @events = qw(nmi mce db irq timer nmi.resched mce.resched db.resched gp pf);
my %is_rule = map { $_ => 1 } @rules;

sub read_file {
	my ($path) = @_;
	open my $in, '<', $path or die "$path: $!\n";
	return do { local $/; <$in> } // '';
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
	} elsif ($key eq 'green' && @words) {
		push @{ $m->{green} }, @words;
	} elsif ($key eq 'needs' && "@words" eq 'fsgsbase') {
		$m->{needs} = 'fsgsbase';
	} else {
		die "\"$line\" is not understood\n";
	}
}

sub read_manifest {
	my ($path) = @_;
	my $m = { path => $path, run => [], events => \@usual, lines => [], green => [] };
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

# { scenario => its events }, which of them fall back to swapgs, and where the timer takes the thread to the other CPU
my (%falls_back, %timer_migrates);
sub read_scenarios {
	my %events;
	for my $path (<scenarios/*.scn>) {
		my ($name) = $path =~ m{([^/]+)\.scn$};
		my $text = read_file($path);
		my ($words) = $text =~ /^events\s*=\s*(.*?)\s*$/m or die "$path: no events\n";
		$events{$name} = [split /\s*,\s*/, $words];
		$falls_back{$name} = 1 if $text =~ /^cmdline\s*=.*\bnofsgsbase\b/m;
		$timer_migrates{$name} = 1 if $text =~ /^cmdline\s*=.*\btimer=migrate\b/m;
	}
	return \%events;
}

sub is_injected {
	my ($event, $columns) = @_;
	return 0 if $event eq 'timer' && $timer_migrates{ $columns->{scenario} } && !$columns->{cpl};
	return $columns->{irq} if $event =~ /^(?:irq|timer)$/;
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
		my %c = (scenario => $1, scheme => runs($1, $2), gs => $3, symbol => $4, offset => $5, visit => $6, cpu => 0);
		$c{cpu} = $1 if $c{symbol} =~ s/^cpu(\d)\.//;
		/^(\w+)=(\S+)$/ and $c{$1} = $2 for @columns;
		for my $event (grep { $asked{$_} && is_injected($_, \%c) } @{ $has->{ $c{scenario} } }) {
			my $turns = $c{turns} && $event !~ /^(?:gp|pf)$/ ? sprintf(',cpu%d@%d', 1 - $c{cpu}, $c{turns}) : '';
			$all{expect}{"$id:$event$turns"} = { %c, event => $event };
		}
	}
	return \%all;
}

# The cases of the map, or its golden runs, that all terms of a line hold for.
sub matching {
	my ($m, $line, $all) = @_;
	my $of = $all->{ $line->{kind} };
	return grep {
		my $columns = $of->{$_};
		my $match = eval { !grep { !holds($_, $columns) } @{ $line->{terms} } };
		die "$m->{path}:$line->{line}: $@" if $@;
		$match;
	} sort keys %$of;
}

# What must be reported: { id => rule }.
sub predict {
	my ($m, $all) = @_;
	my %expected;
	for my $line (@{ $m->{lines} }) {
		my ($at, $count) = ("$m->{path}:$line->{line}", 0);
		for my $id (matching($m, $line, $all)) {
			die "$at: $id is expected twice\n" if $expected{$id};
			$expected{$id} = $line->{rule};
			$count++;
		}
		die "$at: no case matches\n" if !$count;
	}
	return \%expected;
}

1;
