#!/bin/sh
# Starts everything under supervisor, on a host without systemd, and stays in the foreground.
# The files are made anew first: the settings may have changed, and /run is empty after a start of the machine.
set -eu
cd "$(dirname "$(readlink -e "$0")")/.."
.venv/bin/python -m deploy.configure --to /etc/policeyar
exec .venv/bin/supervisord -c /etc/policeyar/supervisord.conf
