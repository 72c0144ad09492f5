#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# What people do with kubectl, one test a behaviour: docs/compatibility.md has the table.

command -v kubectl >/dev/null || exit 77
# shellcheck source=Tests/Conformance/API/server.sh
. "$(dirname "$0")/server.sh"
start_server || exit 1
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

replace_map() {
    k create configmap rep --from-literal=a=b &&
        k get configmap rep -o yaml | sed 's/a: b/a: c/' | k replace -f - &&
        gets configmap rep '{.data.a}' c
}
edit_pod() { KUBE_EDITOR="sed -i 's/note: .*/note: edited/'" k edit pod web; }
gets() { [ "$(k get "$1" "$2" -o "jsonpath=$3")" = "$4" ]; }
has() { k "${@:2}" 2>&1 | grep -Eq -- "$1"; }
fails() { ! k "${@:2}" >err 2>&1 && grep -Eq -- "$1" err; }

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
check "get missing: NotFound" fails 'pods "nope" not found' get pod nope
check "get unknown type" fails "doesn't have a resource type" get nopes
check "get --raw" has '"kind": ?"PodList"' get --raw /api/v1/pods
check "describe" has 'Image: +nginx' describe pod web
check "label" k label pod web tier=front
check "label is there" gets pod web '{.metadata.labels.tier}' front
check "annotate" k annotate pod web note=x
check "patch, strategic" k patch pod web -p '{"metadata":{"labels":{"s":"1"}}}'
check "patch, merge" k patch pod web --type merge -p '{"metadata":{"labels":{"m":"1"}}}'
check "patch, json" k patch pod web --type json -p '[{"op":"add","path":"/metadata/labels/j","value":"1"}]'
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
check "rollout pause" k rollout pause deployment/d
check "autoscale" k autoscale deployment d --min=1 --max=4 --cpu-percent=50
check "hpa in v1" has 'targetCPUUtilizationPercentage: 50' get horizontalpodautoscalers.v1.autoscaling d -o yaml
check "hpa in v2" has 'averageUtilization: 50' get horizontalpodautoscalers.v2.autoscaling d -o yaml
check "expose" k expose deployment d --port=80
check "service has an address" has '10\.' get service d -o 'jsonpath={.spec.clusterIP}'
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
check "create token without account" fails 'not found' create token nobody
check "replace" replace_map
check "edit" edit_pod
check "edit is there" gets pod web '{.metadata.annotations.note}' edited
check "create token" has '^eyJ' create token default
check "auth can-i" has '^yes$' auth can-i create pods
check "auth can-i, as another" has '^no$' auth can-i create pods --as=nobody
check "auth whoami" has 'Username +kubernetes-admin' auth whoami
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
check "events" k events
check "delete with grace" k delete pod web --wait=false
check "deletion is marked" gets pod web '{.metadata.deletionGracePeriodSeconds}' 30
check "delete --force" k delete pod web --force --grace-period=0
check "it is gone" fails 'not found' get pod web
check "delete by label" k delete deployment -l '!x' --wait=false
check "delete --cascade=orphan" k delete job j --cascade=orphan --wait=false
finish
