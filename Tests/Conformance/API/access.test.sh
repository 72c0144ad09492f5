#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# Who may do what, as kubectl and curl see it: certificates, tokens, roles, impersonation, admission
# plugins, printed columns and OpenAPI documents.

command -v kubectl >/dev/null || exit 77
command -v curl >/dev/null || exit 77
# shellcheck source=Tests/Conformance/API/server.sh
. "$(dirname "$0")/server.sh"
start_server || exit 1
cd "$WORK" || exit 1

# Read to its end: a pipe that nobody reads would end kubectl in the middle of what it does.
has() { grep -Eq -- "$1" <<<"$(k "${@:2}" 2>&1)"; }
fails() { ! k "${@:2}" >err 2>&1 && grep -Eq -- "$1" err; }
# as TOKEN ARGUMENTS...: kubectl with a token
as() {
    local token=$1
    shift
    kubectl --server "https://127.0.0.1:$PORT" --certificate-authority "$WORK/pki/ca.crt" \
        --token "$token" --cache-dir "$WORK/cache-token" "$@"
}
# code OPTIONS... PATH: the status code without a certificate
code() { curl -s -o body -w '%{http_code}' --cacert "$WORK/pki/ca.crt" "${@:1:$#-1}" "https://127.0.0.1:$PORT${*: -1}"; }
is() { [ "$1" = "$2" ] || { echo "expected '$2', found '$1'"; cat body 2>/dev/null; return 1; }; }
admin_curl() {
    curl -s --cacert "$WORK/pki/ca.crt" --cert "$WORK/pki/clients/admin.crt" \
        --key "$WORK/pki/clients/admin.key" "${@:1:$#-1}" "https://127.0.0.1:$PORT${*: -1}"
}

# Who.
check "whoami of a certificate" has 'system:masters' auth whoami
check "no credentials: health" is "$(code /livez)" 200
check "no credentials: nothing else" is "$(code /api/v1/pods)" 401
check "an unknown token" is "$(code -H 'Authorization: Bearer nonsense' /api/v1/pods)" 401
check "an unknown token at health" is "$(code -H 'Authorization: Bearer nonsense' /livez)" 401

# Tokens of service accounts.
k create serviceaccount builder >/dev/null
TOKEN=$(k create token builder)
check "create token" test -n "$TOKEN"
whoami() { as "$TOKEN" auth whoami | grep -q 'system:serviceaccount:default:builder'; }
check "whoami of a token" whoami
forbidden() {
    ! as "$TOKEN" get pods >err 2>&1 && grep -q \
        'pods is forbidden: User "system:serviceaccount:default:builder" cannot list resource "pods" in API group "" in the namespace "default"' err
}
check "a token may nothing" forbidden
k create role reader --verb=get,list --resource=pods >/dev/null
k create rolebinding reader --role=reader --serviceaccount=default:builder >/dev/null
allowed() { as "$TOKEN" get pods; }
check "a binding lets it list pods" allowed
check "create token: too short" fails 'may not specify a duration less than 10 minutes' \
    create token builder --duration=1m
check "create token: no account" fails 'serviceaccounts "none" not found' create token none
k delete serviceaccount builder >/dev/null
gone() { ! as "$TOKEN" get pods >err 2>&1 && grep -q 'Unauthorized\|logged in' err; }
check "a token ends with its account" gone
check "key set" grep -q '"kty":"\(RSA\|EC\)"' <(admin_curl /openid/v1/jwks)
check "OIDC discovery" grep -q 'jwks_uri' <(admin_curl /.well-known/openid-configuration)

# What.
check "can-i as an administrator" has '^yes' auth can-i delete nodes
check "can-i as somebody" has '^no' auth can-i delete nodes --as=ann
check "can-i --list" has '\*\.\*' auth can-i --list
check "impersonation" has 'ann' auth whoami --as=ann
check "impersonation of a group" fails 'User "ann" cannot list resource "nodes" in API group "" at the cluster scope' \
    get nodes --as=ann --as-group=team
k create clusterrole team --verb=list,create --resource=nodes,pods,roles >/dev/null
k create clusterrolebinding team --clusterrole=team --group=team >/dev/null
check "a group's role" has 'No resources' get nodes --as=ann --as-group=team
check "roles that one does not have" fails 'is attempting to grant RBAC permissions not currently held' \
    create role big --verb='*' --resource=secrets --as=ann --as-group=team
check "bootstrap roles" has '^system:kube-scheduler ' get clusterroles
check "node authorizer" fails "no relationship found between node 'n1' and this object" \
    get secret x --as=system:node:n1 --as-group=system:nodes

# Admission.
check "a missing namespace" fails 'namespaces "nope" not found' -n nope create configmap a
check "kube-system stays" fails 'this namespace may not be deleted' delete namespace kube-system
pod() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {%scontainers: [{name: c, image: i}]}\n' "$1" "$2"; }
pod web '' >web.yaml
check "a pod" k apply -f web.yaml
check "its token" has 'kube-api-access-' get pod web -o 'jsonpath={.spec.volumes[0].name}'
check "its priority" has '^0 PreemptLowerPriority$' get pod web -o 'jsonpath={.spec.priority} {.spec.preemptionPolicy}'
check "its tolerations" has 'unreachable' get pod web -o 'jsonpath={.spec.tolerations}'
pod other 'serviceAccountName: none, ' >other.yaml
check "a pod without account" fails 'error looking up service account default/none: serviceaccount "none" not found' \
    create -f other.yaml
pod urgent 'priorityClassName: none, ' >urgent.yaml
check "a pod without class" fails 'no PriorityClass with name none was found' create -f urgent.yaml
k create namespace strict >/dev/null
k label namespace strict pod-security.kubernetes.io/enforce=restricted >/dev/null
k -n strict create serviceaccount default >/dev/null
check "a pod that restricted refuses" fails 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "c" must set' \
    -n strict create -f web.yaml
check "a deployment that is warned of" has 'would violate PodSecurity "restricted:latest"' \
    -n strict create deployment d --image=i

# Columns.
check "columns of pods" has '^NAME +READY +STATUS +RESTARTS +AGE' get pods
check "a pod's row" has '^web +0/1 +Pending +0 +[0-9ms]+$' get pods
check "columns of services" has '^kubernetes +ClusterIP +10\.96\.0\.1 +<none> +443/TCP' get services
check "columns of roles" has '^NAME +CREATED AT' get clusterroles

# OpenAPI.
check "explain" has 'containers.*-required-' explain pod.spec
check "explain --recursive" has 'imagePullPolicy' explain deployment --recursive
check "apply" k apply -f web.yaml
check "apply with a fault" fails 'unknown field "spec.nonsense"' apply -f <(sed 's/containers/nonsense: 1, containers/' web.yaml)
tag() { admin_curl -D - -o /dev/null /openapi/v2 | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p'; }
check "OpenAPI v2 has an ETag" test -n "$(tag)"
check "and is not sent twice" is "$(admin_curl -o body -w '%{http_code}' -H "If-None-Match: $(tag)" /openapi/v2)" 304

finish
