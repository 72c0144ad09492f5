# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# Starts an API server on a free port of its own for the tests that read this file. It sets
#   WORK   a folder that is removed at the end
#   PORT   the server's port
# and defines `k`, kubectl as the administrator of that server.
#
# With APUS_TEST_ETCD=1 the objects are kept in a real etcd.

APUS="$APUS_BIN/apus"
WORK=$(mktemp -d)
SERVER=
STORE=

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop_all() {
    [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
    [ -z "$STORE" ] || kill "$STORE" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$WORK"
}
trap stop_all EXIT

start_server() {
    local store=(--etcd-data-dir "$WORK/etcd")
    "$APUS" certs init "$WORK/pki" >"$WORK/certs.log"
    if [ -n "${APUS_TEST_ETCD:-}" ]; then
        local client peer
        client=$(free_port)
        peer=$(free_port)
        etcd --data-dir "$WORK/etcd" --listen-client-urls "http://127.0.0.1:$client" \
            --advertise-client-urls "http://127.0.0.1:$client" \
            --listen-peer-urls "http://127.0.0.1:$peer" >"$WORK/etcd.log" 2>&1 &
        STORE=$!
        store=(--etcd-servers "http://127.0.0.1:$client")
    fi
    PORT=$(free_port)
    "$APUS" kube-apiserver --bind-address 127.0.0.1 --secure-port "$PORT" \
        --tls-cert-file "$WORK/pki/apiserver.crt" --tls-private-key-file "$WORK/pki/apiserver.key" \
        --service-account-signing-key-file "$WORK/pki/sa.key" --service-account-key-file "$WORK/pki/sa.pub" \
        --client-ca-file "$WORK/pki/ca.crt" "${store[@]}" ${SERVER_FLAGS:-} >"$WORK/server.log" 2>&1 &
    SERVER=$!
    for _ in $(seq 100); do
        if curl -fs --cacert "$WORK/pki/ca.crt" "https://127.0.0.1:$PORT/readyz" >/dev/null; then
            # What the controller manager makes, which is not here.
            k create serviceaccount default >/dev/null
            return 0
        fi
        kill -0 "$SERVER" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server is not ready:" >&2
    cat "$WORK/server.log" >&2
    return 1
}

k() {
    kubectl --server "https://127.0.0.1:$PORT" --certificate-authority "$WORK/pki/ca.crt" \
        --client-certificate "$WORK/pki/clients/admin.crt" \
        --client-key "$WORK/pki/clients/admin.key" --cache-dir "$WORK/cache" "$@"
}

PASSED=0
FAILED=0
SKIPPED=0

# check NAME COMMAND...: one test
check() {
    local name=$1
    shift
    if "$@" >"$WORK/out" 2>&1; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        echo "FAILED: $name"
        sed 's/^/    /' "$WORK/out" | tail -20
    fi
}

finish() {
    echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
    [ "$FAILED" = 0 ]
}
