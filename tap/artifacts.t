#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# artifacts.t: gsgate run --artifacts and replay --dump leave what a bug report needs, whole, and nothing where they cannot.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use TestGsgate;

my $kernel = 'build/broken/05-never-restores/guest.elf';
my @broken = ('--kernel', $kernel);
my $left = 'syscall/swapgs/u-negative/entry_SYSCALL_64+0x0@1:nmi';    # the good guest, led astray: it breaks at the handler
my @files = qw(case percpu replay stack trace versions);
my $where = "$dir/artifacts";
my $run;

# The guest that leaves A = K behind, once; artifacts of it in $where.
sub broken_run {
	need_kvm();
	skip_claim('it is not built: make broken') if !-e $kernel;
	return $run //= gsgate(qw(run syscall --scheme ist --gs u-negative --event nmi), @broken, '--artifacts', $where);
}

sub folder_of {
	my ($id) = @_;
	return $id =~ tr{/:}{=}r;
}

sub artifact {
	my ($folder, $name) = @_;
	return read_file("$folder/$name") // '';
}

# The first case of each group, as the last lines of a run tell them.
sub groups {
	my ($r) = @_;
	return $r->{out} =~ /^# \S+ broken in \S+ by \S+: \d+ cases?, first (\S+)$/mg;
}

sub dumped {
	my ($id, @args) = @_;
	need_kvm();
	mkdir my $to = "$dir/dump" . ++our $dumps;
	my $r = gsgate('replay', @args, '--dump', $to, $id);
	return ($r, "$to/" . folder_of($id));
}

