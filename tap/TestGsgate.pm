# SPDX-License-Identifier: MIT
# TestGsgate.pm: what the tests of the command line share: starting gsgate under a limit, and reading what it printed.
package TestGsgate;
use strict;
use warnings;
use feature 'state';
use Exporter 'import';
use File::Temp 'tempdir';
use FindBin;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw($gsgate $guest $dir claim run_claims skip_claim need_kvm need_engine all_need_engine engine without_kvm gsgate refused
	refusal tap_problems read_file write_file decode lines_of leftovers listed_differences);
our $gsgate = $ENV{GSGATE} // 'build/gsgate';
our $guest = $ENV{GUEST_ELF} // 'build/guest.elf';
our $dir = tempdir(CLEANUP => 1);
my (@claims, $number);

# A claim is a sentence and a function that returns what speaks against it: nothing, or lines.
sub claim {
	my ($name, $check) = @_;
	push @claims, [$name, $check];
}

sub skip_claim {
	my ($why) = @_;
	die { skip => $why };
}

sub has_kvm {
	return -r '/dev/kvm' && -w _;
}

sub need_kvm {
	my ($why) = @_;
	skip_claim('/dev/kvm is not usable here' . ($why ? ": $why" : '')) if !has_kvm();
}

# The engine that a run takes here by itself, or none.
sub engine {
	return has_kvm() ? 'kvm' : (grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH}) ? 'qemu' : '';
}

sub need_engine {
	skip_claim('neither /dev/kvm nor qemu-system-x86_64 (Debian: qemu-system-x86) is usable here') if !engine();
}

sub all_need_engine {
	plan(skip_all => 'neither /dev/kvm nor qemu-system-x86_64 (Debian: qemu-system-x86) is usable here') if !engine();
}

# The words before a command that make it run as without /dev/kvm.
sub without_kvm {
	my $script = "$FindBin::Bin/without-kvm.sh";
	state $works = !system("$script true >/dev/null 2>&1");
	skip_claim('no mount namespace can be made here') if !$works;
	return $script;
}

sub run_claims {
	plan(tests => scalar @claims);
	for (@claims) {
		my ($name, $check) = @$_;
		my @against = eval { $check->() };
		if (ref $@) {
			SKIP: { skip("$name: $@->{skip}", 1) }
			next;
		}
		push @against, "the test died: $@" if $@;
		ok(!@against, $name);
		diag("  $_") for @against > 12 ? (@against[0 .. 11], '...') : @against;
	}
}

sub read_file {
	my ($path) = @_;
	open my $in, '<:raw', $path or return undef;
	return do { local $/; <$in> } // '';
}

sub write_file {
	my ($path, $text) = @_;
	open my $out, '>:raw', $path or die "$path: $!\n";
	print $out $text or die "$path: $!\n";
	close $out or die "$path: $!\n";
	return $path;
}

