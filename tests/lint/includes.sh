#!/bin/bash
# The rooms: includes point one way, policy/ is pure, files and headers stay short, nothing mutable is global.
# Usage: includes.sh [BUILD_DIRECTORY]; without it, the libraries are not looked at.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-}
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
ROOMS="base policy admission sources certs server"
FILE_LINES=500 HEADER_LINES=110

# What a room may include of ours, besides itself.
allowed() {
    case $1 in
    base) echo base ;;
    policy) echo base policy ;;
    admission) echo base policy admission ;;
    sources) echo base policy sources ;;
    certs) echo base certs ;;
    server) echo "$ROOMS" ;;
    esac
}

check_includes() {
    local room file line header
    for room in $ROOMS; do
        { grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$room"/*.[ch] || true; } | while IFS=: read -r file line header; do
            header=${header#*\"} header=${header%%\"*}
            [ -f "$header" ] || echo "$file:$line: \"$header\" is no header from the top of the tree"
            case " $(allowed "$room") " in
            *" ${header%%/*} "*) ;;
            *) echo "$file:$line: $room/ may not include \"$header\"; it may include: $(allowed "$room")" ;;
            esac
            case $header in *.c) echo "$file:$line: includes a source file" ;; esac
        done
    done
}

check_policy_is_pure() {
    grep -nE 'json_t\b|jansson|curl|pthread_' policy/*.[ch] |
        sed -E 's/^([^:]*:[0-9]+):.*/\1: policy\/ knows no JSON library, no network and no threads/' || true
}

check_lengths() {
    local file lines
    git ls-files -co --exclude-standard '*.c' '*.h' | while read -r file; do
        [ -f "$file" ] || continue # deleted, not committed yet
        lines=$(wc -l <"$file")
        if [ "$lines" -gt $FILE_LINES ]; then
            echo "$file: $lines lines; over $FILE_LINES it is two files"
        fi
        case $file in *.h) ;; *) continue ;; esac
        if [ "$lines" -ge $HEADER_LINES ]; then
            echo "$file: $lines lines; a header stays under $HEADER_LINES"
        fi
    done
}

# Symbols in sections that can be written to. .data.rel.ro is constant once addresses are filled in; what sanitizers and
# the compiler add begins with __ or a dot.
check_globals() {
    local room objects
    for room in $ROOMS main; do
        objects=$(find "$build" -name "lib$room.a" -o -path "*/sgp-webhook.dir/server/$room.c.o" | head -n 1)
        if [ -z "$objects" ]; then
            echo "$build: nothing built of $room in it; build first"
            continue
        fi
        objdump -t "$objects" | awk '
            / file format / { object = $1; sub(/:$/, "", object); next }
            NF < 5 && !/\*COM\*/ { next }
            {
                size = $(NF - 1); name = $NF; section = $(NF - 2)
                if (section !~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ || section ~ /^\.data\.rel\.ro/) next
                if (size ~ /^0+$/ || name ~ /^(__|\.)/) next
                printf "%s: %s is a global that can be written to (%s)\n", object, name, section
            }' | sed -E "s|^.*/||; s|^|$room/|; s|^main/|server/|; s|\.c\.o: |.c: |"
    done
}

{
    check_includes
    check_policy_is_pure
    check_lengths
    [ -z "$build" ] || check_globals
} >"$errors"
cat "$errors" >&2
[ ! -s "$errors" ]
