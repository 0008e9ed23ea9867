#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# trace.t: gsgate replay shows the instructions around an injection so that a window can be seen, and judges neighbours.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my $entry = 'syscall/ist/u-small/entry_SYSCALL_64+0x0@1';
my $user = 'syscall/ist/u-small/user_syscall+0x25@1';
# A guest of scheme swapgs takes a negative U for its own base: bug 2, without any patch.
my $bug = 'syscall/swapgs/u-negative/entry_SYSCALL_64+0x0@1:nmi';
my @good = map { ("$entry:$_", "$user:$_") } qw(nmi mce db);

# The lines below the trace's head, up to the neighbours; then those.
sub parts {
	my ($r) = @_;
	my (undef, $trace) = split /^  trace: .*\n/m, $r->{out}, 2;
	my ($lines, $neighbours) = split /^  neighbours .*\n/m, $trace // '', 2;
	my ($head, @lines) = lines_of($lines);
	return ($head, \@lines, [lines_of($neighbours)]);
}

# One line of the trace: its mark, number, place, instruction, CPL, A, I, stack, source and what changed.
sub cells {
	my ($line) = @_;
	my %c = (mark => substr $line, 0, 1);
	(undef, @c{qw(number place insn cpl a i stack source changed)}) = split /\s{2,}/, ' ' . substr($line, 1) =~ s/^\s*/  /r;
	$c{changed} //= '';
	return \%c;
}

sub is_step {
	my ($line) = @_;
	return $line !~ /^.\s*(?:--|\.\.\.)/;
}

# Calls check(cells, cells of the step before) for each step of a trace.
sub each_step {
	my ($id, $check) = @_;
	need_engine();
	my ($head, $lines) = parts(gsgate('replay', $id));
	my ($before, @against);
	return "$id: no trace" if !@$lines;
	for (grep { is_step($_) } @$lines) {
		my $c = cells($_);
		push @against, map { "$id: $_: $c->{number} $c->{place}" } $check->($c, $before);
		$before = $c;
	}
	return @against;
}

for my $id (@good) {
	claim("$id: eight boundaries, the event from its gate to its return, back, four more", sub {
		need_engine();
		my (undef, $lines) = parts(gsgate('replay', $id));
		my $text = join "\n", @$lines;
		my ($before, $event, $after) = split /^.\s+-- .*\n/m, $text;
		my ($name) = $id =~ /:(\w+)$/;
		my @before = map { cells($_)->{number} } lines_of($before);
		my @after = map { cells($_)->{number} } lines_of($after);
		return grep { $_ } "@before" !~ /^(?:-\d )+0$/ && "before: @before", "@after" ne '0 +1 +2 +3 +4' && "after: @after",
			$text !~ /-- $name\n/ && 'the event is not named', (lines_of($event))[0] !~ /\basm_exc_/ && 'no gate',
			(lines_of($event))[-1] !~ /\biretq\b/ && 'no return', (lines_of($after))[0] !~ /as it was$/ && 'not as it was';
	});
}
claim('a line is marked > exactly where A is not K at CPL 0', sub {
	return map { each_step($_, sub {
		my ($c) = @_;
		my $window = $c->{cpl} eq '0' && $c->{a} ne 'K' && $c->{a} ne 'K=U';
		return ($c->{mark} eq '>') == $window ? () : "mark '$c->{mark}', CPL $c->{cpl}, A $c->{a}";
	}) } @good, $bug, 'syscall/ist/u-own-k/entry_SYSCALL_64+0x0@1:nmi';
});
claim('a switch of A, I, CPL or stack is marked * in the line after it', sub {
	return map { each_step($_, sub {
		my ($c, $before) = @_;
		return () if !$before || $c->{changed} =~ /as it was/;
		return map {
			my ($column, $name) = @$_;
			$c->{$column} eq $before->{$column} || $c->{changed} =~ /\*$name / ? () : "$name switched and is not marked";
		} [cpl => 'CPL'], [a => 'A'], [i => 'I'], [stack => 'stack'];
	}) } @good;
});
claim('C code of the handler is folded, and every instruction is counted', sub {
	need_engine();
	return map {
		my $id = $_;
		my (undef, $lines) = parts(gsgate('replay', $id));
		my ($at, $folds, @against) = (0, 0);
		for (@$lines) {
			$folds++, $at += $1, next if /^.\s+\.\.\.\s+(\d+) instructions? in \w/;
			my $c = cells($_);
			next if !is_step($_) || $c->{number} !~ /^[1-9]/;
			push @against, "$id: number $c->{number}, must be " . ($at + 1) if $c->{number} != ++$at;
			push @against, "$id: C is not folded: $_" if $c->{source} !~ /(?:\.S|_gate\.h):\d+$/;
		}
		(@against, $folds ? () : "$id: nothing is folded");
	} @good;
});
claim('the trace of a broken case ends soon after the place where it breaks', sub {
	need_engine();
	my ($head, $lines) = parts(gsgate('replay', $bug));
	my @at = grep { $lines->[$_] =~ /<- broken here$/ } 0 .. $#$lines;
	return grep { $_ } @at != 1 && @at . ' places', @at && $#$lines - $at[0] > 5 && $#$lines - $at[0] . ' lines behind it',
		@at && $lines->[$at[0]] !~ /\bexc_nmi\+0x0\b/ && 'not at the handler';
});
claim('no line ends in blanks', sub {
	need_engine();
	return map { /\s$/ ? "\"$_\"" : () } lines_of(gsgate('replay', $good[0], '--around', 2)->{out});
});