sub decode {
	my ($text) = @_;
	return eval { JSON::PP->new->decode($text // '') };
}

sub lines_of {
	my ($text) = @_;
	return split /\n/, $text // '';
}

# tap/differences, which says what its columns are; a line with several facts is one difference for each.
sub listed_differences {
	my ($n, @found) = 0;
	for (lines_of(read_file("$FindBin::Bin/differences"))) {
		$n++;
		next if /^#/;
		my ($name, $who, $fact, $manual, $where, $what, $more) = split / \| /;
		die "tap/differences:$n: not understood\n" if defined $more || !defined $what || $who !~ /^(?:kvm|qemu)$/ || $fact !~ /^(?:-|\w+=[01](?:,\w+=[01])*)$/;
		push @found, map { { name => $name, who => $who, manual => $manual, where => $where eq '-' ? undef : qr/\A(?:$where)\z/, what => $what,
			$_ eq '-' ? () : (fact => s/=.*//r, value => substr $_, -1) } } split /,/, $fact;
	}
	return @found;
}

# What lies in a directory besides the names that may.
sub leftovers {
	my ($where, @may) = @_;
	my %may = map { $_ => 1 } @may;
	opendir my $d, $where or die "$where: $!\n";
	return grep { !/^\.\.?$/ && !$may{$_} } readdir $d;
}

sub start {
	my ($o, @args) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	open STDIN, '<', '/dev/null' or POSIX::_exit(126);
	open STDOUT, '>', $o->{stdout} or POSIX::_exit(126);
	open STDERR, '>', $o->{stderr} or POSIX::_exit(126);
	POSIX::close(1) if $o->{closed};
	chdir $o->{cwd} or POSIX::_exit(126) if $o->{cwd};
	$ENV{$_} = $o->{env}{$_} for keys %{ $o->{env} // {} };
	exec { $o->{program} // $gsgate } 'gsgate', @args or POSIX::_exit(127);
}

sub peak_rss {
	my ($pid) = @_;
	my $status = read_file("/proc/$pid/status") // '';
	return $status =~ /^VmHWM:\s+(\d+)/m ? $1 : 0;
}

# Options: limit (seconds), signal and when (sent once when->(its output) is true), env, cwd, program, stdout (a file),
# closed (no stdout at all). The answer: status (or "signal N", "hang"), out, err, seconds, rss (kB), dumped.
# Without KVM the line that says so is taken off err, and is fell_back.
sub gsgate {
	my $o = ref $_[0] ? shift : {};
	my $n = ++$number;
	my %r = (args => "@_", rss => 0);
	$o = { limit => 150, stdout => "$dir/out.$n", stderr => "$dir/err.$n", %$o };
	$o->{limit} *= 4 if engine() eq 'qemu';
	$o->{limit} *= 10 if $ENV{SANITIZED};   # it says "hang", not "slow"
	my $began = time;
	my $pid = start($o, @_);
	my ($hung, $sent);
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		my $rss = peak_rss($pid);
		$r{rss} = $rss if $rss > $r{rss};
		if ($o->{signal} && !$sent && $o->{when}->(read_file($o->{stdout}) // '', time - $began)) {
			kill $o->{signal}, $pid;
			$sent = 1;
		}
		if (time - $began > $o->{limit}) {
			kill 'KILL', $pid;
			$hung = 1;
		}
		sleep 0.01;
	}
	my $status = $?;
	@r{qw(seconds dumped sent)} = (time - $began, $status & 128, $sent);
	$r{status} = $hung ? 'hang' : $status & 127 ? 'signal ' . ($status & 127) : $status >> 8;
	$r{out} = -f $o->{stdout} ? read_file($o->{stdout}) : '';
	$r{err} = read_file($o->{stderr});
	$r{fell_back} = $r{err} =~ s{\A(gsgate: /dev/kvm: [^\n]*); engine qemu takes its place\n}{} ? $1 : '' if engine() eq 'qemu';
	return \%r;
}

# What speaks against: one line on stderr that begins "gsgate: ", nothing on stdout, this exit status.
sub refusal {
	my ($r, $status, $says) = @_;
	my @against;
	push @against, "exit $r->{status}, must be $status" if $r->{status} !~ /^(?:$status)$/;
	push @against, 'stderr is not one line: ' . substr($r->{err}, 0, 300) =~ s/\n/\\n/gr
		if $r->{err} !~ /^gsgate: \S[^\n]*\n\z/;
	push @against, 'stdout has ' . length($r->{out}) . ' bytes, the first: ' . substr($r->{out}, 0, 40) =~ s/\n/\\n/gr
		if length $r->{out};
	push @against, "stderr does not say $says: $r->{err}" if defined $says && $r->{err} !~ $says;
	return map { "gsgate $r->{args}: $_" =~ s/\n/\\n/gr } @against;
}

sub refused {
	my ($status, $says, @args) = @_;
	return refusal(gsgate({ limit => 20 }, @args), $status, $says);
}

# The points of one level of TAP; a subtest is judged where its point stands. Returns [count, broken] through $sum.
sub level {
	my ($lines, $indent, $against, $seen) = @_;
	my ($plan, $count, $broken, $inner) = (undef, 0, 0, undef);
	while (@$lines) {
		my $line = $lines->[0];
		last if $line !~ /^ {$indent}/;
		if ($line =~ /^ {$indent} {4}(?:1\.\.|(?:not )?ok)/) {
			$inner = level($lines, $indent + 4, $against, {});
			next;
		}
		shift @$lines;
		if ($line =~ /^ {$indent}1\.\.(\d+)$/) {
			push @$against, "the plan does not come first: $line" if $count || defined $plan;
			$plan = $1;
		} elsif ($line =~ /^ {$indent}(not )?ok (\d+) - (.*?)(?: # (TODO|SKIP)\b.*)?$/) {
			my ($not, $n, $name, $directive) = ($1, $2, $3, $4);
			push @$against, "no. $n where " . ($count + 1) . " belongs: $line" if $n != ++$count;
			push @$against, "two points are called $name" if $seen->{$name}++;
			push @$against, "a case id in a point's name: $name" if $name =~ /@\d+:/;
			$broken++ if $not && !$directive;
			push @$against, "not what its subtest says: $line"
				if $inner && !$directive && !$inner->[1] != !$not;
			$inner = undef;
		}
	}
	push @$against, 'no plan' if !defined $plan;
	push @$against, "$plan points planned, $count came" if defined $plan && $plan != $count;
	return [$count, $broken, $plan];
}

# What is wrong with a complete TAP 13 stream; in list context only. Counts go to %$counts.
sub tap_problems {
	my ($text, $counts) = @_;
	my @lines = lines_of($text);
	my @against;
	push @against, 'does not begin with TAP version 13' if (shift(@lines) // '') ne 'TAP version 13';
	my $top = level(\@lines, 0, \@against, {});
	@$counts{qw(points broken plan)} = @$top if $counts;
	return @against;
}

1;
