#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# What people do with kubectl, one test a behaviour: docs/compatibility.md has the table.

command -v kubectl >/dev/null || exit 77
# shellcheck source=Tests/Conformance/API/server.sh
. "$(dirname "$0")/server.sh"
start_server || exit 1
SELF=$PWD/$0
[ "${0#/}" = "$0" ] || SELF=$0
DOCUMENT=$PWD/docs/compatibility.md
cd "$WORK" || exit 1

cat >pod.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeName: n1
  containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]
EOF
cat >deploy.yaml <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  replicas: 2
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: nginx}]}
EOF

cat >node.yaml <<'EOF'
apiVersion: v1
kind: Node
metadata: {name: n1}
EOF

cat >node2.yaml <<'EOF'
apiVersion: v1
kind: Node
metadata: {name: n2}
EOF
cat >event.yaml <<'EOF'
apiVersion: v1
kind: Event
metadata: {name: web.1}
involvedObject: {apiVersion: v1, kind: Pod, name: web, namespace: default, uid: UID}
reason: Tested
message: somebody looked
type: Normal
firstTimestamp: "2026-01-01T00:00:00Z"
lastTimestamp: "2026-01-01T00:00:00Z"
count: 1
EOF
cat >rbac.yaml <<'EOF'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: rec, namespace: default}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rec, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: rec}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ann}]
EOF
mkdir -p kustom/base kustom/over
printf 'resources: [map.yaml]\n' >kustom/base/kustomization.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kus}\ndata: {a: b}\n' >kustom/base/map.yaml
cat >kustom/over/kustomization.yaml <<'EOF'
resources: [../base]
namePrefix: over-
labels: [{pairs: {made: kustomize}}]
configMapGenerator: [{name: gen, literals: [k=v]}]
EOF
# maps LABELS NAME...: a file of ConfigMaps
maps() {
    local labels=$1 name
    shift
    for name in "$@"; do
        printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, labels: {%s}}\n' "$name" "$labels"
    done
}
maps 'pr: "1"' pr1 pr2 >prune-both.yaml
maps 'pr: "1"' pr1 >prune-one.yaml
maps 'group: "1"' set1 set2 >set-both.yaml
maps 'group: "1"' set1 >set-one.yaml
applyset() { KUBECTL_APPLYSET=true k apply -n default --prune --applyset=secret/set -f "$1"; }

# csr NAME: a request for a client's certificate
csr() {
    openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj "/CN=$1" -out "$1.csr" 2>/dev/null
    printf 'apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: %s}\nspec:\n  request: %s\n  signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth]\n' \
        "$1" "$(base64 -w0 "$1.csr")" | k create -f -
}
# watched: what `get -w` shows of changes that are made meanwhile
watched() {
    local watcher
    k create configmap watched || return 1
    timeout 30 kubectl --kubeconfig kubeconfig get configmaps -w --output-watch-events \
        --field-selector metadata.name=watched >watch.out 2>&1 &
    watcher=$!
    for _ in $(seq 100); do
        grep -q 'ADDED.*watched' watch.out && break
        sleep 0.1
    done
    k label configmap watched seen=yes
    k delete configmap watched
    for _ in $(seq 100); do
        grep -q 'DELETED.*watched' watch.out && break
        sleep 0.1
    done
    kill "$watcher" 2>/dev/null
    wait "$watcher" 2>/dev/null
    cat watch.out
    grep -q 'MODIFIED.*watched' watch.out && grep -q 'DELETED.*watched' watch.out
}
# wait_deleted: `wait` returns when the object goes
wait_deleted() {
    local waiter
    k create configmap going || return 1
    k wait --for=delete configmap/going --timeout=20s &
    waiter=$!
    k delete configmap going
    wait "$waiter"
}
kc() { kubectl --kubeconfig kubeconfig "$@"; }
kc_has() { grep -Eq -- "$1" <<<"$(kc "${@:2}" 2>&1)"; }
make_kubeconfig() {
    kc config set-cluster c --server "https://127.0.0.1:$PORT" --certificate-authority "$WORK/pki/ca.crt" &&
        kc config set-credentials u --client-certificate "$WORK/pki/clients/admin.crt" \
            --client-key "$WORK/pki/clients/admin.key" &&
        kc config set-context x --cluster c --user u && kc config use-context x
}
# foreground: the object stays with a finalizer, for a collector to take away
foreground() {
    k create deployment fg --image=nginx && k delete deployment fg --cascade=foreground --wait=false &&
        gets deployment fg '{.metadata.finalizers[0]}' foregroundDeletion
}
replace_force() { k get configmap rep -o yaml | k replace --force -f -; }
replace_map() {
    k create configmap rep --from-literal=a=b &&
        k get configmap rep -o yaml | sed 's/a: b/a: c/' | k replace -f - &&
        gets configmap rep '{.data.a}' c
}
edit_pod() { KUBE_EDITOR="sed -i 's/note: .*/note: edited/'" k edit pod web; }
gets() { [ "$(k get "$1" "$2" -o "jsonpath=$3")" = "$4" ]; }
# has PATTERN ARGUMENTS...: what kubectl prints has it. It is read to its end: a pipe that nobody
# reads would end kubectl in the middle of what it does.
has() { grep -Eq -- "$1" <<<"$(k "${@:2}" 2>&1)"; }
fails() { ! k "${@:2}" >err 2>&1 && grep -Eq -- "$1" err; }

