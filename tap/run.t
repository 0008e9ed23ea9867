#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# run.t: what gsgate run promises: its output, journal and summary, the same for any number of jobs; and how it ends early.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my @keys = qw(schema engine engine_fallback host image_hash schemes scenarios boundaries boundaries_injected
	boundaries_deferred boundaries_unreached windows injections cases_planned fraction deaths states_pruned rules canaries violations skipped seconds
	injections_per_second floor_exits_per_second kernel_instructions_per_injection seed);
# The closed list, from its only source; "not-asked" is for runs of a part.
my ($list) = (read_file("$FindBin::Bin/../vmm/coverage.c") // '') =~ /\breasons\[\] = \{(.*?)^\};/ms;
my %is_reason = map { $_ => 1 } ($list // '') =~ /^\s*"([\w-]+)",/mg;
my @rules = qw(delivery handler-gs handler-stack frame flags debug transparent return user-state exit-work masking
	context progress);

# Each run once, when the first claim asks for it; with its journal and summary.
all_need_engine();
# "Everything" is everything with LONG=1 in the environment (check-more), and less on the slower engine in any case.
my $slow = engine() eq 'qemu';
my @scheme = $slow ? qw(--scheme ist) : ();
my @part = ('gs', 'syscall', '--gs', 'u-small,u-negative', '--jobs', 2, @scheme);
my @whole = $slow || !$ENV{LONG} ? (qw(gs syscall machine-check), '--gs', 'u-small,u-zero,u-negative', @scheme) : ();
# Enough for two threads to get into each other's way: one CPU and two, a timer, both kinds of events.
my @few = $slow ? @whole : (qw(gs syscall ipi preempt), '--gs', 'u-small');
my %runs = (two => [@whole, qw(--jobs 2)], few => [@few, qw(--jobs 2)], one => [@few, qw(--jobs 1)], part => [@part], again => [@part], ranked => [@part, qw(--time 100)],
	cut => [@whole, '--time', sub { the('two')->{seconds} * ($ENV{LONG} ? 0.1 : 0.6) }]);
my %done;
sub the {
	my ($name) = @_;
	return $done{$name} if $done{$name};
	my ($s, $j) = map { "$dir/$name.$_" } qw(summary journal);
	my $r = gsgate({ limit => 900 }, 'run', map({ ref ? $_->() : $_ } @{ $runs{$name} }), '--summary', $s, '--journal', $j);
	$r->{journal} = read_file($j) // '';
	$r->{summary} = decode(read_file($s)) // {};
	return $done{$name} = $r;
}

# Sanitizers cost time and memory that nobody measures; what is promised of speed is promised of engine kvm.
sub need_speed {
	need_kvm('speed is measured with KVM only');
	skip_claim('a build with sanitizers is not measured') if $ENV{SANITIZED};
}

# What a run prints apart from what depends on time.
sub timeless {
	return grep { !m{/s\b|^# speed} } lines_of($_[0]{out});
}

sub first_difference {
	my ($a, $b) = @_;
	my @b = @$b;
	for (@$a) {
		my $other = shift(@b) // '(nothing)';
		return "\"$_\" and \"$other\"" if $_ ne $other;
	}
	return @b ? "\"$b[0]\" is one too many" : ();
}

# Does the scenario of this file ask something of the host?
sub needs { return read_file($_[0]) =~ /^needs\b/m }

# --- the whole run ---
claim('the main job: exit 0, nothing on stderr', sub {
	my $r = the('two');
	return grep { $_ } $r->{status} ne 0 && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}";
});
claim('its output is TAP 13: plan first, points as planned, no name twice, subtests agree with their points',
	sub { tap_problems(the('two')->{out}) });
claim('prove accepts the output', sub {
	my $path = write_file("$dir/output", the('two')->{out});
	my $said = `prove --norc --exec cat '$path' 2>&1`;
	return $? ? "prove: $said" : ();
});
claim('two runs have the same journal', sub {
	my ($a, $b) = (the('part'), the('again'));
	return length $a->{journal} ? first_difference([lines_of($a->{journal})], [lines_of($b->{journal})]) : 'it is empty';
});
claim('one job and two have the same journal',
	sub { first_difference([lines_of(the('few')->{journal})], [lines_of(the('one')->{journal})]) });
claim('two runs, and one job and two, print the same but for the speed', sub {
	return map { first_difference([timeless(the($_->[0]))], [timeless(the($_->[1]))]) } [qw(few one)], [qw(part again)];
});
claim('the journal: a case id and a hash a line, no case twice, as many as there were injections', sub {
	my ($r, %seen) = the('two');
	my @lines = lines_of($r->{journal});
	return (@lines == $r->{summary}{injections} ? () : @lines . " lines, $r->{summary}{injections} injections",
		grep { !m{^[\w.-]+/(?:swapgs|ist|lsl|pure)/u-[\w-]+/(?:cpu[01][.])?[\w.\@+-]+\+0x[0-9a-f]+\@\d+:(?:(?:nmi|mce|db)(?:[.]resched)?|irq|timer|gp|pf)(?:,cpu[01]\@\d+)? [0-9a-f]{16}$}
			|| $seen{ (split ' ')[0] }++ } @lines);
});
claim('a part of the run writes those lines of the whole journal that it asks for', sub {
	my @whole = grep { m{^(?:syscall|gs)/\w+/u-(?:small|negative)/} } lines_of(the('two')->{journal});
	return first_difference(\@whole, [lines_of(the('part')->{journal})]);
});
claim('the summary has every key of the contract', sub {
	my $s = the('two')->{summary};
	return map { exists $s->{$_} ? () : "no $_" } @keys;
});
for my $name (qw(two part)) {
	claim("boundaries = injected + deferred + unreached ($name)", sub {
		my $s = the($name)->{summary};
		my $sum = $s->{boundaries_injected} + $s->{boundaries_deferred} + @{ $s->{boundaries_unreached} };
		return grep { $_ } $s->{boundaries} != $sum && "$s->{boundaries} boundaries, the sum is $sum",
			!$s->{boundaries_injected} && 'nothing injected';
	});
}
claim('every unreached boundary has a reason of the closed list', sub {
	return 'no list in vmm/coverage.c' if !%is_reason;
	return map { $is_reason{ $_->{reason} } || @whole && $_->{reason} eq 'not-asked' ? () : "$_->{boundary}: $_->{reason}" }
		@{ the('two')->{summary}{boundaries_unreached} };
});
claim('all nine canaries are caught, and the first point says so', sub {
	my $r = the('two');
	my @canaries = @{ $r->{summary}{canaries} // [] };
	return (@canaries == 9 ? () : @canaries . ' canaries', map({ $_->{caught} ? () : "not caught: $_->{name}" } @canaries),
		$r->{out} =~ /^ok 1 - canaries 9\/9$/m ? () : 'no point "canaries 9/9"');
});
claim('every rule is checked, and broken by nothing, or is skipped for a reason', sub {
	my $s = the('two')->{summary};
	my %skipped = map { $_->{what} => $_->{reason} } @{ $s->{skipped} };
	return (map({ length($_->{reason} // '') ? () : "no reason: $_->{what}" } @{ $s->{skipped} }), map {
		my ($rule, $why) = ($s->{rules}{$_}, $skipped{"rule $_"});
		($rule && $rule->{checked} > 0 ? $why && "$_ is checked and skipped" : $why ? '' : "$_: not checked, not skipped") || (),
			$rule && $rule->{broken} ? "$_: $rule->{broken} broken" : ()
	} @rules);
});
claim('there are injections, no violations, and nothing is unfinished', sub {
	my $s = the('two')->{summary};
	return grep { $_ } !$s->{injections} && 'no injection', @{ $s->{violations} } && 'violations',
		$s->{units_unfinished} && "$s->{units_unfinished} unfinished";
});
claim('predicted deaths: as many as there are cases of gp and pf, a point for each that a scenario declares', sub {
	my $r = the('two');
	my %deaths = %{ $r->{summary}{deaths} // {} };
	my $fatal = grep { /:(?:gp|pf) / } lines_of($r->{journal});
	my %skipped = map { $_->{what} => 1 } @{ $r->{summary}{skipped} };
	my %asked = map { $_ => 1 } @{ $r->{summary}{scenarios} };
	my @declared = map { my ($s) = m{([^/]+)\.scn$}; map { "$s: $_" } split /[\s,]+/, (read_file($_) =~ /^deaths\s*=\s*(.+?)\s*$/m)[0] // '' }
		grep { m{([^/]+)\.scn$} && $asked{$1} && !($skipped{$1} && needs($_)) } <scenarios/*.scn>;
	my ($line) = $r->{out} =~ /^# of these predicted deaths (\d+)/m;
	my $sum = 0;
	$sum += $_ for values %deaths;
	return (map({ my $name = $_; $r->{out} =~ /^ok \d+ - death \Q$name\E$/m ? () : "no point: $name" } @declared),
		grep { $_ } join(' ', sort keys %deaths) ne 'mcip no-ist same-ist' && "deaths: @{[sort keys %deaths]}", !@declared && 'none declared',
		!$fatal && 'no such case', ($deaths{'no-ist'} // 0) != $fatal && "no-ist $deaths{'no-ist'}, such cases $fatal",
		$sum != ($line // -1) && "$sum in the summary, another number in the output");
});
claim('a case takes less than 500 kernel instructions', sub {
	my $n = the('two')->{summary}{kernel_instructions_per_injection};
	return $n > 0 && $n < 500 ? () : $n;
});
# Under pure every SWAPGS ends the run of the guest, and with two CPUs every turn.
claim('injections a second are at least a hundredth of the floor', sub {
	need_speed();
	my $s = the('two')->{summary};
	return $s->{injections_per_second} * 100 >= $s->{floor_exits_per_second} ? ()
		: "$s->{injections_per_second}, the floor is $s->{floor_exits_per_second}";
});
claim('the run takes less than six minutes with two jobs (three are measured), and says how long', sub {
	need_speed();
	my $r = the('two');
	return grep { $_ } $r->{seconds} >= 360 && "$r->{seconds} s",
		abs($r->{seconds} - $r->{summary}{seconds}) > 1 && "took $r->{seconds} s, says $r->{summary}{seconds}";
});
claim('the run needs less than 200 MB', sub {
	need_speed();
	my $kb = the('two')->{rss};
	return $kb && $kb < 200 << 10 ? () : "$kb kB";
});
claim('the summary repeats the seed that was given, the largest too', sub {
	return map {
		my $r = gsgate(qw(run syscall --scheme ist --gs u-small --event nmi --seed), $_, '--summary', "$dir/seed");
		my ($said) = (read_file("$dir/seed") // '') =~ /"seed": (-?\d+)/;
		$r->{status} eq 2 || ($said // '') eq $_ ? () : "--seed $_ is \"" . ($said // '') . '"'
	} '0', '9223372036854775807', '18446744073709551615';
});

# --- user GS that a scheme cannot meet ---
for (['u-negative', 'exception'], ['u-other-k', 'syscall']) {
	my ($gs, @part) = @$_;
	claim("swapgs with FSGSBASE left on and $gs, asked for by name: broken by handler-gs, exit 1", sub {
		my $r = gsgate('run', @part, '--scheme', 'swapgs', '--gs', $gs, '--summary', "$dir/bug2");
		my $s = decode(read_file("$dir/bug2")) // {};
		my (%counts, %by);
		%by = map { $_->{rule} => 1 } @{ $s->{violations} };
		return (tap_problems($r->{out}, \%counts), grep { $_ } $r->{status} ne 1 && "exit $r->{status}",
			!$by{'handler-gs'} && 'handler-gs is not broken', keys %by > 1 && "rules: @{[sort keys %by]}",
			!$counts{broken} && 'no point is not ok', $s->{rules}{'handler-gs'}{broken} != @{ $s->{violations} }
				&& 'the count of the rule is not that of the violations');
	});
}
claim('swapgs with u-own-k is refused', sub {
	return map { refused(2, qr/u-own-k/, qw(run --scheme swapgs --gs), $_) } 'u-own-k', 'u-small,u-own-k';
});
claim('u-negative without a scheme runs all but swapgs, and is green', sub {
	my $r = gsgate(qw(run syscall --gs u-negative --summary), "$dir/green");
	my $schemes = join ' ', @{ (decode(read_file("$dir/green")) // {})->{schemes} // [] };
	return (tap_problems($r->{out}), grep { $_ } $r->{status} ne 0 && "exit $r->{status}",
		$schemes ne 'ist lsl pure' && "schemes: $schemes", $r->{out} =~ /swapgs/ && 'swapgs is spoken of');
});

# --- early ends ---
# A run that ended early: what it printed is a valid beginning, and its files are complete or not there.
sub partial {
	my ($r, $where) = @_;
	my @lines = lines_of($r->{out});
	my ($bail) = grep { $lines[$_] =~ /^Bail out!/ } 0 .. $#lines;
	my ($plan, @points) = (grep({ /^1\.\.\d+$/ } @lines), grep { /^(?:not )?ok \d+/ } @lines);
	my @files = grep { -e } map { "$where/$_" } qw(summary journal);
	return grep { $_ } !$r->{sent} && 'it ended before the signal', ($lines[0] // '') ne 'TAP version 13' && 'no TAP version 13',
		!defined $bail && 'no "Bail out!"', !$plan && 'no plan',
		defined $bail && grep({ !/^#/ } @lines[$bail + 1 .. $#lines]) && 'results after "Bail out!"',
		grep({ /^not ok/ } @points) && 'a point is "not ok"', length $r->{err} && "stderr: $r->{err}",
		grep({ /summary$/ && !decode(read_file($_)) } @files) && 'the summary is no JSON',
		map({ "left behind: $_" } leftovers($where, qw(summary journal)));
}
my %moment = (
	'while it maps' => sub { $_[1] > ($slow ? 2 : 0.3) },
	'while it injects' => sub { $_[0] =~ /^ok 2 /m },
);
for ([INT => 130], [TERM => 143]) {
	my ($signal, $status) = @$_;
	for my $moment (sort keys %moment) {
		claim("SIG$signal $moment: exit $status, a valid partial, nothing half-written", sub {
			mkdir my $where = "$dir/$signal$moment";
			my $r = gsgate({ signal => $signal, when => $moment{$moment} }, 'run', @whole, '--summary', "$where/summary",
				'--journal', "$where/journal");
			return ($r->{status} eq $status ? () : "exit $r->{status}", partial($r, $where));
		});
	}
}
claim('nobody reads the output any more: it stops at once, without a core and without leftovers', sub {
	mkdir my $where = "$dir/pipe";
	my $pid = open my $out, '-|', $gsgate, 'run', @whole, '--summary', "$where/summary", '--journal', "$where/journal" or die "$!\n";
	my $line = <$out>;
	while (<$out>) { last if /^ok 2 / }     # up to a unit: what it says next finds nobody
	my $began = time;
	my $closed = close $out;        # waits for it
	return grep { $_ } $line ne "TAP version 13\n" && "the first line is $line", $? & 128 && 'it dumped core',
		$closed && 'exit 0', ($? & 127) && ($? & 127) != 13 && "signal $?", time - $began > 10 && 'it went on',
		-e "$where/summary" && !decode(read_file("$where/summary")) && 'the summary is no JSON', map({ "left behind: $_" } leftovers($where, qw(summary journal)));
});
claim('out of time: exit 4, all points there, and the summary tells of unfinished units', sub {
	my $r = gsgate(qw(run --time 1 --summary), "$dir/time");
	my $s = decode(read_file("$dir/time")) // {};
	return (tap_problems($r->{out}), grep { $_ } $r->{status} ne 4 && "exit $r->{status}", !$s->{units_unfinished}
		&& 'no unit is unfinished', length $r->{err} && "stderr: $r->{err}");
});
claim('a time limit that is long enough changes the order of the work and nothing else: the journal, the output', sub {
	my ($a, $b) = (the('part'), the('ranked'));
	return (first_difference([lines_of($a->{journal})], [lines_of($b->{journal})]), first_difference([timeless($a)], [timeless($b)]),
		$b->{summary}{fraction} == 1 ? () : "fraction $b->{summary}{fraction}");
});
claim('out of time: the fraction done is said, in the output and the summary, and is that of the cases', sub {
	my $r = the('cut');
	my $s = $r->{summary};
	my ($said, $after) = $r->{out} =~ /^# (\d+) % of the planned cases done: cut after (\d+) s; the rest is not judged$/m;
	my $units = () = $r->{out} =~ /^# Subtest: /mg;
	my $done = $s->{cases_planned} ? $s->{injections} / $s->{cases_planned} * ($units - $s->{units_unmapped}) / $units : 0;
	return grep { $_ } $r->{status} ne 4 && "exit $r->{status}", !defined $said && 'the output does not say it', !defined $s->{fraction} && 'no fraction',
		!$s->{injections} && 'nothing was injected', $s->{injections} != lines_of($r->{journal}) && 'the journal has another number of cases',
		abs($s->{fraction} - $done) > 1e-5 && "fraction $s->{fraction}, done $done", int(100 * $s->{fraction}) != ($said // -1) && "said $said, summary $s->{fraction}";
});
claim('out of time: no point is ok that has a case left, nor one of a unit that was not mapped', sub {
	my ($r, %left) = (the('cut'));
	my %ran = map { (split ' ')[0] => 1 } lines_of($r->{journal});
	my %points;         # of the whole run: unit => symbol and event => its cases
	for (map { (split ' ')[0] } lines_of(the('two')->{journal})) {
		m{^([^/]+/[^/]+/[^/]+)/(?:cpu[01][.])?(.+)\+0x[0-9a-f]+\@\d+:([^,]+)} or next;
		$left{"$1 $2 $3"}++ if !$ran{$_};
	}
	my ($unit, @wrong) = ('');
	for (lines_of($r->{out})) {
		$unit = $1 if /^# Subtest: (.*)/;
		push @wrong, "$unit: $1" if /^    ok \d+ - (\S+ \S+)$/ && $left{"$unit $1"};
	}
	return (%left ? () : 'nothing was left', @wrong);
});
claim('out of time: windows and user code have come first', sub {
	my ($r, %by) = (the('cut'));
	$by{ (split '/')[2] }++ for lines_of($r->{journal});
	my %whole;
	$whole{ (split '/')[2] }++ for lines_of(the('two')->{journal});
	my ($small, $zero) = map { ($by{$_} // 0) / $whole{$_} } 'u-small', 'u-zero';
	return $small > $zero ? () : "u-small $small, u-zero $zero";
});
claim('--time limits the whole run, the mapping too', sub {
	my $r = gsgate(qw(run --time 1 --jobs 1));
	return $r->{seconds} < ($slow ? 4 : 2) ? () : "took $r->{seconds} s";
});
claim('--strict: a run that is good but for a skip ends with exit 4', sub {
	my $r = gsgate(qw(run gs flags --scheme ist --gs u-small --event irq --strict --summary), "$dir/strict");
	my $must = @{ (decode(read_file("$dir/strict")) // {})->{skipped} // [] } ? 4 : 0;
	return $r->{status} eq $must ? () : "exit $r->{status}, must be $must";
});

run_claims();