# --- neighbours ---
sub distances {
	my (undef, undef, $lines) = parts($_[0]);
	return join ' ', map { /^.\s+([-+]?\d+)  \S+\@\d+ / ? $1 : () } @$lines;
}
claim('--around 3: three boundaries on each side, each with its state and its verdict', sub {
	need_engine();
	my $r = gsgate('replay', "$entry:nmi", '--around', 3);
	my (undef, undef, $lines) = parts($r);
	return grep { $_ } $r->{status} ne 0 && "exit $r->{status}", distances($r) ne '-3 -2 -1 0 +1 +2 +3' && distances($r),
		(grep { !/ CPL [03]  A=(?:K|U|other) +I=(?:K|U|other) +good$/ } @$lines[0 .. 6]) && 'a line without state or verdict',
		$lines->[7] !~ /^  0 of 7 / && 'no sum';
});
claim('--around stops at the first boundary', sub {
	need_engine();
	my $r = gsgate('replay', 'syscall/ist/u-small/user_syscall+0x0@1:db', '--around', 2);
	return distances($r) eq '0 +1 +2' ? () : distances($r);
});
claim('a good case with a broken neighbour: exit 1, and the neighbour says its rule', sub {
	need_engine();
	my $id = 'syscall/swapgs/u-negative/user_syscall+0x25@1:nmi';
	my ($alone, $r) = (gsgate('replay', $id), gsgate('replay', $id, '--around', 1));
	my (undef, undef, $lines) = parts($r);
	return grep { $_ } $alone->{status} ne 0 && "alone: exit $alone->{status}", $r->{status} ne 1 && "exit $r->{status}",
		$r->{out} !~ /no rule is broken/ && 'the case itself is not good',
		$lines->[2] !~ /^> +\+1  entry_SYSCALL_64\+0x0\@1 .* handler-gs is broken at the handler$/ && "says: $lines->[2]";
});
claim('--around wants a number from 1 to 1000, and belongs to replay', sub {
	return (map({ refused(2, qr/around/, 'replay', "$entry:nmi", '--around', $_) } '0', '-1', '1001', 'x', ''),
		refused(2, qr/around/, qw(list --around 1)));
});

# --- the image ---
claim('--image with the image_hash of the summary is taken, any other is refused', sub {
	need_engine();
	gsgate(qw(run syscall --scheme ist --gs u-small --event nmi --summary), "$dir/summary");
	my $hash = decode(read_file("$dir/summary"))->{image_hash};
	my $r = gsgate('replay', "$entry:nmi", '--image', $hash);
	return ($r->{status} eq 0 ? () : "exit $r->{status}: $r->{err}",
		refused(2, qr/hash/, 'replay', "$entry:nmi", '--image', '0123456789abcdef'),
		map { refused(2, qr/image/, 'replay', "$entry:nmi", '--image', $_) } '', 'x', '0x', '123456789abcdef01');
});

run_claims();