# documented: every verb of docs/compatibility.md has checks that begin with it
documented() {
    local verb missing=0
    while read -r verb; do
        grep -q "^check \"$verb[ \":,]" "$SELF" || { echo "no check of $verb"; missing=1; }
    done < <(sed -n 's/^| kubectl 1.32 | `\([^`]*\)`.*/\1/p' "$DOCUMENT")
    [ "$(grep -c '^| kubectl 1.32 |' "$DOCUMENT")" -ge 30 ] && [ "$missing" = 0 ]
}
check "the table of verbs" documented

check "create" k create -f pod.yaml
check "create again: AlreadyExists" fails 'AlreadyExists' create -f pod.yaml
check "get" has '^web ' get pods
check "get -o wide" has '^web .*n1' get pods -o wide
check "get -o yaml" has 'image: nginx' get pod web -o yaml
check "get -o json" has '"image": "nginx"' get pod web -o json
check "get -o name" has '^pod/web$' get pods -o name
check "get --show-labels" has 'app=web' get pods --show-labels
check "get -A" has '^default +web' get pods -A
check "get by label" has '^web' get pods -l app=web
check "get by label, none" has 'No resources found' get pods -l app=other
check "get by field" has '^web' get pods --field-selector spec.nodeName=n1
check "get by unsupported field" fails 'field label not supported' get pods --field-selector spec.x=1
check "get --chunk-size" has 'kube-system' get ns --chunk-size=1
check "get --sort-by" has 'default' get ns --sort-by=.metadata.name
check "config: a file is made" make_kubeconfig
check "config view" kc_has 'current-context: x' config view
check "config current-context" kc_has '^x$' config current-context
check "config get-contexts" kc_has '^\* +x +c +u' config get-contexts
check "config: the file is used" kc_has '^web ' get pods
check "get -w" watched
check "get -o custom-columns" has '^web +n1' get pods -o 'custom-columns=N:.metadata.name,NODE:.spec.nodeName'
check "get -o go-template" has '^web;' get pods -o 'go-template={{range .items}}{{.metadata.name}};{{end}}'
check "get -o jsonpath" has '^web$' get pods -o 'jsonpath={.items[*].metadata.name}'
check "get of several kinds" has '^pod/web ' get pods,configmaps
check "get --show-managed-fields" has 'manager: kubectl-create' get pod web -o yaml --show-managed-fields
check "get missing: NotFound" fails 'pods "nope" not found' get pod nope
check "get unknown type" fails "doesn't have a resource type" get nopes
check "get --raw" has '"kind": ?"PodList"' get --raw /api/v1/pods
check "describe" has 'Image: +nginx' describe pod web
check "label" k label pod web tier=front
check "label is there" gets pod web '{.metadata.labels.tier}' front
check "annotate" k annotate pod web note=x
check "annotate is there" gets pod web '{.metadata.annotations.note}' x
check "label of another value" fails 'already has a value' label pod web tier=back
check "label --overwrite" k label pod web tier=back --overwrite
check "label, removed" k label pod web tier-
check "label is gone" gets pod web '{.metadata.labels.tier}' ''
check "patch, strategic" k patch pod web -p '{"metadata":{"labels":{"s":"1"}}}'
check "patch, merge" k patch pod web --type merge -p '{"metadata":{"labels":{"m":"1"}}}'
check "patch, json" k patch pod web --type json -p '[{"op":"add","path":"/metadata/labels/j","value":"1"}]'
check "patch --subresource" k patch pod web --subresource=status -p '{"status":{"message":"m"}}'
check "patches are there" gets pod web '{.metadata.labels.s}{.metadata.labels.m}{.metadata.labels.j}' 111
check "create, dry run on the server" has 'created \(server dry run\)' create configmap dry --from-literal=a=b --dry-run=server
check "dry run stores nothing" fails 'not found' get configmap dry
check "apply creates" has 'created' apply -f deploy.yaml
check "apply again" has 'unchanged' apply -f deploy.yaml
sed -i 's/replicas: 2/replicas: 3/' deploy.yaml
check "diff" has '\+ +replicas: 3' diff -f deploy.yaml
check "apply changes" has 'configured' apply -f deploy.yaml
check "scale" k scale deployment d --replicas=5
check "scale is there" gets deployment d '{.spec.replicas} {.metadata.generation}' '5 3'
check "set image" k set image deployment/d c=nginx:2
check "set env" k set env deployment/d A=b
check "set resources" k set resources deployment/d -c c --requests=cpu=10m --limits=cpu=20m
check "set resources is there" gets deployment d '{.spec.template.spec.containers[0].resources.requests.cpu}' 10m
check "set serviceaccount" k set serviceaccount deployment/d builder
check "rollout restart" k rollout restart deployment/d
check "rollout history" has 'deployment.apps/d' rollout history deployment/d
check "rollout pause" k rollout pause deployment/d
check "autoscale" k autoscale deployment d --min=1 --max=4 --cpu-percent=50
check "hpa in v1" has 'targetCPUUtilizationPercentage: 50' get horizontalpodautoscalers.v1.autoscaling d -o yaml
check "hpa in v2" has 'averageUtilization: 50' get horizontalpodautoscalers.v2.autoscaling d -o yaml
check "expose" k expose deployment d --port=80
check "service has an address" has '10\.' get service d -o 'jsonpath={.spec.clusterIP}'
check "set selector" k set selector service d app=other
check "set selector is there" gets service d '{.spec.selector.app}' other
check "create service nodeport" k create service nodeport np --tcp=80
check "run" k run r --image=nginx --restart=Never
check "create secret" k create secret generic s --from-literal=a=b
check "secret is base64" gets secret s '{.data.a}' Yg==
check "create job" k create job j --image=nginx
check "create cronjob" k create cronjob cj --image=nginx --schedule='* * * * *'
check "create namespace" k create namespace other
check "create quota" k create quota q --hard=pods=10
check "create role" k create role ro --verb=get --resource=pods
check "create rolebinding" k create rolebinding rb --role=ro --user=u
check "set subject" k set subject rolebinding rb --user=v
check "set subject is there" gets rolebinding rb '{.subjects[*].name}' 'u v'
check "auth reconcile makes" has 'role.rbac.authorization.k8s.io/rec reconciled' auth reconcile -f rbac.yaml
sed -i 's/verbs: \[get\]/verbs: [get, list]/; s/name: ann/name: bob/' rbac.yaml
check "auth reconcile adds" k auth reconcile -f rbac.yaml
check "auth reconcile has kept a subject" gets rolebinding rec '{.subjects[*].name}' 'ann bob'
check "auth can-i by a reconciled role" has '^yes$' auth can-i list pods --as=bob
check "auth can-i, what was there" has '^yes$' auth can-i get pods --as=ann
check "certificate: a request" csr good
check "certificate approve" k certificate approve good
check "certificate approve is there" gets csr good '{.status.conditions[0].type}' Approved
check "certificate: another" csr bad
check "certificate deny" k certificate deny bad
check "certificate deny is there" gets csr bad '{.status.conditions[0].type}' Denied
check "create token without account" fails 'not found' create token nobody
check "replace" replace_map
check "replace --force" replace_force
check "edit" edit_pod
check "edit is there" gets pod web '{.metadata.annotations.note}' edited
check "create token" has '^eyJ' create token default
check "auth can-i" has '^yes$' auth can-i create pods
check "auth can-i, as another" has '^no$' auth can-i create pods --as=nobody
check "auth whoami" has 'Username +kubernetes-admin' auth whoami
check "explain --api-version" has 'VERSION: +v2' explain horizontalpodautoscaler --api-version=autoscaling/v2
check "explain, no such field" fails 'field "nonsense" does not exist' explain pod.nonsense
check "apply: two objects" k apply -f prune-both.yaml
check "apply --prune" has 'configmap/pr2 pruned' apply --prune -l pr=1 -f prune-one.yaml
check "apply --prune has removed one" fails 'not found' get configmap pr2
check "apply --prune has kept one" k get configmap pr1
check "apply --applyset" applyset set-both.yaml
check "apply --applyset, one less" applyset set-one.yaml
check "apply --applyset has removed one" fails 'not found' get configmap set2
check "apply view-last-applied" has 'name: pr1' apply view-last-applied configmap pr1
check "kustomize" has 'name: over-kus' kustomize kustom/over
check "apply -k" k apply -k kustom/over
check "apply -k is there" gets configmap over-kus '{.metadata.labels.made}' kustomize
check "delete -k" k delete -k kustom/over
check "explain" has 'FIELDS:' explain pod.spec
check "apply --server-side" has 'serverside-applied' apply --server-side -f deploy.yaml --force-conflicts
check "api-resources" has 'deployments +deploy +apps/v1' api-resources
check "api-versions" has '^apps/v1$' api-versions
check "version" has 'Server Version: v1.36' version
check "create a node" k create -f node.yaml
check "cordon" k cordon n1
check "cordon is there" gets node n1 '{.spec.unschedulable}' true
check "taint" k taint node n1 a=b:NoSchedule
check "uncordon" k uncordon n1
check "drain" k drain n1 --force --grace-period=1 --timeout=1s --dry-run=server
check "wait" k wait --for=jsonpath='{.spec.nodeName}'=n1 pod/web --timeout=5s
check "wait --for=delete" wait_deleted
check "wait, in vain" fails 'timed out' wait --for=condition=Ready pod/web --timeout=1s
sed -i "s/UID/$(k get pod web -o 'jsonpath={.metadata.uid}')/" event.yaml
check "events: one is made" k create -f event.yaml
check "events" has 'Tested +Pod/web +somebody looked' events
check "events --for" has 'Tested' events --for pod/web
check "describe shows events" has 'Tested' describe pod web
check "delete with grace" k delete pod web --wait=false
check "deletion is marked" gets pod web '{.metadata.deletionGracePeriodSeconds}' 30
check "delete --force" k delete pod web --force --grace-period=0
check "it is gone" fails 'not found' get pod web
check "delete quota" k delete quota q
check "drain: a node" k create -f node2.yaml
sed 's/name: web/name: leaving/; s/nodeName: n1/nodeName: n2/' pod.yaml >leaving.yaml
check "drain: a pod" k create -f leaving.yaml
check "drain evicts" has 'pod/leaving evicted' drain n2 --force --grace-period=0 --timeout=30s
check "drain has evicted" fails 'not found' get pod leaving
check "drain has cordoned" gets node n2 '{.spec.unschedulable}' true
check "delete --cascade=foreground" foreground
check "delete --cascade=background" k delete cronjob cj --cascade=background
check "delete by label" k delete deployment -l '!x' --wait=false
check "delete --cascade=orphan" k delete job j --cascade=orphan --wait=false
finish
