#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# replay.t: gsgate replay repeats a case of the journal and shows every stop of it; what is no case is refused.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my $good = 'syscall/ist/u-small/entry_SYSCALL_64+0x0@1:nmi';
my @journal;

# The case ids that a run of a part wrote.
sub journal {
	need_engine();
	return @journal if @journal;
	gsgate(qw(run syscall usercopy --gs), 'u-small,u-negative', '--journal', "$dir/journal");
	return @journal = map { (split ' ')[0] } lines_of(read_file("$dir/journal"));
}

# The names of the stops in the table, in order.
sub stops {
	my ($r) = @_;
	return join ' ', map { /^\s+(\w+)\s+[03]\s+(?:0x[0-9a-f]+|0)\s/ ? $1 : () } lines_of($r->{out});
}

claim('cases of the journal replay: exit 0, no rule broken', sub {
	my @ids = journal();
	return 'the journal is empty' if !@ids;
	return map {
		my $r = gsgate('replay', $ids[$_ * $#ids / 11]);
		grep { $_ } $r->{status} ne 0 && "$r->{args}: exit $r->{status}", length $r->{err} && "$r->{args}: $r->{err}",
			$r->{out} !~ /no rule is broken/ && "$r->{args}: no verdict",
			index($r->{out}, $ids[$_ * $#ids / 11]) < 0 && "$r->{args}: its id is not printed"
	} 0 .. 11;
});
for my $at ('entry_SYSCALL_64+0x0@1', 'user_syscall+0x0@1') {
	claim("the table of a case at $at has its stops, in order", sub {
		need_engine();
		my %want = (nmi => 'boundary gate handler body return back', db => 'boundary gate handler body return back',
			mce => 'boundary gate handler body return back');
		return map {
			my $r = gsgate('replay', "syscall/ist/u-small/$at:$_");
			my ($got, $must) = (stops($r), $want{$_});
			$got eq $must ? () : "$_: $got, must be $must"
		} sort keys %want;
	});
}
claim('the table has A, I, K, U, CPL, RSP, and the same each time', sub {
	need_engine();
	my ($a, $b) = map { gsgate('replay', $good) } 1 .. 2;
	return (map({ $a->{out} =~ /\b$_\b/ ? () : "no $_" } qw(A I K U CPL RSP)), $a->{out} eq $b->{out} ? () : 'it differs');
});
claim('a case that breaks a rule: exit 1, the rule named, the table up to there', sub {
	need_engine();
	my $r = gsgate('replay', 'syscall/swapgs/u-negative/entry_SYSCALL_64+0x0@1:nmi');
	return grep { $_ } $r->{status} ne 1 && "exit $r->{status}", $r->{out} !~ /handler-gs/ && 'handler-gs is not named',
		stops($r) ne 'boundary gate handler' && stops($r);
});
claim('a predicted death: exit 0, its name, the table up to the gate, and no instruction behind that', sub {
	need_engine();
	my %gate = ('syscall' => 'asm_exc_general_protection', 'no-stack' => 'asm_exc_double_fault_swapgs');
	return map {
		my $r = gsgate('replay', "$_/swapgs/u-small/entry_SYSCALL_64+0x0\@1:gp");
		my ($last) = (lines_of($r->{out}))[-1];
		map({ "$r->{args}: $_" } grep { $_ } $r->{status} ne 0 && "exit $r->{status}", stops($r) ne 'boundary gate' && stops($r),
			$r->{out} !~ /death has come, no-ist: / && 'it is not named', $last !~ /^> +1 +\Q$gate{$_}\E\+0x0 / && "the last line is $last")
	} sort keys %gate;
});
claim('an event that is injected only as a death is refused where none is predicted', sub {
	need_engine();
	return map { refused(2, qr/nothing is injected there: no death is predicted/, 'replay', $_) }
		'syscall/ist/u-small/user_syscall+0x0@1:gp', 'syscall/ist/u-small/exit_to_user+0x0@1:gp', 'bad-iret/ist/u-small/exit_to_user_iretq+0x0@1:gp',
		'selector/ist/u-small/load_gs_mov+0x0@1:gp', 'bad-iret/ist/u-own-k/error_entry+0x0@1:gp';
});
claim('swapgs with u-own-k is refused here as it is by run', sub {
	need_engine();
	return refused(2, qr/u-own-k/, 'replay', 'syscall/swapgs/u-own-k/entry_SYSCALL_64+0x0@1:nmi');
});

# What is wrong with an id => ids made by one change of a good one.
my %wrong = (
	'an unknown symbol' => [[entry_SYSCALL_64 => 'nosuch'], [entry_SYSCALL_64 => '.L1']],
	'a visit that does not occur' => [['@1' => '@99'], ['@1' => '@4294967295'], [entry_SYSCALL_64 => 'nmi_body']],
	'a boundary inside an instruction, or elsewhere' => [['+0x0' => '+0x1'], ['+0x0' => '+0xffffffffffffffff'],
		[entry_SYSCALL_64 => 'percpu_areas']],
	'a bad visit' => [['@1' => '@0'], ['@1' => '@-1'], ['@1' => '@'], ['@1' => ''], ['@1' => '@1x'], ['@1' => '@4294967297']],
	'a bad offset' => [['+0x0' => ''], ['+0x0' => '+0'], ['+0x0' => '+0x'], ['+0x0' => '+0xg'], ['+0x0' => '-0x1'],
		['+0x0' => '+0x10000000000000000']],
	'an unknown event' => [[':nmi' => ':smi'], [':nmi' => ':'], [':nmi' => ''], [':nmi' => ':NMI'], [':nmi' => ':-']],
	'a chain' => [[':nmi' => ':nmi,asm_exc_nmi_ist+0x1@1:mce'], [':nmi' => ':nmi,']],
	'a CPU' => [['entry_' => 'cpu1.entry_']],
	'an unknown scheme' => [['/ist' => '/bogus'], ['/ist' => '/'], ['/ist' => '/rdpid']],
	'an unknown user GS' => [['u-small' => 'u-bogus'], ['u-small' => '']],
	'an unknown scenario' => [['syscall/' => 'nosuch/'], ['syscall/' => '/'], ['syscall/' => '../syscall/'],
		['syscall/' => 'syscall.scn/']],
	'parts that are missing' => [['syscall/' => ''], [$good => 'syscall'], [$good => ''], [$good => '////'],
		[$good => 'syscall/ist/u-small:-']],
	'characters that no id has' => [['+' => ' '], ['syscall' => "sys\ncall"], ['syscall' => "\xc3\xa4"], ['syscall' => '$(x)'],
		['syscall' => '%s%n']],
	'a length that no id has' => [['syscall' => 'x' x 300], [entry_SYSCALL_64 => 'x' x 300], ['syscall' => 'x' x 100000]],
);
for my $what (sort keys %wrong) {
	claim("an id with $what is refused", sub {
		need_engine();
		return map {
			my ($from, $to) = @$_;
			refused(2, undef, 'replay', $good =~ s/\Q$from\E/$to/r)
		} @{ $wrong{$what} };
	});
}
claim('replay takes one id', sub { map { refused(2, undef, 'replay', @$_) } [], [$good, $good] });
claim('a wrong kernel is refused', sub { refused(2, undef, 'replay', $good, '--kernel', "$dir/missing") });

run_claims();
