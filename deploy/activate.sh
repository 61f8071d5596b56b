# Sourced by install.sh and rollback.sh: units of the version in use, and the start of what runs.
install -d /etc/logrotate.d
install -m 644 "$RELEASE/deploy/logrotate" /etc/logrotate.d/policeyar
if [ -d /run/systemd/system ]; then
    install -m 644 "$RELEASE"/deploy/systemd/* /etc/systemd/system/
    cp -R "$CONFIG"/systemd/. /etc/systemd/system/
    systemctl daemon-reload
    # What failed too often before its cause was mended would not be started now.
    systemctl reset-failed 'policeyar-*' 2>/dev/null || true
    count=$("$RELEASE/.venv/bin/python" -c "from deploy.proxy import processes; from etl.core.settings import read; print(processes(read()))")
    number=0
    while [ "$number" -lt "$count" ]; do
        systemctl enable --quiet "policeyar-web@$number.service"
        systemctl restart "policeyar-web@$number.service"
        number=$((number + 1))
    done
    systemctl enable --quiet --now policeyar-build.timer policeyar-ready.timer
    systemctl enable --quiet policeyar-nginx.service policeyar-nginx-watch.service
    systemctl restart policeyar-nginx.service policeyar-nginx-watch.service
else
    echo "no systemd here: start it with $PREFIX/current/.venv/bin/supervisord -c $CONFIG/supervisord.conf"
fi
