#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# doctor.t: gsgate doctor says of each thing that matters whether this host does it, what follows, and what helps.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

# What must be told, by a word of it => that word.
my %told = (
	'exactness of stops' => qr/stops at CPL 0 are exact/, 'stops at CPL 3' => qr/stops at CPL 3/, 'SYSCALL' => qr/SYSCALL without/,
	'SYSRET with TF' => qr/SYSRET restores RFLAGS.TF/, 'FSGSBASE' => qr/WRGSBASE in a guest/,
	'FSGSBASE off' => qr/CR4.FSGSBASE = 0/, 'LSL' => qr/LSL in a guest/, 'kernel watchpoints' => qr/watchpoints fire at CPL 0/,
	'IRET' => qr/IRET looks at RIP/, 'user watchpoints' => qr/watchpoints fire at CPL 3/, 'AC' => qr/RFLAGS.AC/, 'NT' => qr/RFLAGS.NT/,
	'dirty log' => qr/dirty page log/, 'machine checks' => qr/machine checks/, 'interrupts' => qr/interrupts without an irqchip/,
);
my $first;

sub doctor {
	need_engine();
	return $first //= gsgate('doctor');
}

# The fact's line in the output, "yes" or "no" first.
sub fact {
	my ($r, $about) = @_;
	return (grep { /^(?:yes|no) / && /$about/ } lines_of($r->{out}))[0] // '';
}

claim('doctor: exit 0 if the bench can work here, else 3; nothing on stderr', sub {
	my $r = doctor();
	return grep { $_ } $r->{status} !~ /^[03]$/ && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}";
});
claim('every line is an answer with its consequence, a remedy below a "no", or the floor', sub {
	my ($before, @against) = '';
	for (lines_of(doctor()->{out})) {
		push @against, "not understood: $_" if !/^(?:yes|no ) {2}\S.* \S|^     remedy: \S|^floor: \d+ exits/;
		push @against, "a remedy for what is not missing: $_" if /^ / && $before !~ /^no /;
		$before = $_;
	}
	return @against;
});
for my $what (sort keys %told) {
	claim("it tells about $what", sub { fact(doctor(), $told{$what}) ? () : 'no such line' });
}
claim('the answers are those that a run writes down of its host', sub {
	my $r = doctor();
	gsgate(qw(run syscall --scheme swapgs --gs u-small --event nmi --summary), "$dir/summary");
	my $host = (decode(read_file("$dir/summary")) // {})->{host} // return 'no summary';
	my %same = (fsgsbase => 'FSGSBASE', syscall_native => 'SYSCALL', user_keeps_nt => 'NT', gate_keeps_ac => 'AC',
		iret_checks_rip => 'IRET', fsgsbase_can_be_off => 'FSGSBASE off');
	return map {
		my $line = fact($r, $told{ $same{$_} });
		!exists $host->{$_} ? "the summary has no $_" : ($line =~ /^yes/) == !!$host->{$_} ? () : "$_: $line"
	} sort keys %same;
});
claim('the answers are the same each time', sub {
	my ($a, $b) = map { join "\n", grep { !/^floor/ } lines_of($_->{out}) } doctor(), gsgate('doctor');
	return $a eq $b ? () : 'they differ';
});

run_claims();
