#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# Requests that no client library makes: ambiguous paths, wrong methods and media types, malformed
# bodies. Each is answered with upstream's code and reason, and stores nothing.

command -v curl >/dev/null || exit 77
# shellcheck source=Tests/Conformance/API/server.sh
. "$(dirname "$0")/server.sh"
start_server || exit 1

# call METHOD PATH [CURL OPTIONS...]: the status code, a space and the body's reason
call() {
    local method=$1 path=$2
    shift 2
    curl -s --path-as-is -X "$method" --cacert "$WORK/pki/ca.crt" \
        --cert "$WORK/pki/clients/admin.crt" --key "$WORK/pki/clients/admin.key" \
        -o "$WORK/body" -w '%{http_code}' -A apus-test "$@" "https://127.0.0.1:$PORT$path" >"$WORK/code"
    printf '%s %s' "$(cat "$WORK/code")" \
        "$(grep -oE '"?reason"?: *"?[A-Za-z]+' "$WORK/body" | head -1 | sed 's/.*[ ":]//')"
}

# expect NAME ANSWER METHOD PATH [CURL OPTIONS...]
expect() {
    local name=$1 answer=$2 found
    shift 2
    found=$(call "$@")
    if [ "$found" = "$answer" ]; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        echo "FAILED: $name: expected '$answer', found '$found': $(head -c 300 "$WORK/body")"
    fi
}

maps=/api/v1/namespaces/default/configmaps
json=(-H 'Content-Type: application/json')
map='{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}'

# Paths (CVE-2022-3162, CVE-2019-11247, CVE-2026-33186).
for path in '/api/v1/namespaces/default/../kube-system/configmaps' '/api//v1/pods' '//api/v1/pods' \
    '/api/v1/namespaces/default/configmaps/..' '/api/v1/namespaces/%2e%2e/configmaps' \
    '/api/v1/namespaces/default%2fx/configmaps' "$maps/a%00b" '/api/v1/namespaces/./configmaps' \
    '/api/v1/pods%zz' '/api/v1/pods?labelSelector=a%zz' '/api/v1/pods?a=1;b=2'; do
    expect "path $path" '400 BadRequest' GET "$path"
done
for path in /nope /api/v2/pods /api/v1/nopes /apis/apps/v9/deployments /apis/nope/v1/x \
    /api/v1/namespaces/default/nodes /api/v1/namespaces/default/nodes/n1 /api/v1/configmaps/a \
    "$maps/a/nope" "$maps/a/status" '/apis/apps/v1/namespaces/default/deployments/a/nope'; do
    expect "path $path" '404 NotFound' GET "$path"
done

# Methods.
expect "PUT to a collection" '405 MethodNotAllowed' PUT "$maps" "${json[@]}" -d "$map"
expect "POST to an object" '405 MethodNotAllowed' POST "$maps/a" "${json[@]}" -d "$map"
expect "an unknown method" '405 MethodNotAllowed' BREW "$maps"
expect "DELETE of discovery" '405 MethodNotAllowed' DELETE /apis

# Media types.
expect "Accept: text/html" '406 NotAcceptable' GET "$maps" -H 'Accept: text/html'
expect "Accept: */*" '200 ' GET "$maps" -H 'Accept: */*'
expect "Accept: YAML" '200 ' GET "$maps" -H 'Accept: application/yaml'
expect "a body in XML" '415 UnsupportedMediaType' POST "$maps" -H 'Content-Type: text/xml' -d '<a/>'
expect "a patch in JSON" '415 UnsupportedMediaType' PATCH "$maps/a" "${json[@]}" -d '{}'
expect "a watch in YAML" '406 NotAcceptable' GET "$maps?watch=1" -H 'Accept: application/yaml'

# Bodies.
for body in '' '{' '[' 'null' '7' '{"metadata":7}' '{"metadata":{"name":7}}' '{"data":[]}' \
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}' \
    '{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"a"}}' \
    '{"metadata":{"name":"a","namespace":"other"}}'; do
    case $body in
    null | '{"metadata":{"name":"a"}}') continue ;;
    esac
    expect "body $body" '400 BadRequest' POST "$maps" "${json[@]}" -d "$body"
done
head -c 4000000 /dev/zero | tr '\0' 'a' >"$WORK/large"
expect "a body of 4 MB" '413 RequestEntityTooLarge' POST "$maps" "${json[@]}" --data-binary "@$WORK/large"
python3 -c 'print("{\"data\":" * 2000 + "1" + "}" * 2000)' >"$WORK/deep"
expect "a deep body" '400 BadRequest' POST "$maps" "${json[@]}" --data-binary "@$WORK/deep"
printf 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n' >"$WORK/bomb"
expect "a YAML bomb" '400 BadRequest' POST "$maps" -H 'Content-Type: application/yaml' --data-binary "@$WORK/bomb"
expect "protobuf without its prefix" '400 BadRequest' POST "$maps" \
    -H 'Content-Type: application/vnd.kubernetes.protobuf' -d 'nonsense'
expect "an unknown field, strictly" '400 BadRequest' POST "$maps?fieldValidation=Strict" "${json[@]}" \
    -d '{"metadata":{"name":"a"},"nope":1}'
expect "a name that is none" '422 Invalid' POST "$maps" "${json[@]}" -d '{"metadata":{"name":"A_B"}}'
expect "no name" '422 Invalid' POST "$maps" "${json[@]}" -d '{"metadata":{}}'

# Parameters.
expect "limit that is no number" '400 BadRequest' GET "$maps?limit=x"
expect "continue that is none" '400 BadRequest' GET "$maps?limit=1&continue=x"
expect "a selector that is none" '400 BadRequest' GET "$maps?labelSelector=a%20b"
expect "a field that cannot be selected" '400 BadRequest' GET "$maps?fieldSelector=data.x%3D1"
expect "Exact without a version" '422 Invalid' GET "$maps?resourceVersionMatch=Exact"
expect "an unknown match" '422 Invalid' GET "$maps?resourceVersionMatch=x&resourceVersion=1"
expect "dryRun=Some" '422 Invalid' POST "$maps?dryRun=Some" "${json[@]}" -d "$map"
expect "fieldValidation=x" '422 Invalid' POST "$maps?fieldValidation=x" "${json[@]}" -d "$map"
expect "propagationPolicy=x" '422 Invalid' DELETE "$maps/a?propagationPolicy=x"

# Nothing of this was stored.
expect "nothing is stored" '404 NotFound' GET "$maps/a"
expect "create" '201 ' POST "$maps" "${json[@]}" -d "$map"
expect "create again" '409 AlreadyExists' POST "$maps" "${json[@]}" -d "$map"
expect "a body's name and the path's" '400 BadRequest' PUT "$maps/b" "${json[@]}" -d "$map"
expect "a JSON patch that does not fit" '422 Invalid' PATCH "$maps/a" \
    -H 'Content-Type: application/json-patch+json' -d '[{"op":"remove","path":"/data/x"}]'
expect "a JSON patch that is none" '400 BadRequest' PATCH "$maps/a" \
    -H 'Content-Type: application/json-patch+json' -d '{}'
expect "HTTP/1.1" '200 ' GET "$maps/a" --http1.1
expect "HTTP/2" '200 ' GET "$maps/a" --http2
expect "health" '200 ' GET /livez
expect "one check" '200 ' GET /readyz/ping
expect "no such check" '404 ' GET /readyz/nope
expect "metrics" '200 ' GET /metrics
finish
