#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# agree.t: engines kvm and qemu come to the same boundaries with the same state, and each case to the same verdict, but for tap/differences.
#
# The map is compared for all scenarios of one CPU. Cases are compared for a part of them; with LONG=1 in the environment (check-engines) for all of
# them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my @engines = qw(kvm qemu);
my @gs = qw(--gs u-small);
# At every boundary an NMI: an #MC or a #DB comes at the same ones, and engine qemu needs its time. It would cut the run by itself after five minutes.
my @events = ('--event', 'nmi,irq,timer,gp,pf', '--time', $ENV{LONG} ? 7000 : 900);
# Engine qemu has one CPU.
my @mapped = map { m{([^/]+)\.scn$} && read_file($_) !~ /^cpus\s*=\s*2/m ? $1 : () } <scenarios/*.scn>;
# What only one of them may run would be in the sums.
my @whole = map { m{([^/]+)\.scn$} && read_file($_) !~ /^needs\b|^cpus\s*=\s*2/m ? $1 : () } <scenarios/*.scn>;
my @part = $ENV{LONG} ? @whole : qw(context counters preempt syscall);
# Cases of which all that replay shows is compared.
my @replayed = map { "syscall/$_" } 'ist/u-small/entry_SYSCALL_64+0x0@1:nmi', 'swapgs/u-small/user_syscall+0x25@1:db',
	'ist/u-negative/exit_to_user_sysret+0x1f@1:mce', 'swapgs/u-small/entry_SYSCALL_64+0x0@1:gp', 'ist/u-own-k/entry_SYSCALL_64+0x3@1:irq',
	'ist/u-small/entry_SYSCALL_64+0x0@1:nmi.resched';   # its handler writes to a port
my @differences = listed_differences();
# A line with several facts has a test for each.
my %facts;
$facts{ $_->{name} }++ for @differences;
$_->{test} = $facts{ $_->{name} } > 1 ? "$_->{name} $_->{fact}" : $_->{name} for @differences;
my (%run, %seen_at, %shows);

sub both {
	skip_claim('verdicts do not depend on sanitizers') if $ENV{SANITIZED};
	need_kvm('there is nothing to compare with');
	skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)') if !grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
}

# One command on both engines, once: { kvm => ..., qemu => ... }.
sub on_both {
	my ($command, @args) = @_;
	both();
	return $run{"$command @args"} //= { map { $_ => one($_, $command, @args) } @engines };
}

sub one {
	my ($engine, $command, @args) = @_;
	my ($s, $j) = ("$dir/summary", "$dir/journal");
	my $r = gsgate({ limit => $ENV{LONG} ? 7200 : 1000 }, $command, @args, '--engine', $engine, $command eq 'run' ? ('--summary', $s, '--journal', $j) : ());
	return $r if $command ne 'run';
	$r->{summary} = decode(read_file($s)) // {};
	$r->{journal} = read_file($j) // '';
	return $r;
}

sub cases {
	return on_both('run', @part, @gs, @events);
}

sub fact {
	my ($engine, $name) = @_;
	my $host = cases()->{$engine}{summary}{host} // {};
	die "engine $engine does not tell the fact $name\n" if !exists $host->{$name};
	return $host->{$name} ? 1 : 0;
}

# Is it so on this host? Its effects may be seen if only one engine does it.
sub holds {
	my ($d) = @_;
	return $d->{fact} ? fact($d->{who}, $d->{fact}) == $d->{value} : !$shows{ $d->{test} }->($d->{who});
}

sub parts_them {
	my ($d) = @_;
	return $d->{fact} && fact('kvm', $d->{fact}) != fact('qemu', $d->{fact});
}

sub explained {
	my ($where) = @_;
	my @by = grep { $_->{where} && $where =~ $_->{where} && parts_them($_) } @differences;
	$seen_at{ $_->{test} } = $where for @by;
	return scalar @by;
}

# Two sets { what => [where, text] }: what is in one only, or otherwise, and is not explained.
sub compare {
	my ($kvm, $qemu) = @_;
	my %all = (%$kvm, %$qemu);
	my @against = !%$kvm ? 'nothing to compare' : ();
	for my $what (sort keys %all) {
		my @text = map { $_->{$what} ? $_->{$what}[1] : 'nothing' } $kvm, $qemu;
		push @against, "$what: kvm: $text[0]; qemu: $text[1]" if $text[0] ne $text[1] && !explained($all{$what}[0]);
	}
	return @against;
}

sub where {
	my ($id) = @_;
	return $id =~ s/\+0x.*//sr;
}

