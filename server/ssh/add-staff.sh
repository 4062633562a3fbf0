#!/bin/sh
# One Unix account for one person: add-staff.sh ACCOUNT PRINCIPAL   (as root)
# The account has no password and no home; it can only come in by SSH with a certificate that names PRINCIPAL.
# Its name goes into the establishment's file as `unix_user`.
set -eu
group=${SIGHTLINE_GROUP:-sightline-staff}
principals=${SIGHTLINE_PRINCIPALS:-/etc/sightline/ssh/principals}
fail() { echo "add-staff: $1" >&2; exit 1; }

[ $# -eq 2 ] || fail "give an account and a principal: add-staff.sh r-hughes r.hughes@example.gov.uk"
[ "$(id -u)" = 0 ] || fail "this makes a Unix account; run it as root"
case $1 in *[!a-z0-9-]* | -* | '') fail "an account's name has small letters, digits and hyphens: $1 has not" ;; esac
case $2 in *[!A-Za-z0-9@._-]* | '') fail "a principal has letters, digits and @ . _ -: $2 has not" ;; esac
if id "$1" >/dev/null 2>&1; then fail "the account $1 exists already; choose another"; fi

getent group "$group" >/dev/null || groupadd --system "$group"
# `*` is no password's hash: nobody can log in with one, and sshd does not take the account for locked.
useradd --no-create-home --home-dir / --no-user-group --gid "$group" --shell /bin/sh --password '*' "$1"
mkdir -p "$principals"
umask 022
printf '%s\n' "$2" >"$principals/$1"
echo "add-staff: $1 comes in with a certificate for $2"
