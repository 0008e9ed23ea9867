#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# docs.t: what the documents say is so: paths, symbols, windows, rules, who breaks them, and the output that README shows.
use strict;
use warnings;
use lib 'tap';
use TestGsgate;

my %text = map { $_ => read_file($_) } 'README.md', <docs/*.md>;
my @long = ('syscall', '--gs', 'u-small');      # a run of all events; what README shows is a run of everything
my $case = 'syscall/ist/u-negative/entry_SYSCALL_64+0x0@1:nmi';

sub source {
	my ($path) = @_;
	return read_file($path) // die "$path: $!\n";
}

# The sections of a document: [[heading, text], ...].
sub sections {
	my ($path) = @_;
	my (undef, @parts) = split /^#+ +(.+)\n/m, source($path);
	my @found;
	push @found, [splice @parts, 0, 2] while @parts;
	return @found;
}

sub quoted {
	my ($text) = @_;
	return $text =~ /`([^`\n]+)`/g;
}

# The lines of README's code block that begins with this one.
sub sample {
	my ($begin) = @_;
	my ($block) = $text{'README.md'} =~ /^```\n(\Q$begin\E.*?)^```$/ms or die "README.md: no block begins \"$begin\"\n";
	return lines_of($block);
}

# Numbers, addresses and the spaces that align them do not count.
sub masked {
	my ($line) = @_;
	return $line =~ s/0x[0-9a-f]+/N/gr =~ s/(?<!\w)\d[\d.]*(?![\w])/N/gr =~ s/\bjobs?\b/jobs/r =~ s/ +/ /gr;
}

sub symbols {
	my %found = map { / (\S+)$/ ? ($1 => 1) : () } split /\n/, qx(nm '$guest');
	die "nm $guest: no symbol\n" if !%found;
	return \%found;
}

sub scenarios {
	return map { m{([^/]+)\.scn$} } <scenarios/*.scn>;
}

sub broken {
	return map { m{([^/]+)\.expect$} } <tap/broken/*.expect>;
}

# The rules that a manifest expects.
sub rules_of {
	my ($name) = @_;
	return map { /^(?:expect|golden)\s+(\S+)/ ? $1 : () } lines_of(source("tap/broken/$name.expect"));
}

# By vmm/judge.c, in the order in which they speak.
sub rules {
	my ($table) = source('vmm/judge.c') =~ /rule_names\[RULE_COUNT\] = \{(.*?)\};/s;
	return $table =~ /\[RULE_\w+\] = "([^"]+)"/g;
}

# Name => rule, by vmm/canary.c.
sub canaries {
	return map { my ($name, $rule) = @$_; ($name => lc $rule =~ tr/_/-/r) }
		map { /\{ "([^"]+)", RULE_(\w+),/ ? [$1, $2] : () } lines_of(source('vmm/canary.c'));
}

# Words that windows.md may quote besides symbols and paths.
sub known_words {
	my @events = source('vmm/event.c') =~ /\{ "([a-z.]+)",/g;
	my @values = source('vmm/gsvalue.c') =~ /"([a-z0-9-]+)"/g;
	return map { $_ => 1 } scenarios(), broken(), rules(), @events, @values, 'gsgate list --boundaries';
}

claim('every path that a document names is there', sub {
	my @gone;
	for my $path (sort keys %text) {
		for ($text{$path} =~ m{(?<![\w./-])((?:vmm|guest|scenarios|tap|docs|\.ci)/[\w./*-]*[\w/*])}g) {
			my $glob = s/\bNAME\b/*/gr;
			push @gone, "$path: $_" if m{[.]|/$} && !grep { -e } glob $glob;
		}
		push @gone, map { "$path: $_" } grep { !-e "tap/broken/$_.expect" } $text{$path} =~ m{build/broken/([\w-]+)/}g;
	}
	return @gone;
});
claim('every target that a document asks make for is in the Makefile', sub {
	my %targets = map { /^([a-z-]+):/ ? ($1 => 1) : () } lines_of(source('Makefile'));
	return map { my $path = $_; map { $targets{$_} ? () : "$path: make $_" } $text{$path} =~ /(?:`|^(?=make [a-z-]+$))make ([a-z-]+)/mg }
		sort keys %text;
});

claim('every symbol that windows.md names is in the guest', sub {
	my ($symbols, %known) = (symbols(), known_words());
	return grep { !$symbols->{$_} && !$known{$_} && !m{^[\w.]+/[\w.]+$} } quoted($text{'docs/windows.md'});
});
claim('every window that the guest labels is in windows.md, begin and end', sub {
	my %named = map { $_ => 1 } quoted($text{'docs/windows.md'});
	return grep { /^win_/ && !$named{$_} } sort keys %{ symbols() };
});
claim('every window that is measured is in windows.md, with scenarios that come there', sub {
	need_engine();
	my @map = lines_of(gsgate({ limit => 300 }, 'list', '--boundaries', '--gs', 'u-small')->{out});
	my (%section, %seen, @wrong);
	for (sections('docs/windows.md')) {
		my ($heading, $body) = @$_;
		$section{"$1 $2"} = [$heading, $body] while $body =~ /^- Measured from `(\w+)` to `(\w+)`/mg;
	}
	for (grep { /^# window/ } @map) {
		my ($from, $first, $to) = /: ((\w+)\+\S+) \.\. (\w+)\+/;
		my $found = $section{"$first $to"};
		$seen{"$first $to"} = 1;        # the same one again where A is of another class
		push @wrong, "not there: $_" if !$found;
		my ($said) = ($found // ['', ''])->[1] =~ /^- Scenarios: (.*?)(?=^- |\z)/ms;
		my %there = map { m{^([^/]+)/[^/]+/[^/]+/(?:cpu\d\.)?\Q$from\E\@.* window=1 } ? ($1 => 1) : () } @map;
		my %scenario = map { $_ => 1 } scenarios();
		my ($sure) = split /(?<=\.)\s/, $said // '';
		push @wrong, map { "$first: $_ does not come there" } grep { $scenario{$_} && !$there{$_} } quoted($sure // '');
	}
	return @wrong, map { "not measured: $_" } grep { !$seen{$_} } sort keys %section;
});

claim('every rule has its section in rules.md, and no other thing has, in the order in which they speak', sub {
	my @said = map { $_->[0] } sections('docs/rules.md');
	my @rules = rules();
	shift @said;                    # the title
	return "@said" eq "@rules" ? () : ("rules.md: @said", "judge.c: @rules");
});
claim('what rules.md says to break a rule is a canary or a broken guest that does', sub {
	my (%canary, @wrong) = canaries();
	my %broken = map { $_ => { map { $_ => 1 } rules_of($_) } } broken();
	for (sections('docs/rules.md')) {
		my ($rule, $body) = @$_;
		my ($canaries) = $body =~ /^- Canar(?:y|ies): (.*)/m;
		my ($guests) = $body =~ /Broken guests: (.*?)(?=^- |\z)/ms;
		push @wrong, map { "$rule: canary $_" } grep { ($canary{$_} // '') ne $rule } ($canaries // '') =~ /"([^"]+)"/g;
		push @wrong, map { "$rule: $_" } grep { !$broken{$_}{$rule} } quoted($guests // '');
		push @wrong, map { "$rule: canary \"$_\" is not told" }
			grep { $canary{$_} eq $rule && index($canaries // '', "\"$_\"") < 0 } sort keys %canary;
		push @wrong, "$rule: none of its broken guests is told" if !quoted($guests // '') && grep { $_->{$rule} } values %broken;
	}
	return @wrong;
});

claim('every file is in tour.md, a header by itself or by its file', sub {
	my %told = map { $_ => 1 } map { glob s/\bNAME\b/*/gr } grep { m{^[\w.]+/} } quoted($text{'docs/tour.md'});
	return grep { !$told{$_} && !(/^(.*)\.h$/ && $told{"$1.c"}) } <vmm/*.[ch]>, <guest/*.*>, <tap/*.*>;
});
claim('tour.md numbers its steps from 1 on', sub {
	my $n = 0;
	return grep { /^(\d+)/ && $1 != ++$n } $text{'docs/tour.md'} =~ /^(\d+\. .*)$/mg;
});

# Final lines but those that depend on the host or on what a scenario shows; which events, and why boundaries are unreached, depends on what was asked for.
sub final_lines {
	return map { masked($_) =~ s/(?:(?<=unreached)|(?<=injections N)|(?<=deaths N)): .*//r =~ s/^# (\S+) N N$/# rule $1/r }
		grep { /^# / && !/^# (?:Subtest|exits|scheme|swapgs|ist|lsl|pure|skipped: (?!rule))/ } @_;
}

claim('a run ends with the lines that README shows', sub {
	need_engine();
	my @shown = final_lines(sample('TAP version 13'));
	my @real = final_lines(lines_of(gsgate({ limit => 300 }, 'run', @long)->{out}));
	my (%shown, %real);
	@shown{@shown} = @real{@real} = ();
	return map({ "README.md shows, a run does not: $_" } grep { !exists $real{$_} } @shown),
		map({ "a run shows, README.md does not: $_" } grep { !exists $shown{$_} } @real),
		"@shown" ne "@real" && !grep({ !exists $real{$_} } @shown) ? 'another order' : ();
});
claim('README shows a run of all events that scenarios have', sub {
	my ($line) = grep { /^# injections/ } sample('TAP version 13');
	my %scenario = map { $_ => 1 } map { split /\s*,\s*/ } map { source($_) =~ /^events\s*=\s*(.+?)\s*$/m } <scenarios/*.scn>;
	my ($seen, $there) = map { join ' ', sort @$_ } [($line // '') =~ /\d ([a-z.]+)/g], [keys %scenario];
	return $seen eq $there ? () : ("README.md: $seen", "scenarios: $there");
});
claim('the other lines that README shows of a run are of its kinds', sub {
	my $kinds = qr{^(?:TAP\ version\ 13|(?:\ {4})?1\.\.\d+|\.\.\.|ok\ \d+\ -\ canaries\ 9/9|\#\ Subtest:\ \S+/\S+/\S+
		|\ {4}ok\ \d+\ -\ (?:golden|\w+\ [a-z.]+)|ok\ \d+\ -\ (?:\S+/\S+/\S+|pin\ \S+\ \w+\ [a-z.]+:\ [a-z-]+|death\ \S+:\ [a-z-]+|every\ boundary\ .*)
		|\#\ (?!Subtest|skipped).*|\#\ skipped:\ rule\ .*)$}x;
	my $reasons = join '', map { source($_) } <vmm/*.c>;
	return grep { $_ !~ $kinds && !(/^# skipped: [\w-]+: (.+)$/ && index($reasons, $1) >= 0) } sample('TAP version 13');
});
claim('replay shows what README shows', sub {
	need_engine();
	my ($command, @shown) = sample("\$ build/gsgate replay $case");
	my $r = gsgate('replay', $case);
	skip_claim('scheme ist cannot run on this host') if $r->{status} eq '3';
	my %real = map { masked($_) => 1 } lines_of($r->{out});
	return $r->{status} ne '0' ? "exit $r->{status}" : (), grep { $_ ne '...' && !$real{ masked($_) } } @shown;
});

run_claims();
