#!/bin/bash
# Runs every fuzz target for the given number of seconds; what crashes it is kept in build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
cmake --preset fuzz >/dev/null
cmake --build build/fuzz
mkdir -p build/fuzz/crashes
for source in tests/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    subject=${target#fuzz_}
    mkdir -p "build/fuzz/found/$subject"
    echo "== $target for $seconds s"
    "build/fuzz/tests/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crashes/$subject-" "build/fuzz/found/$subject" "tests/fuzz/corpus/$subject" 2>&1 |
        grep -E 'stat::(number_of_executed_units|average_exec)|ERROR|SUMMARY|Assertion' || true
    test -z "$(find build/fuzz/crashes -name "$subject-*" -print -quit)"
done
