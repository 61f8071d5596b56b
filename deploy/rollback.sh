#!/bin/sh
# Goes back to the version installed before this one; run again it goes forward. Data and settings stay as they are.
set -eu
PREFIX=/opt/policeyar
fail() { echo "rollback.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run as root"
[ -d "$PREFIX/previous/" ] || fail "no version before this one is kept"
RELEASE=$(readlink -f "$PREFIX/previous")
sh "$RELEASE/deploy/activate.sh" "$RELEASE" || fail "version $(basename "$RELEASE") cannot be used"
echo "version $(basename "$RELEASE") is in use; python -m etl doctor reports a publication of other code"