claim('run: a folder for the first case of each group, the six files in each, and no other', sub {
	my $r = broken_run();
	my @ids = groups($r);
	return (grep({ $_ } $r->{status} ne 1 && "exit $r->{status}", @ids != 2 && "groups: @ids", length $r->{err} && $r->{err}),
		map({ "left behind: $_" } leftovers($where, map { folder_of($_) } @ids)), map {
			my $folder = "$where/" . folder_of($_);
			(map({ -s "$folder/$_" ? () : "$folder: no $_" } @files), map { "$folder: $_" } leftovers($folder, @files))
		} @ids);
});
claim('case: the id, the rule and its detail, A and I as seen and expected, the scenario\'s text', sub {
	my ($id) = groups(broken_run());
	my $text = artifact("$where/" . folder_of($id), 'case');
	my $scenario = read_file('scenarios/syscall.scn');
	return (map({ $text =~ /^\Q$_\E/m ? () : "no \"$_\" in $text" } "case: $id", 'rule: transparent', 'detail: A is 0x', 'stop: back',
		'expected: A 0xffffffffffffffff, I 0xffffffff8', 'verdict: broken'),
		$text =~ /^seen: A (0x\w+), I (0x\w+)$/m && $1 eq $2 ? () : 'A and I are not both K', index($text, $scenario) < 0 ? 'no scenario' : ());
});
claim('replay: its line works when it is pasted, and says what the trace has', sub {
	my ($id) = groups(broken_run());
	my $folder = "$where/" . folder_of($id);
	my ($program, @args) = split ' ', artifact($folder, 'replay');
	my $r = gsgate(@args);
	return grep { $_ } ($program // '') ne 'gsgate' && 'it is no gsgate', !grep({ $_ eq $id } @args) && 'no id', $r->{status} ne 1 && "exit $r->{status}: $r->{err}",
		$r->{out} ne artifact($folder, 'trace') && 'the trace is another one';
});
claim('replay: on another image its line is refused', sub {
	my ($id) = groups(broken_run());
	my (undef, @args) = split ' ', artifact("$where/" . folder_of($id), 'replay');
	return refused(2, qr/hash/, map { $_ eq $kernel ? $guest : $_ } @args);
});
claim('versions: image, its hash as the summary has it, engine, host, compiler', sub {
	my ($id) = groups(broken_run());
	my $text = artifact("$where/" . folder_of($id), 'versions');
	gsgate(qw(run syscall --scheme ist --gs u-small --event nmi), @broken, '--summary', "$dir/summary");
	my $s = decode(read_file("$dir/summary")) // {};
	chomp(my $host = `uname -r`);
	return map { $text =~ /^$_/m ? () : "no $_ in $text" } "image: \Q$kernel\E\$", 'image_hash: ' . ($s->{image_hash} // '?') . '$', 'engine: ' . engine() . '\b',
		"host: Linux \Q$host\E ", 'gsgate: built by gcc \d';
});
claim('versions: another engine is named, with its version', sub {
	skip_claim('there is no qemu-system-x86_64 (Debian: qemu-system-x86)') if !grep { -x "$_/qemu-system-x86_64" } split /:/, $ENV{PATH};
	my $case = 'syscall/ist/u-small/entry_SYSCALL_64+0x0@1:nmi';
	gsgate('replay', '--engine', 'qemu', $case, '--dump', "$dir/qemu");
	my $text = artifact("$dir/qemu/" . folder_of($case), 'versions');
	return $text =~ /^engine: qemu \d+\.\d+/m ? () : $text;
});
claim('stack and percpu: the frame that the event pushed, where it came, and K in its place', sub {
	my ($id) = groups(broken_run());
	my $folder = "$where/" . folder_of($id);
	my ($stack, $percpu) = map { artifact($folder, $_) } qw(stack percpu);
	my ($k) = artifact($folder, 'case') =~ /^bases: K (0x\w+)/m;
	my ($boundary) = $id =~ m{([^/]+)@};
	my $word = '\S+ +\S+ +(0x\w+).*\n';
	return (grep { $_ } $stack !~ /^at the back: RIP \Q$boundary\E, RSP 0x\w+, A \Q$k\E, I \Q$k\E/ && 'the state is not told',
		$stack !~ /<- RSP$/m && 'RSP is not marked', $percpu !~ /^\Q$k\E  percpu_areas\+0x0 +\Q$k\E  percpu_areas\+0x0$/m && 'no self pointer',
		# RIP CS RFLAGS RSP SS, at the top of the NMI stack
		$stack !~ /^0x\w+fd8  nmi_stack\S+ +0x\w+  \Q$boundary\E\n\S+ +\S+ +0x0{14}10\n\S+ +\S+ +0x\w+2\n\S+ +\S+ +(0x\w+)\n\S+ +\S+ +0x0{14}18\n/m
			&& 'no frame');
});
claim('replay --dump: at the handler the page holds the frame on the stack in use; the trace is what is printed', sub {
	my ($r, $folder) = dumped($left);
	my $stack = artifact($folder, 'stack');
	my ($rsp, $a) = $r->{out} =~ /^  handler +0 +(?:0x\w+) \w+ +0x\w+ \w+ +(0x\w+)/m ? ($1, '0xffffffffffffffff') : ('?', '?');
	return grep { $_ } $r->{status} ne 1 && "exit $r->{status}", $r->{out} ne artifact($folder, 'trace') && 'the trace is another one',
		$stack !~ /^at the handler: RIP exc_nmi\+0x0, RSP $rsp, A $a, I 0xffffffff8/ && 'not at the handler: ' . substr($stack, 0, 120),
		$stack !~ /^$rsp  .*<- RSP$/m && 'RSP is not marked', $stack !~ /  entry_SYSCALL_64\+0x0\n\S+ +\S+ +0x0{14}10\n/ && 'no frame',
		artifact($folder, 'case') !~ /^rule: handler-gs$/m && 'no rule';
});
claim('replay --dump of a good case and of a death: at the boundary, and no rule', sub {
	return map {
		my ($r, $folder) = dumped($_);
		my ($case, $stack) = map { artifact($folder, $_) } qw(case stack);
		map({ "$r->{args}: $_" } grep { $_ } $r->{status} ne 0 && "exit $r->{status}", $case =~ /^rule:/m && 'a rule',
			$case !~ /^verdict: (?:good|no-ist)$/m && 'no verdict', $stack !~ /^at the boundary: RIP entry_SYSCALL_64\+0x0, / && 'not at the boundary')
	} 'syscall/swapgs/u-small/entry_SYSCALL_64+0x0@1:nmi', 'syscall/swapgs/u-small/entry_SYSCALL_64+0x0@1:gp';
});
claim('what an older run left is replaced, and nothing is half-written', sub {
	my ($r, $folder) = dumped($left);
	my @old = map { artifact($folder, $_) } @files;
	write_file("$folder/$_", 'old') for @files;
	my $again = gsgate('replay', '--dump', $folder =~ s{/[^/]+$}{}r, $left);
	return (map({ artifact($folder, $files[$_]) eq $old[$_] ? () : "$files[$_] is not replaced" } 0 .. $#files), leftovers($folder, @files));
});
claim('a good run makes the folder and leaves it empty', sub {
	need_kvm();
	my $r = gsgate(qw(run syscall --scheme swapgs --gs u-small --event nmi --artifacts), "$dir/empty");
	return ($r->{status} eq 0 ? () : "exit $r->{status}", -d "$dir/empty" ? leftovers("$dir/empty") : 'no folder');
});
claim('a folder that cannot be written is refused before any work', sub {
	my $file = write_file("$dir/file", '');
	return map { my @to = @$_; map { refused(2, $to[1], @$_, $to[0]) } [qw(run --artifacts)], ['replay', $left, '--dump'] }
		[$file, qr/file/], ["$dir/missing/x", qr/missing/], ['', qr/empty/], ['x' x 5000, qr/too long/], ['/proc/self', qr/proc/];
});
claim('--artifacts belongs to run, --dump to replay', sub {
	return (refused(2, qr/belongs to gsgate replay/, qw(run --dump), $dir), refused(2, qr/belongs to gsgate run/, 'replay', $left, '--artifacts', $dir));
});

run_claims();
