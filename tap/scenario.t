#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# scenario.t: a scenario file of one's own, as docs/scenarios.md has it, runs without a rebuild; its pins are test points.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my $doc = read_file("$FindBin::Bin/../docs/scenarios.md") // '';
my ($example) = $doc =~ /^```\n(# mine\.scn: .*?)^```$/ms;
my $broken = 'build/broken/05-never-restores/guest.elf';
my $case = 'ist/u-negative/entry_SYSCALL_64+0x0@1:nmi';
my $point = 'pin mine/ist/u-negative entry_SYSCALL_64 nmi';

# Runs the example with its pins replaced if others are given.
sub mine {
	my ($pins, @options) = @_;
	my $text = $example // die "docs/scenarios.md has no example\n";
	$text = ($text =~ s/^pin .*\n//mgr) . join('', map { "pin = $_\n" } @$pins) if $pins;
	return run_text($text, @options);
}

# The example with gp among its events, without pins, and with these deaths if any are given.
sub dying {
	my ($deaths, @options) = @_;
	my $text = $example // die "docs/scenarios.md has no example\n";
	$text =~ s/^pin .*\n//mg;
	$text =~ s/^(events .*)$/$1, gp/m;
	return run_text($text . ($deaths ? "deaths = $deaths\n" : ''), @options);
}

sub run_text {
	my ($text, @options) = @_;
	write_file("$dir/mine.scn", $text);
	return gsgate({ cwd => $dir, program => rooted($gsgate), limit => 120 }, 'run', './mine.scn', '--kernel', rooted($guest),
		'--summary', 'summary', @options);
}

sub rooted {
	my ($path) = @_;
	return $path =~ m{^/} ? $path : "$FindBin::Bin/../$path";
}

# What speaks against this exit status and these lines of the output.
sub differs {
	my ($r, $status, @lines) = @_;
	return (($r->{status} eq $status ? () : "exit $r->{status}, must be $status: $r->{err}"), tap_problems($r->{out}),
		map { index("\n$r->{out}", "\n$_\n") < 0 ? "no line: $_" : () } @lines);
}

# The n-th line of the file that mine() writes is wrong.
sub is_refused {
	need_engine();
	my ($says, @pins) = @_;
	my $n = 11 + @pins;
	return map { refusal($_, 2, qr/^gsgate: \.\/mine\.scn:$n: .*$says/) } mine(\@pins);
}

claim('the example of the document runs, without a rebuild, and is green', sub {
	need_engine();
	return differs(mine(), 0, "ok 3 - $point: good", "  case: mine/$case");
});
claim('a timer that migrates threads needs two CPUs', sub {
	need_engine();
	my $r = run_text($example =~ s/^pin .*\n//mgr . "cmdline = timer=migrate\n");
	return $r->{status} eq '2' && $r->{err} =~ /timer=migrate is for two CPUs/ ? () : "exit $r->{status}: $r->{err}";
});
claim('the summary has its pin', sub {
	need_engine();
	mine();
	my @pins = @{ decode(read_file("$dir/summary"))->{pins} // [] };
	return @pins == 1 && $pins[0]{case} eq "mine/$case" && $pins[0]{verdict} eq 'good' && $pins[0]{good} ? () : 'it differs';
});
claim('the document names every key and no other', sub {
	my %key = map { $_ => 1 } 'pin', (read_file("$FindBin::Bin/../vmm/scenario_keys.c") // '') =~ /^\t\{ "(\w+)", *set_/mg;
	my %told = map { $_ => 1 } $doc =~ /^\| `(\w+)` \|/mg;
	return map { $key{$_} && $told{$_} ? () : $_ } sort keys %{ { %key, %told } };
});
claim('a case that comes out otherwise is not ok, and says how', sub {
	need_engine();
	return differs(mine(["$case handler-gs"]), 1, "not ok 3 - $point: handler-gs", "  why: 'the verdict is good'");
});
claim('a boundary that is not there, or not that often, or not planned', sub {
	need_engine();
	return differs(mine([map { "$_ good" } 'ist/u-negative/entry_SYSCALL_64+0x1@1:nmi', 'ist/u-negative/entry_SYSCALL_64+0x0@999:nmi']),
		1, "not ok 3 - $point: good", "not ok 4 - $point (2): good",
		"  why: 'not injected: the golden run comes to no such boundary'");
});
claim('what is not asked for has no point', sub {
	need_engine();
	my $r = mine(undef, '--gs', 'u-zero');
	return differs($r, 0), $r->{out} =~ /pin/ ? 'a pin' : ();
});
claim('a pinned violation: its pin is ok, its point is not, the run exits 1', sub {
	need_engine();
	return 'make broken has not been run' if !-e rooted($broken);
	my $r = mine(["$case transparent"], '--kernel', rooted($broken));
	return differs($r, 1, "ok 3 - $point: transparent"), $r->{out} =~ /^    not ok \d+ - entry_SYSCALL_64 nmi$/m ? () :
		'the point in the subtest is ok';
});
claim('the same case pinned as good is not ok', sub {
	need_engine();
	return 'make broken has not been run' if !-e rooted($broken);
	return differs(mine(undef, '--kernel', rooted($broken)), 1, "not ok 3 - $point: good", "  why: 'the verdict is transparent'");
});
claim('a symbol that the image lacks: file and line, nothing is run', sub {
	return is_refused('has no symbol "no_such_symbol"', "$case good", 'ist/u-negative/no_such_symbol+0x0@1:nmi good');
});
claim('a pin that the file itself leaves out: file and line',
	sub { is_refused('event mce, which is not among the events', 'ist/u-negative/entry_SYSCALL_64+0x0@1:mce good') });
claim('a pin without a verdict: file and line', sub { is_refused('the verdict is missing', $case) });
claim('a death that is declared and comes is a point, and counted', sub {
	need_engine();
	my $r = dying('no-ist');
	my $s = decode(read_file("$dir/summary"));
	return differs($r, 0, 'ok 3 - death mine: no-ist'), ($s->{deaths}{'no-ist'} // 0) > 0 ? () : 'not counted';
});
claim('a death that is declared and does not come is not ok', sub {
	need_engine();
	return differs(dying('mcip, no-ist'), 1, 'not ok 3 - death mine: mcip', 'ok 4 - death mine: no-ist');
});
claim('but if options left out some of the cases it is skipped', sub {
	need_engine();
	return differs(dying('mcip, no-ist', '--event', 'nmi'), 0, 'ok 3 - death mine: mcip # SKIP not all cases were asked for',
		'ok 4 - death mine: no-ist # SKIP not all cases were asked for');
});
claim('a death that is not declared breaks progress, and is not counted', sub {
	need_engine();
	my $r = dying();
	my $s = decode(read_file("$dir/summary"));
	my @violations = @{ $s->{violations} // [] };
	return differs($r, 1), @violations ? () : 'no violation', $s->{deaths}{'no-ist'} ? 'counted' : (),
		map({ $_->{rule} eq 'progress' && $_->{case} =~ /:gp$/ && $_->{detail} =~ /does not declare, no-ist/ ? () : "$_->{case}: $_->{detail}" } @violations);
});
claim('an unknown word: file and line', sub {
	need_engine();
	write_file("$dir/bad.scn", $example . "colour = red\n");
	my $n = 1 + lines_of($example);
	return refused(2, qr/bad\.scn:$n: unknown key 'colour'/, 'run', "$dir/bad.scn", '--kernel', $guest);
});

run_claims();
