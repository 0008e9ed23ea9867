#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh: one fuzz target as one test point: its corpus first, then what libFuzzer makes of it for FUZZ_SECONDS. What
# it learns is kept beside the target, and so is the input of a finding.
set -u

target=$1
name=${target##*/fuzz-}
dir=$(dirname "$target")
seconds=${FUZZ_SECONDS:-20}
mkdir -p "$dir/corpus/$name"

echo '1..1'
if "$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
	-artifact_prefix="$dir/$name-" "$dir/corpus/$name" "tap/corpus/$name" >"$dir/$name.log" 2>&1; then
	echo "ok 1 - $name: no finding"
	echo "# $(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$name.log") inputs in $seconds s"
else
	echo "not ok 1 - $name: no finding"
	tail -n 40 "$dir/$name.log" | sed 's/^/# /' >&2
	exit 1
fi
