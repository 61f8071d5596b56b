#!/bin/bash
# Runs the web processes and nginx in the foreground, for a container. When one of them ends, all end: the container restarts.
set -eu
cd "$(dirname "$(readlink -e "$0")")/.."
.venv/bin/python -m deploy.configure --to /etc/policeyar
read -r count run < <(.venv/bin/python -c '
from etl.core import settings
known = settings.read()
print(settings.web_processes(known), known.folders.run)')
# Its own processes alone: the group may be that of a caller.
trap 'trap "" TERM; jobs -p | xargs -r kill || true; wait; exit 1' TERM INT
for ((number = 0; number < count; number++)); do
    HOME=/var/lib/policeyar setpriv --reuid policeyar --regid policeyar --init-groups -- .venv/bin/python -m deploy.web "$number" &
done
/usr/sbin/nginx -e "$run/error.log" -c /etc/policeyar/nginx.conf -g 'daemon off;' &
wait -n || true
kill $$
wait
