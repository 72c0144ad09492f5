#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The Python client against the API server, one test a behaviour."""

import sys

import apiserver

try:
    from kubernetes import client, dynamic, watch
    from kubernetes.client.rest import ApiException
except ImportError:
    sys.exit(77)

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def refused(status, reason, call, *args, **kwargs):
    """Asserts that a call fails so."""
    try:
        call(*args, **kwargs)
    except ApiException as error:
        assert error.status == status, (error.status, error.body)
        assert f'"reason":"{reason}"' in error.body.replace('": "', '":"'), error.body
        return
    raise AssertionError("the call was answered")


def config_map(name, **data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)


@test
def create_read_replace_delete(api):
    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map("default", config_map("a", k="1"))
    assert made.metadata.uid and made.metadata.resource_version
    made.data["k"] = "2"
    core.replace_namespaced_config_map("a", "default", made)
    assert core.read_namespaced_config_map("a", "default").data == {"k": "2"}
    refused(409, "Conflict", core.replace_namespaced_config_map, "a", "default", made)
    refused(409, "AlreadyExists", core.create_namespaced_config_map, "default", config_map("a"))
    core.delete_namespaced_config_map("a", "default")
    refused(404, "NotFound", core.read_namespaced_config_map, "a", "default")


@test
def patches(api):
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map("default", config_map("p", a="1"))
    core.patch_namespaced_config_map("p", "default", {"data": {"b": "2"}})
    core.patch_namespaced_config_map(
        "p", "default", [{"op": "remove", "path": "/data/a"}]
    )
    assert core.read_namespaced_config_map("p", "default").data == {"b": "2"}


@test
def watch_sees_everything_once(api):
    core = client.CoreV1Api(api)
    version = core.list_namespaced_config_map("default").metadata.resource_version
    for index in range(20):
        core.create_namespaced_config_map("default", config_map(f"w{index}"))
    for index in range(20):
        core.delete_namespaced_config_map(f"w{index}", "default")
    seen = []
    for event in watch.Watch().stream(
        core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=2
    ):
        seen.append((event["type"], event["object"].metadata.name))
    names = [f"w{index}" for index in range(20)]
    assert seen == [("ADDED", name) for name in names] + [("DELETED", name) for name in names], seen


@test
def watch_of_the_future_is_refused(api):
    core = client.CoreV1Api(api)
    refused(504, "Timeout", core.list_namespaced_config_map, "default", resource_version="99999999")


@test
def pages(api):
    core = client.CoreV1Api(api)
    for index in range(7):
        core.create_namespaced_secret(
            "default", client.V1Secret(metadata=client.V1ObjectMeta(name=f"s{index}"))
        )
    names, token = [], None
    while True:
        page = core.list_namespaced_secret("default", limit=3, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == [f"s{index}" for index in range(7)], names
    refused(400, "BadRequest", core.list_namespaced_secret, "default", _continue="nonsense")


@test
def selectors(api):
    core = client.CoreV1Api(api)
    refused(400, "BadRequest", core.list_namespaced_pod, "default", field_selector="spec.x=1")
    refused(400, "BadRequest", core.list_namespaced_pod, "default", label_selector="a b")
    assert core.list_namespaced_pod("default", field_selector="spec.nodeName=n").items == []


@test
def dynamic_client(api):
    resources = dynamic.DynamicClient(api).resources
    deployments = resources.get(api_version="apps/v1", kind="Deployment")
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    }
    made = deployments.create(body=body, namespace="default")
    assert made.metadata.generation == 1
    assert made.spec.strategy.type == "RollingUpdate"
    found = deployments.get(name="d", namespace="default")
    assert found.spec.template.spec.containers[0].imagePullPolicy == "Always"
    deployments.delete(name="d", namespace="default")


@test
def collection(api):
    core = client.CoreV1Api(api)
    for index in range(3):
        made = config_map(f"c{index}")
        made.metadata.labels = {"set": "x"}
        core.create_namespaced_config_map("default", made)
    core.delete_collection_namespaced_config_map("default", label_selector="set=x")
    assert core.list_namespaced_config_map("default", label_selector="set=x").items == []


def main():
    with apiserver.Server() as server:
        configuration = client.Configuration()
        configuration.host = server.url
        configuration.ssl_ca_cert = f"{server.pki}/ca.crt"
        configuration.cert_file = f"{server.pki}/clients/admin.crt"
        configuration.key_file = f"{server.pki}/clients/admin.key"
        return apiserver.run(TESTS, client.ApiClient(configuration))


if __name__ == "__main__":
    sys.exit(main())
