#!/bin/sh
# Installs the Debian packages of the named parts of packages.txt that are missing; says what to do when it may not.
set -eu
cd "$(dirname "$0")/.."
wanted=$(for part in "$@"; do sed -n "s/^$part //p" packages.txt; done)
missing=""
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "These Debian packages are missing; install them and try again:" >&2
        echo "    apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    sudo="sudo -n"
fi
echo "installing$missing"
# A server that a package would start is not wanted: tests start what they need.
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
