#!/bin/bash
# Runs the web processes, nginx and the worker in the foreground, for a container. When one of them ends, all end: the
# container restarts.
set -eu
cd "$(dirname "$(readlink -e "$0")")/.."
.venv/bin/python -m deploy.configure --to /etc/policeyar
read -r count run submissions < <(.venv/bin/python -c '
from etl.core import settings
known = settings.read()
print(settings.web_processes(known), known.folders.run, known.folders.submissions)')
# Its own processes alone: the group may be that of a caller.
trap 'trap "" TERM; jobs -p | xargs -r kill || true; wait; exit 1' TERM INT
account=(env HOME=/var/lib/policeyar setpriv --reuid policeyar --regid policeyar --init-groups --)
for ((number = 0; number < count; number++)); do
    "${account[@]}" .venv/bin/python -m deploy.web "$number" &
done
# What fails is tried again.
while sleep 10; do
    if compgen -G "$submissions/orders/*.json" >/dev/null; then "${account[@]}" .venv/bin/python -m etl work || true; fi
done &
/usr/sbin/nginx -e "$run/error.log" -c /etc/policeyar/nginx.conf -g 'daemon off;' &
wait -n || true
kill $$
wait
