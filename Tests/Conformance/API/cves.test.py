#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""What has happened to other API servers and needs more than one request to be shown not to happen
here. docs/access.md says which test stands for which vulnerability."""

import json
import os
import stat
import sys

import apiserver
from serving_client import request

PODS = "/api/v1/namespaces/{}/pods"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
TESTS = []
CONTAINERS = ["containers", "initContainers", "ephemeralContainers"]


def test(function):
    TESTS.append(function)
    return function


def namespace(server, name, labels=None, annotations=None):
    status, made = request(server, "POST", "/api/v1/namespaces",
                           {"metadata": {"name": name, "labels": labels or {}}})
    assert status == 201, made
    status, made = request(server, "POST", f"/api/v1/namespaces/{name}/serviceaccounts",
                           {"metadata": {"name": "default", "annotations": annotations or {}}})
    assert status == 201, made


def make(server, place, name, kind, container, spec=None):
    """Makes a pod with a container of a kind; answers the status and body that decide."""
    plain = {"name": "plain", "image": "i", "resources": {"limits": {"cpu": "1", "memory": "1Mi"}}}
    container = {"name": "c", "image": "i", **container}
    pod = {"metadata": {"name": name},
           "spec": {"containers": [plain], "nodeName": "n1", **(spec or {})}}
    if kind in ("containers", "initContainers"):
        pod["spec"].setdefault(kind, []).append(container)
        return request(server, "POST", PODS.format(place), pod)
    status, made = request(server, "POST", PODS.format(place), pod)
    if status != 201 or kind is None:
        return status, made
    return request(server, "PATCH", f"{PODS.format(place)}/{name}/ephemeralcontainers",
                   {"spec": {"ephemeralContainers": [container]}}, content=STRATEGIC)


# --- CVE-2023-2727, CVE-2023-2728, CVE-2024-3177: one kind of container, one kind of reference missed

@test
def cve_2023_2727_policy_sees_every_kind_of_container(server):
    namespace(server, "guarded", {"pod-security.kubernetes.io/enforce": "baseline"})
    document = request(server, "GET", "/openapi/v2")[1]["definitions"]
    found = [name for name, field in document["io.k8s.api.core.v1.PodSpec"]["properties"].items()
             if (field.get("items") or {}).get("$ref", "").endswith("Container")]
    # A kind of container that is new to the schema is new to this test.
    assert sorted(found) == sorted(CONTAINERS), found
    for kind in CONTAINERS:
        status, answer = make(server, "guarded", f"p-{kind.lower()}", kind,
                              {"securityContext": {"privileged": True}})
        assert status == 403 and "violates PodSecurity" in answer["message"], (kind, status, answer)
        status, answer = make(server, "guarded", f"q-{kind.lower()}", kind, {})
        assert status in (200, 201), (kind, answer)


@test
def cve_2023_2728_and_2024_3177_mountable_secrets_in_every_container(server):
    namespace(server, "mounts", annotations={"kubernetes.io/enforce-mountable-secrets": "true"})
    sources = {
        "env": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
        "envfrom": {"envFrom": [{"secretRef": {"name": "s"}}]},
    }
    for kind in CONTAINERS:
        for name, source in sources.items():
            status, answer = make(server, "mounts", f"{kind.lower()}-{name}", kind, source)
            assert status == 403 and "secret" in answer["message"], (kind, name, status, answer)
    status, answer = make(server, "mounts", "volume", None, {},
                          {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})
    assert status == 403, answer


def secret_paths(document):
    """Every path in a PodSpec that names a Secret: [(steps, field)]; a step is (field, isList)."""
    found = []

    def visit(schema, steps, seen):
        for name, field in (schema.get("properties") or {}).items():
            is_list = field.get("type") == "array"
            target = (field.get("items") or field).get("$ref", "").rpartition("/")[2]
            kind = target.rpartition(".")[2]
            path = steps + [(name, is_list)]
            if name == "secretName" and field.get("type") == "string":
                found.append((steps, name))
            elif kind in ("SecretKeySelector", "SecretEnvSource", "SecretProjection"):
                found.append((path, "name"))
            elif kind == "LocalObjectReference" and "secret" in name.lower():
                found.append((path, "name"))
            elif target.startswith("io.k8s.api.core.v1.") and target not in seen:
                visit(document[target], path, seen | {target})

    visit(document["io.k8s.api.core.v1.PodSpec"], [], frozenset())
    return found


def filled(document, definition, key=None):
    """The fields that an object must have, with values that pass."""
    values = {}
    schema = document.get(definition, {})
    for name in schema.get("required") or []:
        field = schema["properties"][name]
        if field.get("type") == "array":
            values[name] = ["192.0.2.1"]
        elif field.get("type") in ("integer", "number"):
            values[name] = 0
        elif "$ref" in field:
            values[name] = filled(document, field["$ref"].rpartition("/")[2])
        else:
            values[name] = {"driver": "example.com"}.get(name, "x")
    return values


@test
def cve_2024_3177_every_reference_to_a_secret_is_known(server):
    """The node authorizer asks the one function that lists the secrets of a pod. A path of the
    schema that it does not know is a secret that the pod's node may not read."""
    namespace(server, "named")
    document = request(server, "GET", "/openapi/v2")[1]["definitions"]
    paths = secret_paths(document)
    assert len(paths) >= 18, paths
    left_out = []
    for index, (steps, field) in enumerate(paths):
        secret = f"planted-{index}"
        value = {field: secret}
        place = "io.k8s.api.core.v1.PodSpec"
        types = [place]
        for name, _ in steps:
            ref = document[types[-1]]["properties"][name]
            types.append((ref.get("items") or ref)["$ref"].rpartition("/")[2])
        for (name, is_list), owner, kind in reversed(list(zip(steps, types, types[1:]))):
            value = {**filled(document, kind), **value}
            if kind.endswith(".Volume") or kind.endswith(".EnvVar"):
                value["name"] = "x" if kind.endswith("Volume") else "X"
            value = {name: [value] if is_list else value}
        kind, content = next(iter(value.items()))
        if kind in CONTAINERS:
            container = {key: item for key, item in content[0].items()}
            status, answer = make(server, "named", f"p{index}", kind, container)
        else:
            status, answer = make(server, "named", f"p{index}", None, {}, value)
        if status not in (200, 201):
            # Kinds that no server takes any longer.
            left_out.append((steps, answer.get("message")))
            continue
        status, review = request(server, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
            "spec": {"user": "system:node:n1", "groups": ["system:nodes"], "resourceAttributes": {
                "namespace": "named", "verb": "get", "resource": "secrets", "name": secret}}})
        assert review["status"].get("allowed"), (steps, field, review["status"])
    assert len(left_out) <= len(paths) // 4, left_out


