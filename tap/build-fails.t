#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# build-fails.t: what the guest must not be built with is refused by its compiler, with the reason.
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;

my $compile = 'gcc -std=gnu11 -O2 -ffreestanding -fno-pic -mcmodel=kernel -mgeneral-regs-only -fsyntax-only -I.';

# A copy of the guest with one line of a header changed, and what a file of it says to that.
my @rows = (
	['another width of virtual addresses', 'abi.h', qr/^#define ABI_VIRTUAL_BITS 48\b/m, '#define ABI_VIRTUAL_BITS 57', 'exit.c', qr/the page tables translate another width/],
	['another depth of the page tables', 'abi.h', qr/^#define ABI_PAGE_TABLE_LEVELS 4\b/m, '#define ABI_PAGE_TABLE_LEVELS 5', 'exit.c', qr/the page tables translate another width/],
	['both, as with five levels', 'abi.h', qr/^#define ABI_VIRTUAL_BITS 48\b(.*)\n#define ABI_PAGE_TABLE_LEVELS 4\b/m,
		"#define ABI_VIRTUAL_BITS 57\n#define ABI_PAGE_TABLE_LEVELS 5", 'exit.c', qr/user space ends elsewhere/],
	['user space up to its last page', 'abi.h', qr/^#define ABI_TASK_SIZE_MAX 0x7ffffffff000\b/m, '#define ABI_TASK_SIZE_MAX 0x800000000000', 'exit.c', qr/user space ends elsewhere/],
	['an IST stack that is no power of two', 'stacks.h', qr/^#define IST_STACK_SIZE +4096\b/m, '#define IST_STACK_SIZE 6144', 'stacks.c', qr/RSP & -size must find the slot/],
);

sub text {
	my ($path, $new) = @_;
	if (defined $new) {
		open my $out, '>', $path or die "$path: $!\n";
		print $out $new;
		close $out or die "$path: $!\n";
	}
	open my $in, '<', $path or die "$path: $!\n";
	return do { local $/; <$in> };
}

sub compiled {
	my ($dir, $file) = @_;
	my $said = qx(cd '$dir' && $compile guest/$file 2>&1);
	return ($? >> 8, $said);
}

plan tests => 2 + @rows;
for my $file (qw(exit.c stacks.c)) {
	my ($status, $said) = compiled('.', $file);
	is($status, 0, "$file as it is") or diag($said);
}
for (@rows) {
	my ($name, $header, $from, $to, $file, $why) = @$_;
	my $dir = tempdir(CLEANUP => 1);
	system('cp', '-r', 'guest', $dir) == 0 or die "cp: $?\n";
	my $text = text("$dir/guest/$header");
	die "guest/$header: no line for \"$name\"\n" if $text !~ s/$from/$to/;
	text("$dir/guest/$header", $text);
	my ($status, $said) = compiled($dir, $file);
	ok($status && $said =~ $why, $name) or diag($said);
}
