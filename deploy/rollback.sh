#!/bin/sh
# Goes back to the version installed before this one; run again it goes forward. Data and settings stay as they are.
set -eu
PREFIX=/opt/policeyar CONFIG=/etc/policeyar
fail() { echo "rollback.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run as root"
[ -d "$PREFIX/previous/" ] || fail "no version before this one is kept"
CURRENT=$(readlink -f "$PREFIX/current")
RELEASE=$(readlink -f "$PREFIX/previous")
cd "$RELEASE"
.venv/bin/python -m deploy.configure --to "$CONFIG" || fail "the settings do not fit that version"
ln -sfn "$RELEASE" "$PREFIX/current.next"
mv -T "$PREFIX/current.next" "$PREFIX/current"
ln -sfn "$CURRENT" "$PREFIX/previous"
. "$RELEASE/deploy/activate.sh"
echo "version $(basename "$RELEASE") is in use; python -m etl doctor reports a publication of other code"
