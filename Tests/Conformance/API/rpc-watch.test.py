#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Runs the Python example of docs/rpc.md, and compares the Swift one with the test that runs it."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading

import apiserver

try:
    import grpc
    import grpc_tools  # noqa: F401
except ImportError:
    sys.exit(77)

PODS = "/api/v1/namespaces/default/pods"
NAMES = [f"p{index}" for index in range(5)]


def documented(language):
    """The block of the section on watches in a language."""
    with open("docs/rpc.md") as file:
        section = file.read().split("## Watch resources\n")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL).group(1)


def request(server, method, path, body=None):
    connection = http.client.HTTPSConnection(
        "127.0.0.1", server.port, context=server.context, timeout=60)
    connection.request(
        method, path, json.dumps(body) if body else None,
        {"Authorization": f"Bearer {apiserver.ADMIN_TOKEN}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    data = json.loads(answer.read())
    connection.close()
    assert answer.status < 300, data


def create(server, name):
    request(server, "POST", PODS, {
        "metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}})


def the_python_example(server):
    request(server, "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    create(server, "p0")
    create(server, "gone")
    command = re.search(r"python3 (-m grpc_tools.*?)\n", documented("sh").replace("\\\n", "")).group(1)
    descriptors = os.path.join(server.folder, "apus.pb")
    subprocess.run(
        [sys.executable] + command.replace("apus.pb", descriptors).split(), check=True)
    def change():
        request(server, "DELETE", PODS + "/gone?gracePeriodSeconds=0")
        for name in NAMES[1:]:
            create(server, name)

    changer = None

    def is_enough(pods):
        # The changes begin when the state at the start is there.
        nonlocal changer
        if changer is None and {"p0", "gone"} <= set(pods):
            changer = threading.Thread(target=change)
            changer.start()
        return sorted(pods) == NAMES

    def read(name):
        with open(f"{server.pki}/{name}", "rb") as file:
            return file.read()

    variables = {
        "is_enough": is_enough, "address": f"localhost:{server.port}", "ca": read("ca.crt"),
        "certificate": read("clients/admin.crt"), "key": read("clients/admin.key")}
    exec(compile(documented("python").replace('"apus.pb"', repr(descriptors)), "docs/rpc.md", "exec"), variables)
    changer.join()
    assert sorted(variables["pods"]) == NAMES
    assert variables["pods"]["p3"].spec.containers[0].image == "i"


def the_swift_example(_):
    with open("Tests/Control/APIServerTests/DocumentedWatchTests.swift") as file:
        lines = [line.strip() for line in file]
    wanted = [re.sub(r"\s+//.*", "", line).strip() for line in documented("swift").splitlines()]
    text = "\n".join(line for line in lines if line)
    assert "\n".join(line for line in wanted if line) in text, "the document and the test differ"


if __name__ == "__main__":
    with apiserver.Server() as shared:
        sys.exit(apiserver.run([the_python_example, the_swift_example], shared))
