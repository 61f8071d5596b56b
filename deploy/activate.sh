#!/bin/sh
# activate.sh RELEASE: makes this version the one in use and starts what runs; install.sh and rollback.sh run it.
# Where something does not start, the version that was in use before is started again.
set -eu
PREFIX=/opt/policeyar CONFIG=/etc/policeyar UNITS=/etc/systemd/system
# A plain `su` leaves out the folders of root.
PATH=$PATH:/usr/sbin:/sbin
RELEASE=$(readlink -e "$1")
IN_USE=$(readlink -e "$PREFIX/current" || true)
BEFORE=${2-$IN_USE}
[ "$BEFORE" != "$RELEASE" ] || BEFORE=
link() {
    ln -sfn "$2" "$PREFIX/$1.next"
    mv -T "$PREFIX/$1.next" "$PREFIX/$1"
}
go_back() {
    echo "activate.sh: version $(basename "$RELEASE") does not start; see above and journalctl -u 'policeyar-*' -n 50" >&2
    [ -n "$BEFORE" ] || exit 1
    # It has none to go back to.
    sh "$BEFORE/deploy/activate.sh" "$BEFORE" "" || exit 1
    echo "activate.sh: version $(basename "$BEFORE") is in use, as before" >&2
}

cd "$RELEASE"
# As the user of the processes, for root may read and write everything. A version that ran before is not asked again.
if [ $# = 1 ] && ! found=$(runuser -u policeyar -- .venv/bin/python -B -m etl doctor --without-publication); then
    printf '%s\n' "$found" | grep '^FAULT' >&2 || true
    echo "activate.sh: version $(basename "$RELEASE") is not put into use" >&2
    exit 1
fi
# Units and drop-ins that are installed, as paths below $UNITS.
installed=$(for folder in "$IN_USE/deploy/systemd" "$CONFIG/systemd"; do
    [ ! -d "$folder" ] || (cd "$folder" && find . -type f -printf '%P\n')
done)
# Faults are printed, and the files of the version in use stay.
.venv/bin/python -m deploy.configure --to "$CONFIG"
trap go_back EXIT
link current "$RELEASE"
install -d /etc/logrotate.d
install -m 644 deploy/logrotate /etc/logrotate.d/policeyar
if [ -d /run/systemd/system ]; then
    install -m 644 deploy/systemd/* "$UNITS"
    cp -R "$CONFIG"/systemd/. "$UNITS"
    # What this version does not have, systemd forgets.
    for unit in $installed; do
        if [ -e "deploy/systemd/$unit" ] || [ -e "$CONFIG/systemd/$unit" ] || [ ! -e "$UNITS/$unit" ]; then continue; fi
        case $unit in
            */*)
                rm "$UNITS/$unit"
                rmdir --ignore-fail-on-non-empty "$UNITS/${unit%/*}"
                ;;
            *)
                # A template stands for all its instances.
                systemctl stop "$(echo "$unit" | sed 's/@\./@*./')"
                systemctl disable --quiet "$unit"
                rm "$UNITS/$unit"
                ;;
        esac
    done
    systemctl daemon-reload
    # A unit that failed too often would not be started, even once its cause is mended.
    systemctl reset-failed 'policeyar-*' 2>/dev/null || true
    known=$(.venv/bin/python -B -c '
from etl.core import settings
known = settings.read()
builds, pulls = "policeyar-build.timer,policeyar-work.path,policeyar-work.timer", "policeyar-pull.timer"
print(settings.web_processes(known), *((pulls, builds) if known.replicas.source else (builds, pulls)))')
    # shellcheck disable=SC2086
    set -- $known
    count=$1 makes=$2 leaves=$3 number=0
    while [ "$number" -lt "$count" ]; do
        systemctl enable --quiet "policeyar-web@$number.service"
        systemctl restart "policeyar-web@$number.service"
        number=$((number + 1))
    done
    # Fewer processes than before.
    while systemctl is-enabled --quiet "policeyar-web@$number.service" 2>/dev/null; do
        systemctl disable --quiet --now "policeyar-web@$number.service"
        number=$((number + 1))
    done
    # A host that takes publications from another one does not build.
    # shellcheck disable=SC2046
    systemctl disable --quiet --now $(echo "$leaves" | tr , ' ')
    # shellcheck disable=SC2046
    systemctl enable --quiet --now $(echo "$makes" | tr , ' ') policeyar-ready.timer
    systemctl enable --quiet policeyar-nginx.service
    systemctl restart policeyar-nginx.service
else
    echo "no systemd here: start it with $PREFIX/current/deploy/start.sh, as a container does"
fi
trap - EXIT
[ -z "$BEFORE" ] || link previous "$BEFORE"
