#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""What the API server has beside the objects of clients: WebSocket watches, top-level Bindings,
component statuses, its own Lease, what extension API servers read, `--runtime-config`."""

import json
import sys

import apiserver
from serving_client import request

try:
    import websocket
except ImportError:
    sys.exit(77)

MAPS = "/api/v1/namespaces/default/configmaps"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def open_socket(server, path, accept="application/json"):
    return websocket.create_connection(
        f"wss://127.0.0.1:{server.port}{path}", timeout=30,
        header=[f"Authorization: Bearer {apiserver.ADMIN_TOKEN}", f"Accept: {accept}"],
        sslopt={"ca_certs": f"{server.pki}/ca.crt"})


@test
def a_watch_over_a_web_socket(server):
    status, listing = request(server, "GET", MAPS)
    version = listing["metadata"]["resourceVersion"]
    socket = open_socket(server, f"{MAPS}?watch=1&resourceVersion={version}")
    for index in range(20):
        status, made = request(server, "POST", MAPS, {"metadata": {"name": f"w{index}"}})
        assert status == 201, made
    seen = [json.loads(socket.recv()) for _ in range(20)]
    assert [event["object"]["metadata"]["name"] for event in seen] == [f"w{i}" for i in range(20)], seen
    assert {event["type"] for event in seen} == {"ADDED"}
    socket.close()


@test
def a_watch_over_a_web_socket_in_protobuf(server):
    socket = open_socket(
        server, f"{MAPS}?watch=1&resourceVersion=0&sendInitialEvents=true"
        "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
        "application/vnd.kubernetes.protobuf;stream=watch")
    request(server, "POST", MAPS, {"metadata": {"name": "p"}})
    code, frame = socket.recv_data()
    assert code == websocket.ABNF.OPCODE_BINARY, code
    # A length before the event, as in a stream.
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4, frame[:20]
    socket.close()


@test
def the_end_of_a_web_socket_is_heard(server):
    for _ in range(20):
        socket = open_socket(server, f"{MAPS}?watch=1&resourceVersion=0")
        socket.close()
    status, text = request(server, "GET", "/livez?verbose")
    assert status == 200, text


@test
def top_level_bindings(server):
    pods = "/api/v1/namespaces/default/pods"
    request(server, "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    status, made = request(server, "POST", pods, {
        "metadata": {"name": "b"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    assert status == 201, made
    binding = {"metadata": {"name": "b"}, "target": {"kind": "Node", "name": "n1"}}
    status, answer = request(server, "POST", "/api/v1/namespaces/default/bindings", binding)
    assert status == 201 and answer["status"] == "Success", answer
    status, pod = request(server, "GET", pods + "/b")
    assert pod["spec"]["nodeName"] == "n1", pod["spec"]
    status, answer = request(server, "POST", "/api/v1/namespaces/default/bindings", binding)
    assert status == 409, answer
    status, answer = request(
        server, "POST", "/api/v1/namespaces/default/bindings", {"target": {"name": "n1"}})
    assert status == 400, answer
    status, answer = request(server, "GET", "/api/v1/namespaces/default/bindings")
    assert status == 405, answer


@test
def component_statuses(server):
    status, listing = request(server, "GET", "/api/v1/componentstatuses")
    assert status == 200 and listing["kind"] == "ComponentStatusList", listing
    found = {item["metadata"]["name"]: item["conditions"][0] for item in listing["items"]}
    assert set(found) == {"scheduler", "controller-manager", "etcd-0"}, found
    assert found["etcd-0"] == {"type": "Healthy", "status": "True", "message": "ok"}, found
    status, one = request(server, "GET", "/api/v1/componentstatuses/etcd-0")
    assert one["kind"] == "ComponentStatus" and one["metadata"]["name"] == "etcd-0", one
    assert request(server, "GET", "/api/v1/componentstatuses/nope")[0] == 404
    assert request(server, "DELETE", "/api/v1/componentstatuses/etcd-0")[0] == 405


@test
def what_extension_servers_read(server):
    status, found = request(
        server, "GET", "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")
    assert status == 200, found
    with open(f"{server.pki}/ca.crt") as file:
        assert found["data"]["client-ca-file"] == file.read()


@test
def the_lease_of_the_server(server):
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"

    def leases():
        status, found = request(
            server, "GET", path + "?labelSelector=apiserver.kubernetes.io/identity%3Dkube-apiserver")
        return found["items"]

    # It is made after the server has become ready.
    server.wait_until(lambda: len(leases()) == 1, "the lease is there")
    lease = leases()[0]
    assert lease["metadata"]["name"].startswith("apiserver-"), lease
    assert lease["spec"]["holderIdentity"].startswith(lease["metadata"]["name"] + "_"), lease
    assert lease["spec"]["leaseDurationSeconds"] == 3600, lease


@test
def what_is_served_is_configured(_):
    with apiserver.Server(["--runtime-config", "apps/v1/daemonsets=false,batch/v1=false,api/alpha"]) as server:
        assert request(server, "GET", "/apis/apps/v1/daemonsets")[0] == 404
        assert request(server, "GET", "/apis/apps/v1/deployments")[0] == 200
        assert request(server, "GET", "/apis/batch/v1/jobs")[0] == 404
        status, groups = request(server, "GET", "/apis")
        names = {group["name"] for group in groups["groups"]}
        assert "batch" not in names and "apps" in names, names
        status, alpha = request(server, "GET", "/apis/coordination.k8s.io/v1alpha2/leasecandidates")
        assert status == 200 and alpha["kind"] == "LeaseCandidateList", alpha


@test
def addresses_that_nobody_gave(_):
    """CVE-2020-8554"""
    services = "/api/v1/namespaces/default/services"
    with apiserver.Server(["--enable-admission-plugins", "DenyServiceExternalIPs"]) as server:
        spec = {"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}
        status, answer = request(server, "POST", services, {"metadata": {"name": "s"}, "spec": spec})
        assert status == 403 and "external IPs" in answer["message"], answer
        del spec["externalIPs"]
        status, answer = request(server, "POST", services, {"metadata": {"name": "s"}, "spec": spec})
        assert status == 201, answer


if __name__ == "__main__":
    with apiserver.Server() as shared:
        sys.exit(apiserver.run(TESTS, shared))
