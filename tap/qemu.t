#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# qemu.t: the image boots under QEMU by its PVH note, without a bench: every user program runs to its end there under every scheme.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my ($qemu) = grep { -x } map { "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
# 0xf4 and 0xf5 end QEMU, with exit status 2 * what was written + 1.
my %port = (done => '0xf4', panic => '0xf5');
my ($done, $refused) = (1, 2 * 4 + 1);          # 0 at ABI_PORT_DONE, ABI_PANIC_CMDLINE at ABI_PORT_PANIC

sub source {
	return join '', map { read_file($_) // die "$_: $!\n" } @_;
}

# Programs that a scenario runs, or the bench when it starts, and those of them that send events to themselves; those for which a scenario has two CPUs or two threads.
my @programs = source(<guest/user*.S>) =~ /^PROGRAM (\w+)$/mg;
my %raises = map { /^(\w+)\n.*^\tRAISE/ms ? ($1 => 1) : () } split /^PROGRAM /m, source(<guest/user*.S>);
my (%runs, %cpus, %threads) = (probe => 1);
for my $scenario (map { source($_) } <scenarios/*.scn>) {
	my ($program) = $scenario =~ /^program\s*=\s*(\w+)/m or next;
	$runs{$program} = 1;
	$cpus{$program} = 1 if $scenario =~ /^cpus\s*=\s*2/m;
	$threads{$program} = 1 if $scenario =~ /^threads\s*=\s*2/m;
}

# What a program needs besides.
my %words = (flags => 'flags=0x244602', probe => 'flags=0x202', fallback => 'nofsgsbase');

# No interrupt source of QEMU's own: the guest lets interrupts in and has no gate for them.
sub machine {
	my ($image) = @_;
	return (-M => 'microvm,x-option-roms=off,auto-kernel-cmdline=off,pit=off,pic=off,rtc=off,isa-serial=off',
		qw(-accel tcg -cpu max -m 4 -nodefaults -no-user-config -display none -no-reboot -debugcon stdio), -kernel => $image,
		map { (-device => "isa-debug-exit,iobase=$_,iosize=1") } sort values %port);
}

sub boot {
	my ($line, $image) = @_;
	# timeout(1) ends it even if this test is killed.
	return gsgate({ program => 'timeout', limit => 30 }, qw(-k 1 20), $qemu, machine($image // $guest),
		defined $line ? (-append => $line) : ());
}

sub ended {
	my ($r) = @_;
	return grep { $_ } $r->{status} ne $done && "exit $r->{status}, must be $done", length $r->{out} && "console: $r->{out}",
		length $r->{err} && "stderr: $r->{err}";
}

sub panicked {
	my ($says, $r) = @_;
	return grep { $_ } $r->{status} ne $refused && "exit $r->{status}, must be $refused",
		$r->{out} !~ /\Apanic: command line: $says\n\z/ && "console: $r->{out}";
}

# A copy of the image with this as the bench's command line.
sub image_with {
	my ($line) = @_;
	my $image = read_file($guest);
	my ($at) = map { unpack 'Q>', pack 'H16', $_ } qx(nm '$guest') =~ /^([0-9a-f]{16}) . boot_cmdline$/m;
	my ($phoff, $count) = (unpack('x32 Q<', $image), unpack('x56 S<', $image));
	for (map { [unpack 'L<x4Q<4', substr $image, $phoff + 56 * $_, 56] } 0 .. $count - 1) {
		my ($type, $offset, $virt, undef, $size) = @$_;
		substr($image, $offset + $at - $virt, length $line, $line) if $type == 1 && $at >= $virt && $at < $virt + $size;
	}
	return write_file("$dir/guest.elf", $image);
}

if (!$qemu) {
	print "1..0 # SKIP there is no qemu-system-x86_64 (Debian: qemu-system-x86)\n";
	exit 0;
}
@programs = grep { $runs{$_} } @programs;
die "no program found, or none that raises events\n" if @programs < 10 || keys %raises < 3;

for my $program (@programs) {
	for my $scheme (qw(swapgs ist lsl pure)) {
		my $gs = $scheme ne 'swapgs' && $program ne 'fallback' ? '0xfffffffffffff000' : '0x1000';
		claim("$program, scheme $scheme, runs to its end", sub {
			skip_claim('it sends itself events through a port that QEMU has no device for') if $raises{$program};
			skip_claim('it needs a bench that gives its two CPUs their turns') if $cpus{$program};
			return ended(boot("scheme=$scheme program=$program gs=$gs " . ($threads{$program} ? 'threads=0x2 ' : '') . ($words{$program} // '')));
		});
	}
}
claim('with a local APIC, too', sub { ended(boot('scheme=ist program=gs gs=0x1000 lapic')) });
my %wrong = (
	'unknown word: bogus' => 'scheme=ist bogus program=syscall', 'unknown name: bogus' => 'scheme=bogus program=syscall',
	'needed: scheme= and program=' => '', 'longer than it may be' => 'scheme=ist program=syscall gs=0x' . '0' x 300,
);
for my $says (sort keys %wrong) {
	claim("the command line is refused: $says", sub { panicked($says, boot($wrong{$says})) });
}
claim('the longest command line is taken', sub {
	my $line = 'scheme=ist program=syscall gs=0x';
	return ended(boot($line . '0' x (255 - length $line)));
});
claim('the command line is refused where the loader has none', sub { panicked('needed: scheme= and program=', boot()) });
claim('a command line that the bench has written comes first', sub {
	my $image = image_with('scheme=ist program=syscall');
	return (ended(boot('bogus', $image)), panicked('unknown word: bogus', boot('scheme=ist', image_with('bogus'))));
});

run_claims();
