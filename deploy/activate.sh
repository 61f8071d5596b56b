# Sourced by install.sh and rollback.sh: units of the version in use, and the start of what runs.
install -d /etc/logrotate.d
install -m 644 "$RELEASE/deploy/logrotate" /etc/logrotate.d/policeyar
if [ -d /run/systemd/system ]; then
    install -m 644 "$RELEASE"/deploy/systemd/* /etc/systemd/system/
    cp -R "$CONFIG"/systemd/. /etc/systemd/system/
    systemctl daemon-reload
    # What failed too often before its cause was mended would not be started now.
    systemctl reset-failed 'policeyar-*' 2>/dev/null || true
    ask() {
        "$RELEASE/.venv/bin/python" -c "from deploy import proxy; from etl.core import settings; known = settings.read(); print($1)"
    }
    count=$(ask 'proxy.processes(known)')
    number=0
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
    case $(ask 'bool(known.replicas.source)') in
        True) makes=pull leaves=build ;;
        *) makes=build leaves=pull ;;
    esac
    systemctl disable --quiet --now "policeyar-$leaves.timer"
    systemctl enable --quiet --now "policeyar-$makes.timer" policeyar-ready.timer
    systemctl enable --quiet policeyar-nginx.service policeyar-nginx-watch.service
    systemctl restart policeyar-nginx.service policeyar-nginx-watch.service
else
    echo "no systemd here: start it with $PREFIX/current/.venv/bin/supervisord -c $CONFIG/supervisord.conf"
fi
