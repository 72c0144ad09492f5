#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# The built executable, from outside: help, exit codes, its other names, certificates.

set -uo pipefail
: "${APUS_BIN:?the folder of the built programs}"
apus=$APUS_BIN/apus
[ -x "$apus" ] || { echo "no $apus"; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/apus-command.XXXXXX")
trap 'rm -rf "$work"' EXIT

passed=0
failed=0

# expect NAME CODE PATTERN COMMAND...: the exit code (or a pattern) and a pattern that the output
# matches.
expect() {
    local name=$1 wanted=$2 pattern=$3 code=0 output
    shift 3
    output=$("$@" 2>&1) || code=$?
    # shellcheck disable=SC2053  # a pattern, such as [01]
    if [[ $code == $wanted ]] && grep -qE -e "$pattern" <<<"$output"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: exit code %d (wanted %d), output:\n%s\n' \
            "$name" "$code" "$wanted" "$output"
    fi
}

expect "help" 0 '^  certs ' "$apus" --help
expect "no command" 2 '^Usage:' "$apus"
expect "version" 0 '^kubernetes v1\.36' "$apus" version
expect "unknown command" 2 'unknown command: nothing' "$apus" nothing
expect "unknown flag" 2 'unknown flag: --nothing' "$apus" version --nothing
# shellcheck disable=SC2016  # "$0" is for the inner shell
expect "another name" 0 '^apus v' bash -c 'exec -a other "$0" version' "$apus"
expect "completion" 0 '__complete' "$apus" completion bash
expect "unknown shell" 2 'no shell that is known' "$apus" completion tcsh
expect "completes commands" 0 '^certs$' "$apus" __complete -- cer
expect "completes flags" 0 '^--data-dir$' "$apus" __complete -- status --data
expect "a variable for a flag" 2 'APUS_PORT_OFFSET: invalid argument "x"' \
    env APUS_PORT_OFFSET=x "$apus" status
printf 'data-dir: %s\nnode-name: n\n' "$work/none" >"$work/apus.yaml"
expect "a file of flags" 1 'No cluster runs here' "$apus" status --config "$work/apus.yaml"
expect "the command line wins" 2 "'here' is not an absolute path" \
    "$apus" status --config "$work/apus.yaml" --data-dir here
printf 'data-folder: /x\n' >"$work/wrong.yaml"
expect "a wrong key" 2 "wrong.yaml: unknown key 'data-folder'" \
    "$apus" status --config "$work/wrong.yaml"
printf 'node-name: {a: b}\n' >"$work/wrong.yaml"
expect "a wrong value" 2 'wrong.yaml: node-name: expected a value' \
    "$apus" status --config "$work/wrong.yaml"
mkdir -p "$work/c/kubeconfig"
printf 'clusters: [{name: a}]\ncurrent-context: a\n' >"$work/c/kubeconfig/admin.conf"
expect "merges" 0 "has the cluster now" env KUBECONFIG="$work/k/config" \
    "$apus" kubeconfig --merge --data-dir "$work/c"
expect "merged" 0 "name: a" cat "$work/k/config"
expect "nothing to reset" 0 'There is no cluster' "$apus" reset --data-dir "$work/none"
expect "an unknown log" 2 "no log of 'nothing'" "$apus" logs nothing --data-dir "$work/none"
expect "doctor" "[01]" '^ok .*host name' "$apus" doctor --data-dir "$work/none"
expect "docs/reference.md is what the program says" 0 '' \
    "$(dirname "${BASH_SOURCE[0]}")/../../scripts/generate-reference" --check
# shellcheck disable=SC2016
expect "closed output" 0 '' bash -c '"$0" --help | true; exit "${PIPESTATUS[1]}"' "$apus"
# shellcheck disable=SC2016
expect "full output" 0 '' bash -c '"$0" version >/dev/full' "$apus"

expect "certs init" 0 '^apiserver +created +20' "$apus" certs init "$work/pki" --node-name n1
expect "certs init again" 0 '^apiserver +kept' "$apus" certs init "$work/pki" --node-name n1
expect "certs list" 0 '^clients/kubelet.crt +CN=system:node:n1,O=system:nodes .* 36[45]d +no$' \
    "$apus" certs list "$work/pki"
expect "certs renew" 0 '^etcd/server +renewed \(requested\)' \
    "$apus" certs renew "$work/pki" etcd/server
expect "certs renew --all" 0 '^clients/admin +renewed' "$apus" certs renew "$work/pki" --all
expect "certs renew without names" 2 'expected names of certificates, or --all' \
    "$apus" certs renew "$work/pki"
expect "certs renew of a CA" 2 "no certificate 'ca' to renew" "$apus" certs renew "$work/pki" ca
expect "still healthy" 0 '^ca\.crt +CN=kubernetes-ca' "$apus" certs list "$work/pki"
expect "OpenSSL agrees" 0 ': OK$' \
    openssl verify -CAfile "$work/pki/etcd/ca.crt" "$work/pki/etcd/server.crt"
printf 'broken' >"$work/pki/broken.crt"
expect "a broken file" 1 '^broken.crt +error: no CERTIFICATE in PEM' "$apus" certs list "$work/pki"
expect "no such folder" 1 'No such file or directory' "$apus" certs list "$work/none"

printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
