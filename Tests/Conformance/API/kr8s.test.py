#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The Python client kr8s against the API server, one test a behaviour."""

import sys

import apiserver

try:
    import kr8s
    from kr8s.objects import ConfigMap, Deployment, Namespace, Pod, Secret, Service, new_class
except ImportError:
    sys.exit(77)

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def config_map(api, name, labels=None, **data):
    return ConfigMap(
        {"metadata": {"name": name, "namespace": "default", "labels": labels or {}}, "data": data},
        api=api)


def deployment(api, name):
    return Deployment({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                         "spec": {"containers": [{"name": "c", "image": "i"}]}}}}, api=api)


@test
def version_and_identity(api):
    assert api.version()["gitVersion"].startswith("v1.36"), api.version()
    assert api.whoami(), "nobody"


@test
def discovery(api):
    found = {(entry["version"], entry["name"]) for entry in api.api_resources()}
    assert ("v1", "pods") in found and ("apps/v1", "deployments") in found, len(found)
    assert {"v1"} <= set(api.api_versions()), list(api.api_versions())


@test
def create_get_delete(api):
    made = config_map(api, "a", key="1")
    assert not made.exists()
    made.create()
    assert made.exists() and made.raw["metadata"]["uid"]
    assert ConfigMap.get("a", namespace="default", api=api).data == {"key": "1"}
    made.delete()
    made.wait("delete", timeout=20)
    assert not made.exists()


@test
def what_is_not_there(api):
    try:
        Pod.get("absent", namespace="default", api=api, timeout=1)
    except kr8s.NotFoundError:
        return
    raise AssertionError("a pod that is not there was found")


@test
def what_is_there_already(api):
    config_map(api, "twice").create()
    try:
        config_map(api, "twice").create()
    except kr8s.ServerError as error:
        assert error.response.status_code == 409, error
        assert "already exists" in str(error), error
        return
    raise AssertionError("the second was made")


@test
def what_is_invalid(api):
    try:
        config_map(api, "A_B").create()
    except kr8s.ServerError as error:
        assert error.response.status_code == 422, error
        assert "metadata.name: Invalid value" in str(error), error
        return
    raise AssertionError("it was made")


@test
def patches(api):
    made = config_map(api, "p", one="1")
    made.create()
    made.patch({"data": {"two": "2"}})
    assert made.data == {"one": "1", "two": "2"}, made.data
    made.patch([{"op": "remove", "path": "/data/one"}], type="json")
    assert made.data == {"two": "2"}, made.data


@test
def labels_and_annotations(api):
    made = config_map(api, "l")
    made.create()
    made.label({"app": "x"})
    made.annotate({"note": "y"})
    made.refresh()
    assert made.labels["app"] == "x" and made.annotations["note"] == "y"


@test
def lists_by_selector(api):
    for index in range(5):
        config_map(api, f"s{index}", {"even": str(index % 2 == 0).lower()}).create()
    even = api.get("configmaps", namespace="default", label_selector={"even": "true"})
    assert sorted(item.name for item in even) == ["s0", "s2", "s4"]
    one = api.get("configmaps", namespace="default", field_selector="metadata.name=s1")
    assert [item.name for item in one] == ["s1"]


@test
def lists_of_all_namespaces(api):
    Namespace({"metadata": {"name": "other"}}, api=api).create()
    Secret({"metadata": {"name": "x", "namespace": "other"}}, api=api).create()
    Secret({"metadata": {"name": "x", "namespace": "default"}}, api=api).create()
    found = {(item.namespace, item.name) for item in api.get("secrets", namespace=kr8s.ALL)}
    assert {("other", "x"), ("default", "x")} <= found, found


@test
def scale(api):
    made = deployment(api, "d")
    made.create()
    made.raw["spec"]["replicas"] = 3
    made.patch({"spec": {"replicas": 3}}, subresource="scale")
    made.refresh()
    assert made.replicas == 3 and made.raw["metadata"]["generation"] == 2


@test
def service(api):
    made = Service({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}, api=api)
    made.create()
    made.refresh()
    assert made.raw["spec"]["clusterIP"].startswith("10."), made.raw["spec"]


@test
def kinds_by_name(api):
    lease = new_class("Lease", version="coordination.k8s.io/v1", namespaced=True)
    lease({"metadata": {"name": "k", "namespace": "default"}, "spec": {"holderIdentity": "me"}},
          api=api).create()
    found = [item for item in api.get("leases.coordination.k8s.io", namespace="default")]
    assert [item.raw["spec"]["holderIdentity"] for item in found] == ["me"], found


@test
def watch(api):
    seen = []
    for index in range(3):
        config_map(api, f"w{index}", {"watched": "yes"}).create()
    for event, item in api.watch("configmaps", namespace="default", label_selector="watched=yes"):
        seen.append((event, item.name))
        if len(seen) == 3:
            item.patch({"data": {"more": "x"}})
        elif len(seen) == 4:
            item.delete()
        elif len(seen) == 5:
            break
    assert sorted(seen[:3]) == [("ADDED", f"w{index}") for index in range(3)], seen
    last = seen[2][1]
    assert seen[3:] == [("MODIFIED", last), ("DELETED", last)], seen


@test
def conditions(api):
    made = deployment(api, "c")
    made.create()
    made.patch({"status": {"conditions": [
        {"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
         "lastUpdateTime": "2026-01-01T00:00:00Z"}]}}, subresource="status")
    made.wait("condition=Available", timeout=20)


def main():
    with apiserver.Server() as server:
        return apiserver.run(TESTS, kr8s.api(kubeconfig=server.kubeconfig()))


if __name__ == "__main__":
    sys.exit(main())
