#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# replay-gdb.t: gsgate replay --gdb: what a gdb sees at each stop, and that nothing is left however it ends.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Time::HiRes 'sleep';
use TestGsgate;

my $case = 'syscall/ist/u-small/entry_SYSCALL_64+0x0@1';
our $sock = "$dir/sock";
my (@started, $said);

sub have { grep { -x "$_/$_[0]" } split /:/, $ENV{PATH} }

sub need_both {
	have('qemu-system-x86_64') or skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)');
	have('gdb') or skip_claim('there is no gdb (Debian: gdb)');
}

# The processes with our socket on their command line, and their children.
sub processes {
	my %parent = map { my $s = read_file("/proc/$_/stat") // ''; $s =~ /\) [^ZX] (\d+) / ? ($_ => $1) : () }
		map { m{(\d+)$} } glob '/proc/[0-9]*';
	my %ours = map { $_ => 1 } grep { (read_file("/proc/$_/cmdline") // '') =~ /\Agsgate\0.*\0\Q$sock\E\0/s } keys %parent;
	return grep { $ours{$_} || $ours{ $parent{$_} } } keys %parent;
}

sub lives { (read_file("/proc/$_[0]/stat") // '') =~ /\) [^ZX]/ }

# Waits for the line that it prints, remembers who runs, and gives that line to the shell with more words for gdb.
sub drive {
	my ($more) = @_;
	return sub {
		my ($line) = $_[0] =~ /^(gdb .*)\n\z/m or return 0;
		@started = processes();
		$said = $more ? qx($line -nx -batch $more 2>&1 </dev/null) : '';
		return 1;
	};
}

sub replay {
	my ($o, @args) = @_;
	need_both();
	(@started, $said) = ();
	return gsgate({ limit => 60, signal => 'CONT', %$o }, 'replay', '--gdb', $sock, @args);
}

# What speaks against how it has ended.
sub ended {
	my ($r, $status) = @_;
	for (1 .. 100) {
		last if !grep { lives($_) } @started;
		sleep 0.02;
	}
	return grep { $_ } $r->{status} ne $status && "exit $r->{status}, must be $status", length $r->{err} && "stderr: $r->{err}",
		@started < 2 && 'no QEMU was seen', -e $sock && 'the socket is left', map({ "process $_ is left" } grep { lives($_) } @started);
}

sub says {
	my (@wanted) = @_;
	return map { $said =~ $_ ? () : "gdb does not say $_ but $said" } @wanted;
}

my $ask = join ' ', map { "-ex '$_'" } 'printf "A=%lx I=%lx\\n", $gs_base, $k_gs_base', 'info line *$pc', 'x/i $pc', 'stepi', 'printf "then=%lx\\n", $pc',
	'maintenance packet qqemu.sstep';
my ($k) = map { "ffffffff$_" } '[0-9a-f]{8}';
# A, I, file of the source line, the source itself, the instruction. At the handler's first instruction a line of something inline may begin, too.
my %stop = (
	before => ['1000', $k, 'entry\.S', 'swapgs', 'swapgs'], gate => ['1000', $k, 'nmi_gate\.h', 'cld', 'cld'],
	handler => [$k, $k, '(?:nmi\.c|\w+\.h)', '\S', '\w+'], return => ['1000', $k, 'nmi_gate\.h', 'iretq', 'iretq'],
);
for my $stop (sort keys %stop) {
	claim("--stop $stop: A, I and the source line there, one instruction on, steps as gdb wants them", sub {
		my ($a, $i, $file, $source, $insn) = @{ $stop{$stop} };
		my $r = replay({ when => drive($ask) }, '--stop', $stop, "$case:nmi");
		my ($from, $to) = ($said =~ /^=> 0x([0-9a-f]+)/m, $said =~ /^then=([0-9a-f]+)/m);
		return (ended($r, 0), says(qr/^A=$a I=$i$/m, qr{^Line \d+ of "(?:\./)?guest/$file"}m, qr/^\d+\t.*$source/m, qr/^=> .*:\s+$insn\b/m,
			qr/^received: "0x7"/m, $stop eq 'handler' ? qr/^exc_nmi \(frame=0x/m : ()), ($from // 0) eq ($to // 0) ? 'stepi stays where it is' : ());
	});
}
claim('--stop is before if it is not given; the table comes first', sub {
	my $r = replay({ when => drive($ask) }, "$case:nmi");
	return (ended($r, 0), says(qr/^=> .*swapgs/m), map { $r->{out} =~ $_ ? () : "the output lacks $_" } qr/^  back  /m, qr/no rule is broken/,
		qr/^held at the boundary: \S+  \(guest\/entry\.S:\d+\)$/m, qr/^  .*\$gs_base.*\$k_gs_base/m);
});
claim('events of each kind, and user code', sub {
	my %at = ("$case:mce" => 'asm_exc_machine_check_ist', "$case:db" => 'asm_exc_debug_ist',
		'syscall/ist/u-small/user_syscall+0x0@1:nmi' => 'asm_exc_nmi_ist');
	return map {
		my $r = replay({ when => drive("-ex 'info symbol \$pc'") }, '--stop', 'gate', $_);
		(ended($r, 0), says(qr/^\Q$at{$_}\E in section/m))
	} sort keys %at;
});
claim('before: the NMI of gdb\'s own `monitor nmi` comes to the gate', sub {
	my $more = join ' ', map { "-ex '$_'" } 'hbreak asm_exc_nmi_ist', 'monitor nmi', 'continue', 'x/gx $rsp';
	my $r = replay({ when => drive($more) }, "$case:nmi");
	return (ended($r, 0), says(qr/Breakpoint 1, asm_exc_nmi_ist/, qr/^0x[0-9a-f]+.*:\s+0x[0-9a-f]+$/m));
});
for (['detach', "-ex detach"], ['kill', "-ex kill"], ['killed', "-ex 'shell kill -9 \$PPID'"], ['disconnect', "-ex disconnect"]) {
	my ($how, $more) = @$_;
	claim("a gdb that ends by $how: exit 0, nothing is left", sub { ended(replay({ when => drive($more) }, "$case:nmi"), 0) });
}
for (['INT', 130], ['TERM', 143]) {
	my ($signal, $status) = @$_;
	claim("SIG$signal while it waits: exit $status, nothing is left", sub {
		ended(replay({ signal => $signal, when => drive() }, "$case:nmi"), $status)
	});
}
claim('SIGTERM before it waits: the socket is gone as well', sub {
	my $r = replay({ signal => 'TERM', when => sub { -e $sock } }, "$case:nmi");
	return grep { $_ } $r->{status} ne 143 && "exit $r->{status}", -e $sock && 'the socket is left';
});
claim('SIGKILL: no process is left', sub {
	return grep { !/socket/ } ended(replay({ signal => 'KILL', when => drive() }, "$case:nmi"), 'signal 9');
});
claim('a QEMU that is killed while it waits: one line, exit 3, nothing is left', sub {
	unlink $sock;                   # of the claim before
	my $kill = drive();
	my $r = replay({ when => sub {
		$kill->(@_) or return 0;
		kill 'KILL', grep { (read_file("/proc/$_/cmdline") // '') =~ /\A[^\0]*qemu-system/ } @started;
		return 1;
	} }, "$case:nmi");
	return grep { $_ } $r->{status} ne 3 && "exit $r->{status}", $r->{err} !~ /\Agsgate: [^\n]*is gone: killed by signal 9\n\z/ && "stderr: $r->{err}",
		-e $sock && 'the socket is left';
});
claim('a case that dies before its stop: one line, exit 1', sub {
	my $r = replay({ when => sub { 0 } }, '--stop', 'handler', 'syscall/swapgs/u-small/entry_SYSCALL_64+0x0@1:gp');
	return grep { $_ } $r->{status} ne 1 && "exit $r->{status}", $r->{err} !~ /\Agsgate: [^\n]*never comes to the handler: \S[^\n]*\n\z/ && "stderr: $r->{err}",
		$r->{out} !~ /death has come/ && 'no table', -e $sock && 'the socket is left';
});
claim('a path that cannot be a socket is refused before any work', sub {
	my $long = $dir . '/' . 'x' x (108 - length "$dir/");
	write_file("$dir/file", 'mine');
	symlink "$dir/nowhere", "$dir/link";
	my @against = map { refused(2, $_->[1], 'replay', '--gdb', $_->[0], '--kernel', "$dir/missing", "$case:nmi") } [$long, qr/107 bytes, this one 108/], ['', qr/bytes/],
		["$dir/file", qr/exists already/], ["$dir/link", qr/exists already/], [$dir, qr/exists already/], ["$dir/no/sock", qr/No such file/], ["$dir/a:1", qr/colon/];
	push @against, 'a file of somebody else is gone' if (read_file("$dir/file") // '') ne 'mine';
	return @against;
});
claim('other engines, commands and stops are refused', sub {
	return (refused(2, qr/only engine qemu/, 'replay', '--engine', 'kvm', '--gdb', $sock, "$case:nmi"), refused(2, qr/belongs to/, 'run', '--gdb', $sock),
		refused(2, qr/belongs to/, 'replay', '--stop', 'gate', "$case:nmi"), map({ refused(2, qr/is none of/, 'replay', '--gdb', $sock, '--stop', $_, "$case:nmi") } '', 'body'),
		-e $sock ? 'a socket is left' : ());
});
claim('a long path, and one with a blank and a quote, can be pasted', sub {
	my @against;
	for my $name ('x' x (107 - length "$dir/"), "it's one") {
		local $sock = "$dir/$name";
		push @against, ended(replay({ when => drive($ask) }, "$case:nmi"), 0), says(qr/^A=1000/m);
	}
	return @against;
});

run_claims();
