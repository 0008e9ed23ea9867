#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# libvirt.t: machines by way of libvirt: nothing is left of them whatever becomes of the bench, and each lack is one line.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Time::HiRes qw(sleep time);
use TestGsgate;

my $holder = $gsgate =~ s{[^/]+\z}{t-libvirt}r;
my $tmp = "$dir/t";
# Where the embedded QEMU runs as nobody it must get through.
chmod 0711, $dir;
mkdir $tmp;
chmod 0711, $tmp;

sub machines {
	my ($o, @args) = @_;
	my %env = (TMPDIR => $tmp, %{ delete $o->{env} // {} });
	return gsgate({ program => $holder, limit => 60, env => \%env, %$o }, @args);
}

sub need_machines {
	skip_claim("there is no $holder") if !-x $holder;
	my $r = machines({}, 'leave', 0);
	skip_claim('it does not run: ' . $r->{err}) if $r->{status} ne '0';
	$r = machines({}, 'leave', 1);
	skip_claim($1) if $r->{err} =~ /^gsgate: (this build has no libvirt.*|libvirt: .*(?:no connection driver|emulator).*)$/m;
}

# The QEMUs that were told of our folder, and the programs that have inherited its name.
sub running {
	return grep { (read_file("/proc/$_/stat") // '') =~ /\) [^ZX]/ && ((read_file("/proc/$_/cmdline") // '') =~ m{\Q$tmp/\E}
		|| (read_file("/proc/$_/environ") // '') =~ /(?:\A|\0)TMPDIR=\Q$tmp\E/) } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

sub left {
	my ($seconds) = @_;
	my $until = time + $seconds;
	my @left;
	do {
		@left = ((map { "process $_: " . ((read_file("/proc/$_/cmdline") // '') =~ tr/\0/ /r =~ s/.{80}\K.*//sr) } running()),
			map { "file $_" } leftovers($tmp));
		sleep 0.02 if @left;
	} while (@left && time < $until);
	return @left;
}

claim('a program that ends without stopping its machines leaves nothing', sub {
	need_machines();
	my $r = machines({}, 'leave', 2);
	return ($r->{status} ne '0' ? "exit $r->{status}: $r->{err}" : (), left(0));
});
for my $signal (qw(TERM INT HUP KILL)) {
	claim("killed by SIG$signal with two machines, it leaves nothing", sub {
		need_machines();
		my $r = machines({ signal => $signal, when => sub { $_[0] =~ /ready/ } }, 'hold', 2);
		return ($r->{out} !~ /ready/ ? "it was not ready: $r->{err}" : (), left(15));
	});
}
claim('killed while a machine starts, it leaves nothing', sub {
	need_machines();
	my @against;
	for my $at (0.01, 0.1, 0.4, 0.8, 1.5, 2.2) {
		my $r = machines({ signal => 'KILL', when => sub { $_[1] >= $at } }, 'hold', 1);
		push @against, map { "after $at s: $_" } left(20);
	}
	return @against;
});
claim('a temporary folder whose sockets would have too long a path', sub {
	need_machines();
	my $long = "$tmp/" . 'x' x 80;
	mkdir $long;
	my @against = refusal(machines({ env => { TMPDIR => $long } }, 'leave', 1), 3, qr/more than 107 bytes: set TMPDIR/);
	rmdir $long;
	return (@against, left(1));
});
claim('a temporary folder that is not there, or has a name that would have to be quoted', sub {
	need_machines();
	return (refusal(machines({ env => { TMPDIR => "$tmp/none" } }, 'leave', 1), 3, qr/No such file/),
		refusal(machines({ env => { TMPDIR => "$tmp/a'b" } }, 'leave', 1), 3, qr/needed is a path/),
		refusal(machines({ env => { TMPDIR => 'relative' } }, 'leave', 1), 3, qr/needed is a path/), left(1));
});
claim('a temporary folder that only root can use', sub {
	need_machines();
	skip_claim('this is not root') if $>;
	mkdir "$tmp/own", 0700;
	my @against = refusal(machines({ env => { TMPDIR => "$tmp/own" } }, 'leave', 1), 3, qr/cannot use the folder .*: set TMPDIR/);
	return (@against, left(0) == 1 ? () : left(0), rmdir("$tmp/own") ? () : 'something is left in there');
});
claim('no QEMU', sub {
	need_machines();
	mkdir "$dir/bin";
	return (refusal(machines({ env => { PATH => "$dir/bin" } }, 'leave', 1), 3, qr/emulator|qemu/i), left(5));
});
claim('a QEMU that does not work', sub {
	need_machines();
	write_file("$dir/bin/qemu-system-x86_64", "#!/bin/sh\nexit 1\n");
	chmod 0755, "$dir/bin", "$dir/bin/qemu-system-x86_64";
	return (refusal(machines({ env => { PATH => "$dir/bin" } }, 'leave', 1), 3, qr/libvirt: /), left(5));
});
claim('no daemon', sub {
	need_machines();
	return (map({ refusal(machines({}, 'leave', 1, "qemu+unix:///$_?socket=$dir/none"), 3, qr/Failed to connect/) } qw(system session)),
		left(1));
});

# A daemon of our own, and what it has of machines once a program has been killed.
sub beside_daemon {
	my ($then) = @_;
	need_machines();
	skip_claim('this is not root') if $>;
	skip_claim('there is no libvirtd (Debian: libvirt-daemon)') if system('command -v libvirtd >/dev/null');
	skip_claim('no namespaces can be made here') if system('unshare --mount --pid --fork --mount-proc true 2>/dev/null');
	my $daemon = "$dir/d" . int rand 1e9;
	mkdir $daemon;
	chmod 0711, $daemon;
	return machines({ program => "$FindBin::Bin/libvirtd.sh", limit => 100 }, $daemon, 'sh', '-c', $then);
}
claim('by way of a daemon the same works, with a QEMU that has no rights of its own', sub {
	my $r = beside_daemon("$holder qemu:///system");
	return ($r->{status} ne '0' || $r->{out} !~ /^1\.\.[1-9]/m ? "exit $r->{status}: $r->{out}$r->{err}" : (), left(5));
});
claim('killed with machines of a daemon, a program leaves nothing, in the daemon neither', sub {
	my $r = beside_daemon(<<"END");
		$holder hold 2 qemu:///system >$dir/ready &
		while kill -0 \$! && ! grep -q ready $dir/ready; do sleep 0.1; done
		ls /run/libvirt/qemu/gsgate-*.pid | wc -l
		kill -KILL \$!
		for n in \$(seq 100); do ls $tmp/gsgate-* >$dir/null 2>&1 || break; sleep 0.1; done
		find /run/libvirt /var/lib/libvirt /var/log/libvirt -name '*gsgate*'
		ps -e -o args | grep -v grep | grep -E 't-libvirt|gsgate-'
		true
END
	return ($r->{out} ne "2\n" ? "it says $r->{out}" : (), left(1));
});

run_claims();
