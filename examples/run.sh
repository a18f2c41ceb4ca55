#!/bin/bash
# Starts the server with the example policies and leaves it running, for curl.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/start.sh
start_server "$1" "${LISTEN:-127.0.0.1:9443}" "${HEALTH_LISTEN:-127.0.0.1:8080}"
cat <<END
sgp-webhook answers on https://localhost:$PORT; Ctrl-C stops it. In another terminal, for example:

  curl --cacert $WORK/certs/ca.crt -H 'Content-Type: application/json' \\
       --data-binary @examples/reviews/pod.json https://localhost:$PORT/mutate-v1-pod
  curl http://127.0.0.1:$HEALTH_PORT/metrics

Its log:
END
tail -n +1 -f --pid="$SERVER" "$WORK/log" &
wait "$SERVER"
