#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# lint.t: what a script can see of our habits. One point each, and every offence is named by file and line.
use strict;
use warnings;
use Test::More;

my @code = sort(<vmm/*.c>, <vmm/*.h>, <guest/*.c>, <guest/*.h>, <guest/*.S>, <tap/*.c>, <tap/*.h>);
my @scripts = sort(<tap/*.t>, <tap/*.sh>, <tap/*.pl>, <.ci/*>);
my @docs = grep { -e } 'README.md', <docs/*.md>;
my @data = sort(grep { -f } <scenarios/*>, <scenarios/*/*>, <guest/*.ld>, 'Makefile', 'tap/rules.yml');
my %text = map { $_ => read_lines($_) } @code, @scripts, @docs, @data;
my @bad;

# Only these may know of KVM's own structures.
my $knows_kvm = qr{^vmm/(?:kvm\.[ch]|machine\w*\.[ch]|(?:run|artefact|inject|watchdog|tiny|bench)\.c)$};
# These must work without any KVM: tests link them, and other engines use them.
my $pure = qr{^vmm/(?:judge\w*|layout\w*|lsl|map|model\w*|noswapgs|elf|symbols|lines|decode|mem|stops|scenario\w*|caseid|death|gsvalue|rank|tally
	|event|state|gdb_packet|gdb_regs|qcow2|vmstate\w*)\.[ch]$}x;

sub read_lines {
	my ($path) = @_;
	open my $in, '<', $path or die "$path: $!\n";
	chomp(my @lines = <$in>);
	return \@lines;
}

# Calls check(line, path) with the line in $_; a true answer is an offence, its text the reason.
sub each_line {
	my ($files, $check) = @_;
	for my $path (@$files) {
		my $n = 0;
		for (@{ $text{$path} }) {
			$n++;
			my $why = $check->($path);
			push @bad, "$path:$n: $why" if $why;
		}
	}
}

sub point {
	my ($name) = @_;
	ok(!@bad, $name);
	diag($_) for @bad;
	@bad = ();
}

sub includes {
	my ($path) = @_;
	return map { /^\s*#\s*include\s*([<"][^>"]+)[>"]/ ? $1 : () } @{ $text{$path} // [] };
}

# All that a file includes, directly or not: path => the way to it.
sub reached {
	my ($path, $way, $seen) = @_;
	for my $what (includes($path)) {
		(my $file = $what) =~ s/^[<"]//;
		next if $seen->{$file};
		$seen->{$file} = "$way > $file";
		reached($file, $seen->{$file}, $seen) if $what =~ /^"/;
	}
	return $seen;
}

sub check_heads {
	for my $path (@code) {
		my ($name, @l) = ($path =~ m{([^/]+)$}, @{ $text{$path} });
		push @bad, "$path:1: not /* SPDX-License-Identifier: MIT */"
			if ($l[0] // '') ne '/* SPDX-License-Identifier: MIT */';
		push @bad, "$path:2: not /* $name: what it owns. */" if ($l[1] // '') !~ m{^/\* \Q$name\E: \S};
	}
	point('every file starts with its licence, and its name and what it owns');
}

sub check_sizes {
	for my $path (@code, @scripts, 'Makefile') {
		my $n = @{ $text{$path} };
		push @bad, "$path: $n lines" if $n > 300;
	}
	point('no file is longer than 300 lines');
	for my $path (grep { /\.[ch]$/ } @code) {
		my ($n, $start, $name) = (0, 0, '?');
		for (@{ $text{$path} }) {
			$n++;
			$name = $1 if /^\w.*?(\w+)\(/;
			$start = $n if /^\{/ || /^\w.*\)\s*\{$/;
			push @bad, "$path:$start: $name() has " . ($n - $start + 1) . " lines"
				if /^\}/ && $start && $n - $start >= 60;
			$start = 0 if /^\}/;
		}
	}
	point('no function is longer than 60 lines');
}

# What a file of each folder may include, besides the C library for vmm and tap.
sub check_includes {
	my %may = (
		guest => qr{^"guest/|^<std(?:int|def|bool|arg)\.h$},
		vmm => qr{^"vmm/|^"guest/abi\.h$|^<},
		tap => qr{^"(?:tap|vmm)/|^"guest/abi\.h$|^<},
	);
	for my $path (@code) {
		my ($dir) = split m{/}, $path;
		for my $what (includes($path)) {
			push @bad, "$path: includes $what" . ($what =~ /^</ ? '>' : '"') if $what !~ $may{$dir};
			push @bad, "$path: includes $what\", which is not there" if $what =~ /^"(.+)/ && !-e $1;
			push @bad, "$path: includes <linux/kvm.h>" if $what =~ m{linux/kvm} && $path !~ $knows_kvm;
			push @bad, "$path: includes <assert.h>: what it checks is lost with NDEBUG" if $what =~ /<assert/;
		}
	}
	point('includes go where they may');
	for my $path (grep { /$pure/ } @code) {
		my $seen = reached($path, $path, {});
		my ($way) = map { $seen->{$_} // () } 'vmm/machine.h', 'vmm/kvm.h', 'linux/kvm.h';
		push @bad, $way if $way;
	}
	point('pure modules never reach KVM');
}

sub check_lines {
	each_line([grep { $_ ne 'vmm/kvm.c' } @code],
		sub { s{/\*.*?\*/}{}gr =~ /\bioctl\s*\(/ && 'ioctl() outside vmm/kvm.c' });
	point('ioctl() is called in vmm/kvm.c only');
	# Tests may make up images of their own, and documents show real output.
	each_line([grep { !m{^tap/} } @code, @data], sub {
		(my $line = $_) =~ s/0xffffffff80000000//gi;
		$line =~ /(0xffffffff8[0-9a-f]{7})\b/i && "$1: an address where a name belongs" });
	point('no address of the kernel stands in a source or scenario');
	each_line([@code, @scripts, @data, @docs], sub {
		my $roots = $_[0] =~ m{^tap/} ? qr{home|work|root} : qr{home|work|root|tmp};
		m{(?<![\w.*?:)\]>/~-])(/(?:$roots))\b(?!\.)} && "$1: a path of one machine" });
	point('no path of one machine');
	each_line([@code, @scripts, @data, @docs], sub { /[ \t\r]+$/ && 'trailing whitespace' });
	point('no trailing whitespace');
}

# A path counts if it has a dot or ends in a slash; NAME stands for any name.
sub doc_paths {
	my ($path) = @_;
	my ($here, @gone) = $path =~ m{^(.*/)?};
	push @gone, grep { !-e } map { ($here // '') . $_ } grep { !/^[a-z]+:/ } /\]\(([^)#\s]+)/g;
	for my $named (m{(?<![\w./-])((?:vmm|guest|scenarios|tap|docs|\.ci)/[\w./*-]*)}g) {
		(my $glob = $named) =~ s/[.]+$//;
		next if $glob !~ m{[.]|/$};
		$glob =~ s/\bNAME\b/*/g;
		push @gone, $named if !grep { -e } glob $glob;
	}
	return @gone && "@gone: there is no such path";
}

check_heads();
check_sizes();
check_includes();
check_lines();
each_line(\@docs, \&doc_paths);
point('every path that a document names is there');
done_testing();
