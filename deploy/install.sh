#!/bin/sh
# Installs this archive, or upgrades to it, on a Debian without internet. Run as root from where it was unpacked.
# Data (/var/lib/policeyar) and settings (/etc/policeyar/settings.toml) stay as they are; rollback.sh goes back one version.
set -eu
umask 022
# A plain `su` leaves out the folders of root.
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")"
PREFIX=/opt/policeyar DATA=/var/lib/policeyar CONFIG=/etc/policeyar
VERSION=$(cat VERSION)
RELEASE=$PREFIX/releases/$VERSION
fail() { echo "install.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run as root"
# The key of who makes the releases, which the operator got by another way.
if [ -e "$CONFIG/release.pub" ]; then
    command -v ssh-keygen >/dev/null || fail "openssh-client is needed to check the signature; nothing was changed"
    signers=$(mktemp)
    echo "maker $(cat "$CONFIG/release.pub")" > "$signers"
    ssh-keygen -Y verify -q -f "$signers" -I maker -n policeyar -s SHA256SUMS.sig < SHA256SUMS >/dev/null 2>&1 ||
        { rm "$signers"; fail "the archive is not signed with the key in $CONFIG/release.pub; nothing was changed"; }
    rm "$signers"
else
    echo "install.sh: no $CONFIG/release.pub, so nothing says who made this archive (docs/operations.md)" >&2
fi
sha256sum --quiet --strict -c SHA256SUMS || fail "the archive is damaged; nothing was changed"
listed=$(mktemp)
cut -c 67- SHA256SUMS > "$listed"
more=$(find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig -printf '%P\n' | grep -vxFf "$listed" || true)
rm "$listed"
[ -z "$more" ] || fail "the archive holds what its list does not name: $more; nothing was changed"

# Debian's packages: only those that are missing.
if [ -d debian ]; then
    missing=
    had_nginx=$(command -v /usr/sbin/nginx || true)
    for deb in debian/*.deb; do
        package=$(dpkg-deb -f "$deb" Package)
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $PWD/$deb"
    done
    # Not as apt's own user, who may not look into the folder of root.
    # shellcheck disable=SC2086
    [ -z "$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
        -o APT::Sandbox::User=root $missing >/dev/null || fail "apt-get failed"
    # Debian starts an nginx with a page of its own at port 80 of every address.
    if [ -z "$had_nginx" ] && [ -d /run/systemd/system ]; then systemctl disable --quiet --now nginx.service; fi
fi
PYTHON=$(command -v "python$(cat PYTHON)") || fail "Python $(cat PYTHON) is needed"
[ -x /usr/sbin/nginx ] || fail "nginx is needed: apt-get install nginx-light"

getent group policeyar >/dev/null || groupadd --system policeyar
getent passwd policeyar >/dev/null ||
    useradd --system --gid policeyar --home-dir "$DATA" --no-create-home --shell /usr/sbin/nologin policeyar
for folder in "$DATA" "$DATA/warehouse" "$DATA/incoming" "$DATA/submissions" "$DATA/views" "$DATA/audit" "$DATA/briefings" "$DATA/outbox" "$DATA/backups"; do
    [ -d "$folder" ] || install -d -m 750 -o policeyar -g policeyar "$folder"
done
install -d "$CONFIG" "$PREFIX/releases"
[ -e "$CONFIG/settings.toml" ] || install -m 640 -g policeyar code/deploy/settings.toml "$CONFIG/settings.toml"
# Faulty settings: every fault is printed before anything is installed, and the version in use goes on.
(
    # The calendar of a day among them, read from its wheel.
    PYTHONPATH=$(echo "$PWD"/wheels/persiantools-*.whl) && export PYTHONPATH
    cd code && "$PYTHON" -B -c '
import sys
from etl.core import settings
try: settings.read()
except settings.Faulty as error: sys.exit(str(error))'
) || fail "mend $CONFIG/settings.toml and run install.sh again"

# Next to the version in use, which keeps serving.
rm -rf "$RELEASE.new"
cp -R code "$RELEASE.new"
if [ -d "$RELEASE" ]; then rm -rf "$RELEASE.old"; mv "$RELEASE" "$RELEASE.old"; fi
mv "$RELEASE.new" "$RELEASE"
set -- wheels/pip-*.whl
if ! "$PYTHON" -m venv --without-pip "$RELEASE/.venv" ||
    ! PYTHONPATH=$1 "$RELEASE/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --no-index --find-links wheels --require-hashes --only-binary=:all: -r "$RELEASE/requirements.lock"; then
    rm -rf "$RELEASE"
    [ ! -d "$RELEASE.old" ] || mv "$RELEASE.old" "$RELEASE"
    fail "nothing was changed"
fi
rm -rf "$RELEASE.old"
install -m 755 rollback.sh "$PREFIX/rollback.sh"
sh "$RELEASE/deploy/activate.sh" "$RELEASE" || fail "correct the errors above and run install.sh again"
echo "installed $VERSION"
