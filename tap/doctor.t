#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# doctor.t: gsgate doctor says of each engine, and of each thing that matters, whether this host does it, what follows, and what helps.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

# What must be told of every engine, by a word of it => that word; and of KVM alone.
my %host = (
	'AC' => qr/RFLAGS.AC/, 'NT' => qr/RFLAGS.NT/, 'IRET' => qr/IRET looks at RIP/, 'an absent stack' => qr/IRET to an absent stack/, 'RF' => qr/RFLAGS.RF/,
	'FSGSBASE off' => qr/CR4.FSGSBASE = 0/, 'user watchpoints' => qr/watchpoints fire at CPL 3/,
	'32-bit code' => qr/32-bit code runs at CPL 3/, 'kernel INT3' => qr/INT3 at CPL 0/, 'user breakpoints' => qr/instruction breakpoints fire at CPL 3/,
);
my %kvm = (
	'exactness of stops' => qr/stops at CPL 0 are exact/, 'stops at CPL 3' => qr/stops at CPL 3/, 'SYSCALL' => qr/SYSCALL without/, 'INT n' => qr/INT n of user code without/,
	'SYSRET with TF' => qr/SYSRET restores RFLAGS.TF/, 'FSGSBASE' => qr/WRGSBASE in a guest/, 'LSL' => qr/LSL in a guest/,
	'kernel watchpoints' => qr/watchpoints fire at CPL 0/, 'dirty log' => qr/dirty page log/, 'machine checks' => qr/machine checks/, 'interrupts' => qr/interrupts without an irqchip/,
);
my %summary = (fsgsbase_can_be_off => 'FSGSBASE off', user_keeps_nt => 'NT', gate_keeps_ac => 'AC', iret_checks_rip => 'IRET', faults_set_rf => 'RF',
	watchpoints_fire => 'user watchpoints', breakpoints_fire => 'user breakpoints', kernel_int3 => 'kernel INT3', compat => '32-bit code');
my %run;

# By this engine, or by all.
sub doctor {
	my ($engine) = @_;
	return $run{$engine} //= gsgate('doctor', $engine eq 'auto' ? () : ('--engine', $engine));
}

# The engine's line of this fact, "yes" or "no" first.
sub fact {
	my ($r, $about) = @_;
	return (grep { /^(?:yes|no ) / && /$about/ } lines_of($r->{out}))[0] // '';
}

sub engines { return grep { $_ eq 'kvm' ? -w '/dev/kvm' : fact(doctor($_), qr/^yes  QEMU /) } qw(kvm qemu) }

# Every line is an answer with its consequence, a remedy below a "no", or a floor.
sub grammar {
	my ($before, @against) = '';
	for (lines_of($_[0]{out})) {
		push @against, "not understood: $_" if !/^(?:yes|no ) {2}\S.* \S|^     remedy: \S|^floor: \d+ (?:exits|steps)/;
		push @against, "a remedy for what is not missing: $_" if /^ / && $before !~ /^no /;
		$before = $_;
	}
	return ($before eq '' ? 'it says nothing' : (), @against);
}

claim('doctor: exit 0 if an engine can work here, else 3; nothing on stderr; each engine has its line, in order', sub {
	my $r = doctor('auto');
	my ($order) = join ' ', $r->{out} =~ /^(?:yes|no ) {2}(KVM|QEMU|libvirt)  /gm;
	return grep { $_ } $r->{status} ne (engines() ? 0 : 3) && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}",
		$order ne 'KVM QEMU libvirt' && "it tells about $order";
});
claim('every line is an answer with its consequence, a remedy below a "no", or a floor', sub { grammar(doctor('auto')) });
for my $what (sort keys %kvm) {
	claim("of KVM it tells about $what", sub { need_kvm(); fact(doctor('kvm'), $kvm{$what}) ? () : 'no such line' });
}
for my $what (sort keys %host) {
	claim("of each engine it tells about $what", sub { need_kvm('doctor is asked about KVM'); map { fact(doctor($_), $host{$what}) ? () : "no such line of $_" } engines() });
}
claim('the answers are those that a run writes down of its host', sub {
	need_kvm('doctor is asked about KVM');
	return map {
		my $engine = $_;
		gsgate(qw(run syscall --scheme swapgs --gs u-small --event nmi --time 5 --engine), $engine, '--summary', "$dir/summary");
		my $host = (decode(read_file("$dir/summary")) // {})->{host} // return 'no summary';
		map {
			my $line = fact(doctor($engine), $host{ $summary{$_} });
			!exists $host->{$_} ? "the summary has no $_" : ($line =~ /^yes/) == !!$host->{$_} ? () : "$engine, $_: $line"
		} sort keys %summary;
	} engines();
});
claim('the answers are the same each time', sub {
	need_kvm('doctor is asked about KVM');
	return map {
		my ($x, $y) = map { join "\n", grep { !/^floor/ } lines_of($_->{out}) } doctor($_), gsgate('doctor', '--engine', $_);
		$x eq $y ? () : "they differ: $_"
	} engines();
});
claim('an engine that is asked for by name is the only one told about', sub {
	return map {
		my ($engine, $other) = @$_;
		doctor($engine)->{out} =~ /^(?:yes|no ) {2}$other\b/m ? "$engine: it tells about $other" : ()
	} ['kvm', 'QEMU'], ['kvm', 'libvirt'], ['qemu', 'KVM'], ['qemu', 'libvirt'];
});
claim('without /dev/kvm: one line of KVM, its remedy, nothing else of it, and exit 3 if no other engine is asked', sub {
	my $r = gsgate({ program => without_kvm() }, $gsgate, 'doctor', '--engine', 'kvm');
	return grep { $_ } $r->{status} ne 3 && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}",
		$r->{out} !~ m{\Ano   KVM +/dev/kvm: No such file or directory\n     remedy: load \S[^\n]*\n\z} && "it says: $r->{out}";
});
claim('without /dev/kvm: QEMU is measured all the same, and exit 0 if a run can use it', sub {
	my $want = join "\n", grep { !/^floor/ } lines_of(doctor('qemu')->{out});
	my $r = gsgate({ program => without_kvm() }, $gsgate, 'doctor');
	return (grammar($r), grep { $_ } $r->{status} ne doctor('qemu')->{status} && "exit $r->{status}", length $r->{err} && "stderr: $r->{err}",
		$r->{out} !~ /\Ano   KVM .*\n.*\n(?:yes|no ) {2}QEMU / && "it begins: " . substr($r->{out}, 0, 200), index($r->{out}, $want) < 0 && 'QEMU does other things there');
});
claim('an image that is none is refused, whatever engines there are', sub {
	my $none = write_file("$dir/none", 'no image');
	return (refused(2, undef, 'doctor', '--kernel', $none), refusal(gsgate({ program => without_kvm() }, $gsgate, 'doctor', '--kernel', $none), 2));
});

run_claims();
