#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# The controller that docs/clients.md shows: it is what `greeter` was built from, and it does against
# a running API server what the page says.

set -euo pipefail

command -v kubectl >/dev/null || {
    echo "needs kubectl"
    exit 77
}

apus=$APUS_BIN/apus
work=$(mktemp -d /tmp/apus-clients.XXXXXX)
cluster=(--data-dir "$work/data" --port-offset "$((30000 + RANDOM % 10000))")
greeter=

cleanup() {
    [ -z "$greeter" ] || kill "$greeter" 2>/dev/null || true
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

export KUBECONFIG=$work/data/kubeconfig/admin.conf

is_the_page() {
    diff <(sed -n '/^```swift$/,/^```$/p' docs/clients.md | sed '1d;$d') \
        <(tail -n +4 Tests/Support/greeter/main.swift)
}

greets() {
    [ "$(kubectl get configmap greeting -n "$1" -o 'jsonpath={.data.text}')" = "$2" ]
}

check "the page and the program are the same" is_the_page
check "the control plane comes up" \
    "$apus" up "${cluster[@]}" --control-plane-only --timeout 120s
"$APUS_BIN/greeter" "$KUBECONFIG" >"$work/greeter.log" 2>&1 &
greeter=$!
check "a namespace is made" kubectl create namespace hello
check "and labelled" kubectl label namespace hello greet=world
check "it gets its greeting" eventually 30 greets hello world
check "the label changes" kubectl label --overwrite namespace hello greet=moon
check "the greeting follows" eventually 30 greets hello moon
check "somebody deletes the greeting" kubectl delete configmap greeting -n hello
check "it is made again" eventually 30 greets hello moon
check "the program still runs" kill -0 "$greeter"

printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