sub map_of {
	my ($engine) = @_;
	my %lines;
	for (lines_of(on_both('list', '--boundaries', @mapped, @gs)->{$engine}{out})) {
		$lines{$1} = [where($1), $2] if /^([^#\s]\S+) (.*)/;
		$lines{"golden run of $1"} = ["$1/golden", $2] if m{^# (\S+/\S+/\S+): \d+ visits, (golden run \w+)$};
	}
	return \%lines;
}

sub journal_of {
	my ($engine) = @_;
	return { map { my ($id) = split ' '; ($id => [where($id), 'injected']) } lines_of(cases()->{$engine}{journal}) };
}

# Of the #GP and #PF that only this engine injects, where it comes to other places: each is a death for want of an IST.
sub deaths_of_its_own {
	my ($engine) = @_;
	my ($mine, $others) = map { journal_of($_) } $engine, grep { $_ ne $engine } @engines;
	return scalar grep { /:(?:gp|pf)$/ && !$others->{$_} } keys %$mine;
}

sub violations_of {
	my ($engine) = @_;
	my $s = cases()->{$engine}{summary};
	my %deaths = %{ $s->{deaths} };
	$deaths{'no-ist'} -= deaths_of_its_own($engine) if exists $deaths{'no-ist'};
	return { map({ ($_->{case} => [where($_->{case}), "$_->{rule}: $_->{detail}"]) } @{ $s->{violations} }),
		map({ ("canary $_->{name}" => ['canary', $_->{caught} ? "caught by $_->{rule}" : 'not caught']) } @{ $s->{canaries} }),
		map({ ("death $_" => ['death', $deaths{$_}]) } keys %deaths) };
}

sub points_of {
	my ($engine) = @_;
	my ($unit, %points) = '';
	for (lines_of(cases()->{$engine}{out})) {
		$unit = "$1/" if /^# Subtest: (\S+)/;
		my ($indent, $ok, $name) = /^( *)((?:not )?ok) \d+ - (.*)/ or next;
		my $inner = $indent && $unit;
		$points{"point $inner$name"} = [$inner . ($name =~ s/ \S+\z//r), $ok];
	}
	return \%points;
}

# What replay shows. The engines count the instruction of a port access differently: once, or once more for its second half.
sub shown {
	my ($r) = @_;
	return map { s/^(.) +[-+]?\d+  /$1 /r =~ s/^( +\.\.\. +)\d+ /$1/r =~ s/ +/ /gr } lines_of($r->{out});
}

# --- what each difference is, on one engine by itself: 1 or 0, as the fact is; without a fact 1 if it is as the manual says ---
sub comes_to {
	my ($engine, $scenario, $symbol) = @_;
	return (grep { m{^$scenario/.*/\Q$symbol\E\+0x0\@} } keys %{ map_of($engine) }) ? 1 : 0;
}

# The line of a trace that is about to execute this.
sub traced {
	my ($engine, $case, $place, @options) = @_;
	my ($line) = grep { /^.\s+[-+]?\d+  \Q$place\E / } lines_of(on_both('replay', $case, @options)->{$engine}{out});
	return $line // die "$case on $engine does not come to $place\n";
}

# The rules that expect what the fact says have been asked, and were not broken: in a run of this scenario, or in the one that there is anyway.
sub judged {
	my ($engine, $scenario) = @_;
	my $r = (grep({ $_ eq $scenario } @part) ? cases() : on_both('run', $scenario, qw(--gs u-small --event irq)))->{$engine};
	my $frame = $r->{summary}{rules}{frame} // {};
	die "engine $engine, $scenario: exit $r->{status}\n" if $r->{status} ne 0 || !$frame->{checked} || $frame->{broken};
	return $r->{summary}{host};
}

%shows = (
	'absent-ss' => sub { !comes_to($_[0], 'bad-iret', 'asm_exc_stack_segment') || 0 },
	'no-ud' => sub { comes_to($_[0], 'fallback', 'asm_exc_invalid_op') },
	'no-debug watchpoints_fire' => sub { comes_to($_[0], 'watch', 'asm_exc_debug_ist') },
	'no-debug breakpoints_fire' => sub { comes_to($_[0], 'breakpoints', 'asm_exc_debug_ist') },
	'no-int3' => sub { comes_to($_[0], 'breakpoint-kernel', 'asm_exc_breakpoint') },
	'nt-lost' => sub {
		my ($r11) = traced($_[0], 'flags/ist/u-small/entry_SYSCALL_64+0x0@1:nmi', 'entry_SYSCALL_64+0x0') =~ /R11=0x([0-9a-f]+)/;
		return hex($r11) >> 14 & 1;
	},
	'gate-ac' => sub { traced($_[0], 'flags/ist/u-small/user_flags+0x17@1:nmi', 'asm_exc_nmi_ist+0x0') !~ / AC-/ || 0 },
	# #UD of user code; #GP of the IRET, or of the fetch behind it: the judge of the golden run takes nothing else.
	'fault-rf' => sub { judged($_[0], 'exception')->{faults_set_rf} ? 1 : 0 },
	'iret-rip' => sub { judged($_[0], 'set-rip')->{iret_checks_rip} ? 1 : 0 },
	'syscall-df' => sub {
		my $kernel = 'build/broken/47-fmask-without-df/guest.elf';
		skip_claim("there is no $kernel (make broken)") if !-e $kernel;
		return traced($_[0], 'flags/ist/u-small/entry_SYSCALL_64+0x0@1:nmi', 'entry_SYSCALL_64+0x0', '--kernel', $kernel) !~ / DF-/ || 0;
	},
	'assisted lsl_native' => sub { judged($_[0], 'syscall')->{lsl_native} ? 1 : 0 },
	'assisted syscall_native' => sub { judged($_[0], 'syscall')->{syscall_native} ? 1 : 0 },
	'assisted int_native' => sub { judged($_[0], 'compat')->{int_native} ? 1 : 0 },
);

claim('the list: at most ten, each with a test of its own', sub {
	my %listed = map { $_->{test} => 1 } @differences;
	return (keys %facts <= 10 ? () : keys(%facts) . ' differences', map { $listed{$_} && $shows{$_} ? () : $_ } sort keys %{ { %listed, %shows } });
});
claim('no fact of a host differs between the engines but those on the list', sub {
	my %listed = map { ($_->{fact} // '') => 1 } @differences;
	my $hosts = cases();
	return map { $_ eq 'kernel' || $listed{$_} || fact('kvm', $_) == fact('qemu', $_) ? () : $_ } sort keys %{ $hosts->{kvm}{summary}{host} };
});
claim('both runs are good', sub {
	my $r = cases();
	return map { $r->{$_}{status} eq 0 ? () : "engine $_: exit $r->{$_}{status}: $r->{$_}{err}" } @engines;
});
claim('the same map: A, I, CPL, stack, flags and what is injected at every boundary', sub { compare(map { map_of($_) } @engines) });
claim('the same cases', sub { compare(map { journal_of($_) } @engines) });
claim('the same verdicts, canaries and deaths', sub { compare(map { violations_of($_) } @engines) });
claim('the same test points', sub { compare(map { points_of($_) } @engines) });
for my $case (@replayed) {
	claim("the same to be seen of $case", sub {
		my $r = on_both('replay', $case);
		my ($kvm, $qemu) = map { [shown($r->{$_})] } @engines;
		return map { ($kvm->[$_] // 'nothing') eq ($qemu->[$_] // 'nothing') ? () : "kvm: $kvm->[$_]", "qemu: " . ($qemu->[$_] // 'nothing') }
			grep { ($kvm->[$_] // '') ne ($qemu->[$_] // '') } 0 .. ($#$kvm > $#$qemu ? $#$kvm : $#$qemu);
	});
}
for my $d (@differences) {
	claim("difference $d->{test}: $d->{what}", sub {
		both();
		my $test = $shows{ $d->{test} } // return 'it has no test';
		my @against = !$d->{fact} ? () : map { $test->($_) == fact($_, $d->{fact}) ? () : "engine $_: $d->{fact} is not as its own test shows" } @engines;
		return @against if @against;
		skip_claim("this host's KVM does as the manual says") if !holds($d) && $d->{who} eq 'kvm';
		return 'it is not so any more' if !holds($d);
		return $d->{where} && $d->{fact} && parts_them($d) && !$seen_at{ $d->{test} } ? 'nothing is seen of it' : ();
	});
}

run_claims();
