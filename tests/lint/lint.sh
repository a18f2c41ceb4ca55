#!/bin/bash
# Formatting, static analysis and the project's own rules. Clean means no output but the names of the steps.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
sources=$(git ls-files -co --exclude-standard '*.c' '*.h')
step() { printf '== %s\n' "$1"; }

step clang-format
clang-format-14 --dry-run --Werror $sources
step "includes and globals"
cmake --preset release -DSGP_TESTS=ON >/dev/null
cmake --build "$build" >/dev/null
tests/lint/includes.sh "$build"
step requirements
python3 tests/lint/requirements.py
python3 tests/lint/docs.py
step cppcheck
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -I . \
    --suppressions-list=tests/lint/cppcheck-suppressions.txt -D_GNU_SOURCE -DSGP_VERSION='"0"' '-Dcds_lfht_for_each(table,iterator,node)=while (node)' -j "$(nproc)" \
    base policy admission sources certs server
step clang-tidy
clang_build=build/clang
cmake --preset clang >/dev/null
printf '%s\n' $(git ls-files -co --exclude-standard 'base/*.c' 'policy/*.c' 'admission/*.c' 'sources/*.c' 'certs/*.c' 'server/*.c') |
    xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p "$clang_build" 2>/dev/null
