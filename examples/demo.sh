#!/bin/bash
# Starts the server on localhost, sends it AdmissionReviews as a Kubernetes API server sent them, and shows the answers.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/start.sh
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
    BOLD="" DIM="" GREEN="" RED="" YELLOW="" PLAIN=""
fi

show() { # one answer, in words
    jq -r --arg green "$GREEN" --arg red "$RED" --arg yellow "$YELLOW" --arg plain "$PLAIN" '.response |
        (if .allowed then "   \($green)allowed\($plain)" else "   \($red)refused\($plain): \(.status.message)" end),
        (.status.details.causes // [] | .[] | "   cause:   \(.field): \(.message) (\(.reason))"),
        (.patch // empty | @base64d | fromjson | .[] | "   patch:   \(.op) \(.path)\(if has("value") then " " + (.value | tojson) else "" end)"),
        (if .allowed and (.patch | not) then "   patch:   none" else empty end),
        (.warnings // [] | .[] | "   \($yellow)warning\($plain): \(.)"),
        (.auditAnnotations // {} | to_entries[] | "   audit:   \(.key)=\(.value)")'
}

STEP=0
ask() { # title, endpoint, review file, jq change
    STEP=$((STEP + 1))
    printf '\n%s%d. %s%s\n   %sPOST %s%s\n' "$BOLD" "$STEP" "$1" "$PLAIN" "$DIM" "$2" "$PLAIN"
    jq -c "${4:-.}" "examples/reviews/$3" |
        curl -sS --fail-with-body --cacert "$WORK/certs/ca.crt" -H 'Content-Type: application/json' --data-binary @- \
            "https://localhost:$PORT$2?timeout=10s" | show
}

start_server "$1" 127.0.0.1:0 127.0.0.1:0
printf '%ssgp-webhook%s answers on https://localhost:%s with the policies of examples/policies.yaml\n' "$BOLD" "$PLAIN" "$PORT"

ask "A pod that a policy selects gets its branch interface" /mutate-v1-pod pod.json
ask "A pod that no policy selects is left alone" /mutate-v1-pod pod.json '.request.object.metadata.labels = {app: "other"}'
ask "A selected pod that lost its branch interface on the way is refused" /validate-v1-pod pod.json
ask "A policy with six security groups is refused" /validate-v1beta1-securitygrouppolicy policy.json \
    '.request.object.spec.securityGroups.groupIds = [range(6) | "sg-0123456789abcdef\(.)"]'
ask "A policy with two selectors is refused" /validate-v1beta1-securitygrouppolicy policy-with-two-selectors.json
ask "A Deployment whose pods could not be placed is warned of" /validate-workload deployment.json \
    '.request.object.spec.template.spec.nodeSelector = {"node.kubernetes.io/instance-type": "t3.large"}'
ask "A Fargate pod gets its groups as an annotation" /mutate-v1-pod fargate-pod.json

printf '\n%sThe metrics that moved%s\n' "$BOLD" "$PLAIN"
curl -sS "http://127.0.0.1:$HEALTH_PORT/metrics" |
    grep -E '^sgp_webhook_(reviews_total|findings_total|policies|namespaces)' | grep -vE ' 0$' | sed 's/^/   /'
