#!/bin/sh
# Stands in for patching one host: `patch-host.sh HOST`. Every seventh host has a full disk, every nineteenth does not answer.
set -eu
host=$1
number=${host##*-}
case $number in '' | *[!0-9]*) number=1 ;; esac

echo "$host: looking for updates"
if [ $((number % 19)) -eq 0 ]; then
    echo "$host: no route to host" >&2
    exit 65
fi
sleep "${PATCH_SECONDS:-0.2}"
if [ $((number % 7)) -eq 0 ]; then
    echo "$host: no space left on /boot" >&2
    exit 28
fi
echo "$host: 12 packages updated"
