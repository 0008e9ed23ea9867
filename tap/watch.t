#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# watch.t: a real #DB of a data watchpoint: where an engine fires one the scenario runs and sees each hit, elsewhere it is skipped by name.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my $reason = 'no data watchpoint fires on this host';

# The scenario on one engine, every scheme, and its map; made once.
my %seen;
sub watch {
	my ($engine) = @_;
	skip_claim('there is no QEMU') if $engine eq 'qemu' && !grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
	need_kvm() if $engine eq 'kvm';
	return $seen{$engine} //= gsgate('run', '--engine', $engine, qw(watch --gs u-small --event mce --summary), "$dir/$engine", '--map', "$dir/$engine.map");
}

# The kinds of visits to #DB's gate in the golden run: from user code A is U there.
sub gates {
	my ($map, $scheme) = @_;
	return map { m{^watch/\Q$scheme\E/u-small/asm_exc_debug_\Q$scheme\E\+0x0\@(\d+) (.*)} ? $2 : () } lines_of($map);
}

for my $engine (qw(kvm qemu)) {
	claim("$engine: it runs and breaks nothing, or is skipped by name", sub {
		my $r = watch($engine);
		return $r->{err} =~ /^gsgate: nothing to run: watch: \Q$reason\E$/m ? () : "said: $r->{err}" if $r->{status} eq '3';
		my $s = decode(read_file("$dir/$engine"));
		return grep { $_ } $r->{status} ne '0' && "exit $r->{status}", !$s->{host}{watchpoints_fire} && 'the summary says that none fires',
			!$s->{injections} && 'no injection';
	});
	claim("$engine: #DB comes from user code and from the kernel, where nobody injects or raises it", sub {
		skip_claim($reason) if watch($engine)->{status} eq '3';
		my $map = read_file("$dir/$engine.map");
		return map {
			my @gates = gates($map, $_);
			my ($user, $kernel) = (scalar grep({ / a=U / } @gates), scalar grep { / a=K / } @gates);
			$user && $kernel ? () : "$_: $user from user code, $kernel in the kernel";
		} qw(swapgs ist lsl pure);
	});
}
claim('a run of others, too, says that it is skipped, and ends well', sub {
	skip_claim('it runs here') if watch('kvm')->{status} ne '3';
	my $r = gsgate(qw(run watch breakpoint --scheme ist --gs u-small --event nmi));
	return grep { $_ } $r->{status} ne '0' && "exit $r->{status}", $r->{out} !~ /^# skipped: watch: \Q$reason\E$/m && 'not said',
		$r->{out} =~ m{watch/ist} && 'it has a subtest';
});
run_claims();
