#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# A whole control plane, brought up by `apus up` as processes of their own, with hollow nodes in
# place of machines: kubectl makes a pod, it is stored, watched, scheduled, run and reported; what
# was stored is there after a stop, and a killed component comes back.

set -euo pipefail

command -v kubectl >/dev/null || {
    echo "needs kubectl"
    exit 77
}

apus=$APUS_BIN/apus
work=$(mktemp -d /tmp/apus-up.XXXXXX)
offset=$((20000 + RANDOM % 10000))
cluster=(--data-dir "$work/data" --port-offset "$offset")
hollow=

cleanup() {
    [ -z "$hollow" ] || kill "$hollow" 2>/dev/null || true
    "$apus" down "${cluster[@]}" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

passed=0
failed=0

# check NAME COMMAND...: one test.
check() {
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'failed: %s\n' "$name"
        sed 's/^/    /' "$work/out"
    fi
}

# eventually SECONDS COMMAND...: tries until it succeeds.
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

up() {
    "$apus" up "${cluster[@]}" --control-plane-only --timeout 120s
}

export KUBECONFIG=$work/data/kubeconfig/admin.conf

pod_is() {
    [ "$(kubectl get pod web -o 'jsonpath={.status.phase} {.spec.nodeName}')" = "Running $1" ]
}

node_is_ready() {
    kubectl get node hollow-node-0 \
        -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -qx True
}

make_pod() {
    kubectl create --validate=false -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
  - name: web
    image: example.com/web:1
    ports: [{containerPort: 80}]
YAML
}

make_service() {
    kubectl create --validate=false -f - <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80}]
YAML
}

has_load_balancer() {
    kubectl get service web -o 'jsonpath={.status.loadBalancer.ingress[0].ip}' | grep -q .
}

component() {
    "$apus" status "${cluster[@]}" -o json | python3 -c '
import json, sys
for row in json.load(sys.stdin)["components"]:
    if row["name"] == sys.argv[1]:
        print(row[sys.argv[2]])' "$1" "$2"
}

kill_scheduler() {
    kill -9 "$(component kube-scheduler pid)"
    eventually 20 test "$(component kube-scheduler restarts)" != 0 || true
    eventually 20 is_healthy
    [ "$(component kube-scheduler restarts)" -ge 1 ]
}

is_healthy() {
    "$apus" status "${cluster[@]}"
}

check "the control plane comes up" up
[ "$failed" = 0 ] || tail -n 20 "$work"/data/log/*.log
check "status says that all of it works" is_healthy
"$apus" hollow-node --count 1 --kubeconfig "$KUBECONFIG" >"$work/hollow.log" 2>&1 &
hollow=$!
check "a hollow node becomes Ready" eventually 30 node_is_ready
check "a pod is made with kubectl" make_pod
check "the pod is scheduled and runs" eventually 30 pod_is hollow-node-0
check "a Service is made" make_service
check "the Service gets an address of a node" eventually 30 has_load_balancer
check "a second up finds the cluster running" up
check "a killed component comes back" kill_scheduler
check "the cluster goes down" "$apus" down "${cluster[@]}"
check "no process is left" bash -c '! pgrep -f "data-dir=$1" >/dev/null' - "$work/data"
check "it comes up again" up
check "what was stored is there" eventually 30 pod_is hollow-node-0

printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
