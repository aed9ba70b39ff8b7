#!/bin/sh
# Stands in for configuring one host: `configure-host.sh HOST ADDRESS ROLE`. REHEARSE=fail fails for good, REHEARSE=busy at
# the first two attempts.
set -eu
host=$1 address=$2 role=$3

echo "$host ($address): installing what a $role server needs"
case ${REHEARSE:-} in
fail)
    echo "$host: no package named $role-server in any repository" >&2
    exit 65
    ;;
busy)
    [ "${TUTTI_ATTEMPT:-1}" -ge 3 ] || { echo "$host: the package database is locked" >&2; exit 75; }
    ;;
esac
echo "$host ($address): ready"
