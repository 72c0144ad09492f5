#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Addresses and node ports of Services: two families, ports that are given once, what a restart finds
wrong and puts right; and the settings of admission."""

import os
import sys
import time

import apiserver
from serving_client import request

SERVICES = "/api/v1/namespaces/default/services"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
MERGE = "application/merge-patch+json"
DUAL = ["--service-cluster-ip-range", "10.96.0.0/24,fd00:96::/112", "--service-node-port-range", "30000-30031"]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def make(server, name, **spec):
    return request(server, "POST", SERVICES, {
        "metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, **spec}})


def patch(server, name, **spec):
    return request(server, "PATCH", f"{SERVICES}/{name}", {"spec": spec}, content=MERGE)


def addresses(server):
    return {item["metadata"]["name"]: item for item in request(server, "GET", ADDRESSES)[1]["items"]}


@test
def one_family_or_two(server):
    status, made = make(server, "single")
    assert made["spec"]["ipFamilyPolicy"] == "SingleStack" and made["spec"]["ipFamilies"] == ["IPv4"], made
    status, made = make(server, "v6", ipFamilies=["IPv6"])
    assert made["spec"]["clusterIP"].startswith("fd00:96::"), made
    status, made = make(server, "dual", ipFamilyPolicy="PreferDualStack")
    first, second = made["spec"]["clusterIPs"]
    assert first.startswith("10.96.0.") and second.startswith("fd00:96::"), made
    labels = [addresses(server)[name]["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"]
              for name in (first, second)]
    assert labels == ["IPv4", "IPv6"], labels
    # Of the part of the range that is given to nobody who does not ask for it.
    status, made = make(server, "asked", ipFamilyPolicy="RequireDualStack", clusterIP="fd00:96::7",
                        clusterIPs=["fd00:96::7", "10.96.0.7"])
    assert status == 201 and made["spec"]["ipFamilies"] == ["IPv6", "IPv4"], made
    status, answer = make(server, "taken", clusterIP="fd00:96::7")
    assert status == 422 and "provided IP is already allocated" in answer["message"], answer
    status, answer = make(server, "far", clusterIP="fd00:97::1")
    assert status == 422 and "not in the valid range" in answer["message"], answer
    status, answer = make(server, "both", ipFamilies=["IPv4", "IPv6"])
    assert status == 422 and "must be 'RequireDualStack' or 'PreferDualStack'" in answer["message"], answer


@test
def up_and_down(server):
    status, made = patch(server, "single", ipFamilyPolicy="RequireDualStack")
    assert status == 200 and len(made["spec"]["clusterIPs"]) == 2, made
    second = made["spec"]["clusterIPs"][1]
    assert second in addresses(server)
    status, answer = patch(server, "single", ipFamilies=["IPv4"], clusterIPs=made["spec"]["clusterIPs"][:1])
    assert status == 422 and "must be 'SingleStack' to release" in answer["message"], answer
    status, made = patch(server, "single", ipFamilyPolicy="SingleStack")
    assert status == 200 and made["spec"]["ipFamilies"] == ["IPv4"], made
    assert second not in addresses(server)
    status, made = patch(server, "single", type="ExternalName", externalName="example.com")
    assert status == 200 and "clusterIP" not in made["spec"], made
    status, made = patch(server, "single", type="ClusterIP", externalName=None)
    assert status == 200 and made["spec"]["clusterIP"], made


@test
def a_dry_run_takes_and_gives_nothing(server):
    before = set(addresses(server))
    status, made = request(server, "POST", SERVICES + "?dryRun=All", {
        "metadata": {"name": "dry"}, "spec": {"ports": [{"port": 80}], "type": "NodePort"}})
    assert status == 201 and made["spec"]["ports"][0]["nodePort"], made
    status, answer = request(server, "PATCH", f"{SERVICES}/dual?dryRun=All",
                             {"spec": {"ipFamilyPolicy": "SingleStack"}}, content=MERGE)
    assert status == 200, answer
    assert set(addresses(server)) == before


@test
def the_ranges_are_told(server):
    status, found = request(server, "GET", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes")
    assert found["spec"]["cidrs"] == ["10.96.0.0/24", "fd00:96::/112"], found
    status, answer = request(server, "PATCH", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes",
                             {"spec": {"cidrs": ["10.97.0.0/24", "fd00:96::/112"]}}, content=MERGE)
    assert status == 422 and "field is immutable" in answer["message"], answer


@test
def every_port_is_given_once(server):
    given = []
    for index in range(31):
        status, made = make(server, f"np{index}", type="NodePort")
        assert status == 201, (index, made)
        given.append(made["spec"]["ports"][0]["nodePort"])
    status, made = make(server, "np31", type="LoadBalancer", externalTrafficPolicy="Local")
    # It needs two, and there is one.
    assert status == 500 and "range is full" in made["message"], made
    status, made = make(server, "np31", type="NodePort")
    given.append(made["spec"]["ports"][0]["nodePort"])
    assert sorted(given) == list(range(30000, 30032)), sorted(given)
    status, answer = make(server, "np32", type="NodePort")
    assert status == 500 and "range is full" in answer["message"], answer
    status, answer = make(server, "np32", type="NodePort", ports=[{"port": 80, "nodePort": given[0]}])
    assert status == 422 and "provided port is already allocated" in answer["message"], answer
    request(server, "DELETE", f"{SERVICES}/np0")
    status, made = patch(server, "np1", type="ClusterIP")
    assert status == 200 and "nodePort" not in made["spec"]["ports"][0], made
    # What was given back can be had by its number.
    for index in (0, 1):
        status, made = make(server, f"again{index}", type="NodePort",
                            ports=[{"port": 80, "nodePort": given[index]}])
        assert status == 201, made
    for index in range(2, 32):
        request(server, "DELETE", f"{SERVICES}/np{index}")


@test
def a_restart_repairs(server):
    """The object of an address that is lost is made again; one of a Service that is gone goes."""
    status, made = make(server, "mended")
    address = made["spec"]["clusterIP"]
    status, answer = request(server, "DELETE", f"{ADDRESSES}/{address}")
    assert status == 200, answer
    # Named like one of the allocator's, for a Service that has another address.
    taken = set(addresses(server)) | {address}
    wrong = next(name for name in (f"10.96.0.{host}" for host in range(200, 255)) if name not in taken)
    status, answer = request(server, "POST", ADDRESSES, {
        "metadata": {"name": wrong, "labels": {
            "ipaddress.kubernetes.io/ip-family": "IPv4",
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}},
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "mended"}}})
    assert status == 201, answer
    server.stop()
    server.start()
    server.wait()
    found = addresses(server)
    assert found[address]["spec"]["parentRef"]["name"] == "mended", found.get(address)
    assert wrong not in found, server.log()

    def reasons():
        listing = request(server, "GET", "/api/v1/events")[1]["items"]
        return {item["reason"] for item in listing
                if item.get("reportingComponent") == "ipallocator-repair-controller"}

    server.wait_until(lambda: reasons() >= {"ClusterIPNotAllocated", "IPAddressWrongReference"},
                      "the repair is told in events")
    status, text = request(server, "GET", "/metrics", accept="text/plain")
    text = text.decode()
    for line in ('apiserver_clusterip_repair_ip_errors_total{type="repair"} 1',
                 'apiserver_clusterip_repair_ip_errors_total{type="leak"} 1'):
        assert line in text, line
    status, text = request(server, "GET", "/readyz?verbose", accept="text/plain")
    assert b"[+]poststarthook/start-service-ip-repair-controllers ok" in text, text


@test
def after_a_restart_rights_are_known_at_once(server):
    """The first answer that there is says what the roles in the store say, never `forbidden` to one
    who may."""
    rules = "/apis/rbac.authorization.k8s.io/v1"
    status, made = request(server, "POST", f"{rules}/clusterroles", {
        "metadata": {"name": "reads"}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]})
    assert status == 201, made
    status, made = request(server, "POST", f"{rules}/clusterrolebindings", {
        "metadata": {"name": "reads"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reads"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "readers"}]})
    assert status == 201, made
    for _ in range(3):
        server.stop()
        server.start()
        deadline = time.monotonic() + 60
        while True:
            try:
                status, answer = request(
                    server, "GET", "/api/v1/configmaps?limit=1", token="reader-token")
                break
            except OSError:
                # Nobody listens yet.
                assert time.monotonic() < deadline, server.log()
        assert status == 200, answer
        assert request(server, "GET", "/api/v1/configmaps", token="nobody-token")[0] == 403
    server.wait()


@test
def settings_of_admission(_):
    shared = apiserver.Server()
    path = os.path.join(shared.folder, "admission.yaml")
    with open(path, "w") as file:
        file.write("""apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline, enforce-version: latest}
    exemptions: {usernames: [reader], namespaces: [free], runtimeClasses: []}
