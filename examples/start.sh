# Sourced by demo.sh and run.sh: starts the server with the example policies and waits until it is ready.
# Sets WORK (a folder that is removed at the end), PORT, HEALTH_PORT and SERVER (a process id).
WORK=$(mktemp -d)
SERVER=""
stop_server() {
    if [ -n "$SERVER" ]; then
        kill -INT "$SERVER" 2>/dev/null || true
        wait "$SERVER" 2>/dev/null || true
    fi
    rm -rf "$WORK"
}
trap stop_server EXIT
trap 'exit 130' INT TERM

port_of() {
    jq -rR "fromjson? | select(.event == \"listening\" and .listener == \"$1\") | .address | split(\":\") | last" "$WORK/log"
}

start_server() { # binary, admission address, health address
    "$1" serve --listen "$2" --health-listen "$3" --policies examples/policies.yaml --self-signed "$WORK/certs" \
        2>"$WORK/log" &
    SERVER=$!
    for _ in $(seq 100); do
        kill -0 "$SERVER" 2>/dev/null || { cat "$WORK/log" >&2; SERVER=""; exit 1; }
        PORT=$(port_of admission)
        HEALTH_PORT=$(port_of health)
        if [ -n "$PORT" ] && curl -fs "http://127.0.0.1:$HEALTH_PORT/readyz" >/dev/null; then
            return
        fi
        sleep 0.05
    done
    echo "the server did not become ready:" >&2
    cat "$WORK/log" >&2
    exit 1
}
