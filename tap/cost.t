#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# cost.t: what a golden run executes, as the bench counts it, is what each scheme promises, above all of its context switch.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

all_need_engine();
my %ways;

# { scheme => { way => { instruction => how often each time } } }, of this scenario.
sub executed {
	my ($name, @args) = @_;
	if (!$ways{$name}) {
		my $r = gsgate('run', @args, qw(--event nmi --summary), "$dir/$name");
		die "exit $r->{status}: $r->{err}\n" if $r->{status} ne 0;
		for my $way (@{ decode(read_file("$dir/$name"))->{executed} }) {
			my ($scheme, $of, $times) = delete @$way{qw(scheme way times)};
			$ways{$name}{$scheme}{$of} = { map { $_ => $way->{$_} / $times } keys %$way };
		}
	}
	return $ways{$name};
}

# All that is not named is not executed.
sub differs {
	my ($ways, $scheme, $way, %times) = @_;
	my $seen = $ways->{$scheme}{$way} // return "no $way under $scheme";
	return map { my $want = delete $times{$_} // 0; $seen->{$_} == $want ? () : "$way under $scheme: $seen->{$_} $_, not $want" } sort keys %$seen;
}

# A scenario with other keys than its file has.
sub with {
	my ($name, @lines) = @_;
	return write_file("$dir/my-$name.scn", join "\n", read_file("scenarios/$name.scn"), @lines, '');
}

claim('a switch under pure touches neither the GS base nor, where threads have one, the selector', sub {
	my $tls = executed('tls', with('tls', 'shows = executed'), qw(--gs u-small));
	return differs(executed(qw(cost cost)), 'pure', 'context switch', RDFSBASE => 1, WRFSBASE => 1),
		differs($tls, 'pure', 'context switch', RDFSBASE => 1, WRFSBASE => 1),
		$tls->{pure}{'SYSCALL and a switch'}{'MOV GS'} ? () : 'the way out loads none',
		$tls->{swapgs}{'context switch'}{'MOV GS'} ? () : 'nor does a switch under swapgs';
});
claim('without a selector pure writes GS once on the way in and once on the way out, also behind a switch', sub {
	my $ways = executed(qw(cost cost))->{pure};
	return map { $ways->{$_}{WRGSBASE} == 2 && $ways->{$_}{RDGSBASE} == 1 ? () : "$_: $ways->{$_}{WRGSBASE} WRGSBASE" }
		'SYSCALL to SYSRET', 'SYSCALL and a switch', '#UD to IRET';
});
claim('a switch under the other schemes has the inactive base between SWAPGS, or by MSR without FSGSBASE', sub {
	my $ways = executed(qw(cost cost));
	return map({ differs($ways, $_, 'context switch', SWAPGS => 4, map { $_ => 1 } qw(RDFSBASE WRFSBASE RDGSBASE WRGSBASE)) } grep { $ways->{$_} } qw(ist lsl)),
		differs($ways, 'swapgs', 'context switch', WRMSR => 2);
});
claim('pure executes no SWAPGS', sub {
	my $ways = executed(qw(cost cost))->{pure} // return 'nothing';
	return map { $ways->{$_}{SWAPGS} ? "$_: $ways->{$_}{SWAPGS}" : () } sort keys %$ways;
});
claim('the switch of 2019 has its counts: 4 SWAPGS, RDMSR, WRMSR, and twice interrupts off', sub {
	return differs(executed('2019', with('switch-2019', 'shows = executed'), qw(--gs u-small)), 'ist', 'context switch',
		SWAPGS => 4, RDMSR => 1, WRMSR => 1, RDGSBASE => 1, WRGSBASE => 1, CLI => 2);
});

run_claims();
