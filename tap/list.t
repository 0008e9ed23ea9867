#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# list.t: gsgate list is made for people: scenarios in 100 columns, the map with its columns and windows explained.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my @part = qw(syscall usercopy --gs u-small);
my @columns = qw(cpl a i avalue ivalue stack if df window db gp);

claim('every scenario: its program, schemes, events, rows, bugs and claim, in 100 columns', sub {
	my $r = gsgate('list');
	my @scenarios = map { m{([^/]+)\.scn$} } <scenarios/*.scn>;
	my ($head) = lines_of($r->{out});
	return grep { $_ } $r->{status} ne 0 && "exit $r->{status}", $head !~ /^scenario\s+program\s+schemes\s+events\s+rows\s+bugs$/ && $head,
		map({ length > 100 ? "too long: $_" : () } lines_of($r->{out})),
		map({ $r->{out} =~ /^\Q$_\E +\w+ +\S+ +\S+ +\S+ +\S+\n    \S/m ? () : "no $_" } @scenarios);
});
claim('every row of what the guest must have is covered by a scenario', sub {
	my %rows = map { $_ => 1 } map { split /,/ } gsgate('list')->{out} =~ /^\S+ +\w+ +\S+ +\S+ +(\S+) +\S+$/mg;
	my @must = (map({ "S0.$_" } 1 .. 5), map({ "S1.$_" } 1 .. 3), map({ "S2.$_" } 1 .. 4), map({ "S3.$_" } 1 .. 3), map({ "S4.$_" } 1 .. 4));
	return map { $rows{$_} ? () : $_ } @must;
});
claim('the claim stands there in full', sub {
	my ($claim) = read_file('scenarios/syscall.scn') =~ /^claim\s*=\s*(.*)/m;
	my $out = gsgate(qw(list syscall))->{out} =~ s/\s+/ /gr;
	return index($out, $claim) < 0 ? "not in $out" : ();
});
claim('the map: each line has every column, and each column is explained', sub {
	need_engine();
	my $r = gsgate('list', '--boundaries', @part);
	my @comments = grep { /^#/ } lines_of($r->{out});
	my @lines = grep { !/^#/ } lines_of($r->{out});
	return grep { $_ } $r->{status} ne 0 && "exit $r->{status}", !@lines && 'no line',
		map({ my $c = $_; (grep { !/ \b$c=\S/ } @lines) ? "$c is not in every line" : () } @columns),
		map({ my $c = $_; (grep { /\b$c\b/ } @comments) ? () : "$c is not explained" } @columns);
});
claim('run --map writes what list --boundaries prints, whatever events are injected', sub {
	need_engine();
	my $r = gsgate('run', @part, '--event', 'irq', '--map', "$dir/map");
	my ($listed, $written) = (gsgate('list', '--boundaries', @part)->{out}, read_file("$dir/map") // '');
	return grep { $_ } $r->{status} ne 0 && "exit $r->{status}", !length $listed && 'list prints nothing', $listed ne $written && 'they differ';
});
claim('the windows at the end are the runs of boundaries that the map calls windows', sub {
	need_engine();
	my $out = gsgate('list', '--boundaries', @part)->{out};
	my @windows = grep { /^# window/ } lines_of($out);
	my %in = map { m{^(?:[^/]+/){3}(\S+)\@\d+ .* window=1 } ? ($1 => 1) : () } lines_of($out);
	return grep { $_ } !@windows && 'no window', (lines_of($out))[-1] !~ /^# window/ && 'not at the end', map {
		my $line = $_;
		my ($from, $to) = /^# window \d+: (\S+) \.\. (\S+), \d+ boundar(?:y|ies), A=(?:U|other), in [1-9]\d* of \d+ units$/;
		!defined $to ? "not understood: $_" : map { $in{$_} ? () : "$_ is in no window of the map: $line" } $from, $to;
	} @windows;
});

run_claims();