# --- CVE-2025-4563: a rule for nodes that holds for updates and not at creation

@test
def cve_2025_4563_rules_for_nodes_hold_for_every_operation(server):
    namespace(server, "nodes-pods")
    status, made = request(server, "POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    assert status in (201, 409), made
    mirror = {"kubernetes.io/config.mirror": "x"}
    owner = [{"apiVersion": "v1", "kind": "Node", "name": "n1", "controller": True,
              "uid": request(server, "GET", "/api/v1/nodes/n1")[1]["metadata"]["uid"]}]

    def pod(name, spec=None, status=None):
        return {"metadata": {"name": name, "annotations": mirror, "ownerReferences": owner},
                "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], **(spec or {})},
                **({"status": status} if status else {})}

    def as_node(method, path, body, content="application/json"):
        return request(server, method, path, body, token="node-token", content=content)

    pods = PODS.format("nodes-pods")
    status, made = as_node("POST", pods, pod("plain"))
    assert status == 201, made
    refused = {
        "resourceclaims": {"resourceClaims": [{"name": "r", "resourceClaimName": "c"}]},
        "secrets": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
        "configmaps": {"volumes": [{"name": "v", "configMap": {"name": "m"}}]},
        "persistentvolumeclaims": {
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
        "serviceaccount": {"serviceAccountName": "default"},
    }
    for name, spec in refused.items():
        status, answer = as_node("POST", pods, pod(f"x-{name}", spec))
        assert status == 403, (name, status, answer)
    # In the status as well: it says which claims the node may read.
    claims = {"resourceClaimStatuses": [{"name": "r", "resourceClaimName": "stolen"}]}
    status, answer = as_node("POST", pods, pod("x-status", status=claims))
    stolen = request(server, "GET", f"{pods}/x-status")[1].get("status", {})
    assert "resourceClaimStatuses" not in stolen, (status, answer, stolen)
    status, answer = as_node("PATCH", f"{pods}/plain/status", {"status": claims}, content=STRATEGIC)
    assert status == 403, (status, answer)
    # What is not a mirror pod; another node's; updates of the pod and of other subresources.
    other = pod("x-plain")
    del other["metadata"]["annotations"]
    assert as_node("POST", pods, other)[0] == 403
    assert as_node("POST", pods, pod("x-other", {"nodeName": "n2"}))[0] == 403
    assert as_node("PATCH", f"{pods}/plain", {"metadata": {"labels": {"a": "b"}}}, MERGE)[0] == 403
    assert as_node("PATCH", f"{pods}/plain/ephemeralcontainers",
                   {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}, STRATEGIC)[0] == 403
    assert as_node("PATCH", f"{pods}/plain/status", {"metadata": {"labels": {"a": "b"}}}, MERGE)[0] in (200, 403)
    assert "a" not in request(server, "GET", f"{pods}/plain")[1]["metadata"].get("labels", {})


# --- CVE-2019-11244: files with credentials that others can read or change

@test
def cve_2019_11244_files_are_for_their_owner(server):
    server.kubeconfig()
    checked = 0
    for folder, _, files in os.walk(server.folder):
        for name in files:
            path = os.path.join(folder, name)
            mode = stat.S_IMODE(os.stat(path).st_mode)
            assert not mode & 0o022, (path, oct(mode))
            if name.endswith(".key") or folder.startswith(os.path.join(server.folder, "store")):
                checked += 1
                assert not mode & 0o077, (path, oct(mode))
    assert checked > 5, checked


if __name__ == "__main__":
    with apiserver.Server() as shared:
        sys.exit(apiserver.run(TESTS, shared))