- name: ResourceQuota
  path: quota.yaml
""")
    with open(os.path.join(shared.folder, "quota.yaml"), "w") as file:
        file.write("""apiVersion: apiserver.config.k8s.io/v1
kind: ResourceQuotaConfiguration
limitedResources:
- resource: persistentvolumeclaims
  matchContains: [gold.storageclass.storage.k8s.io/requests.storage]
- resource: pods
  matchScopes: [{scopeName: PriorityClass, operator: In, values: [system-node-critical]}]
""")
    shared.flags += ["--admission-control-config-file", path]
    with shared as server:
        for name in ("plain", "free"):
            request(server, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
            request(server, "POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})

        def pod(place, **spec):
            return request(server, "POST", f"/api/v1/namespaces/{place}/pods", {
                "metadata": {"generateName": "p-"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}})

        status, answer = pod("plain", hostNetwork=True)
        assert status == 403 and 'violates PodSecurity "baseline:latest"' in answer["message"], answer
        assert pod("plain")[0] == 201
        status, answer = pod("free", hostNetwork=True)
        assert status == 201, answer

        def claim(place, name):
            return request(server, "POST", f"/api/v1/namespaces/{place}/persistentvolumeclaims", {
                "metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": name,
                                                     "resources": {"requests": {"storage": "1Gi"}}}})

        assert claim("plain", "silver")[0] == 201
        status, answer = claim("plain", "gold")
        assert status == 403 and "insufficient quota to consume: gold.storageclass.storage.k8s.io/requests.storage" in answer["message"], answer
        status, answer = pod("plain", priorityClassName="system-node-critical")
        assert status == 403 and ("insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]"
                                  in answer["message"]), answer
    for text, why in (("kind: Nothing", "no kind"), ("a: [", "admission.yaml"),
                      ("apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugin: []", 'unknown field "plugin"')):
        wrong = apiserver.Server(["--admission-control-config-file", "wrong.yaml"])
        place = os.path.join(wrong.folder, "admission.yaml")
        with open(place, "w") as file:
            file.write(text)
        wrong.flags = ["--admission-control-config-file", place]
        try:
            wrong.start()
            assert wrong.process.wait(30) != 0
            assert why in wrong.log() and "--admission-control-config-file" in wrong.log(), wrong.log()
        finally:
            wrong.remove()


if __name__ == "__main__":
    with apiserver.Server(DUAL) as shared_server:
        sys.exit(apiserver.run(TESTS, shared_server))
