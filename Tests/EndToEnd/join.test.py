#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""A second and a third machine join a cluster, as docs/multi-node.md says, work, move, and go again."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Support"))
from machines import (  # noqa: E402
    APUS, ROOT, SUPPORT, Cluster, Machine, Segment, fetch, left_behind, run_tests, skip_unless,
    test, traces, wait)

PAGE = ROOT / "docs/multi-node.md"
IMAGE = "apus.local/busybox:1"
DATA = "/var/lib/apus"
SERVE = "echo hello from $HOSTNAME > /tmp/index.html; echo begin; exec httpd -f -p 80 -h /tmp"
LONG = bool(os.environ.get("APUS_TEST_LONG"))


# Certificates that are over while the tests run, when there is time for it.
ENVIRONMENT = ("APUS_COMPONENT_ARG=kube-controller-manager=--cluster-signing-duration=2m"
               if LONG else "")


class Lab:
    """Three machines on a bridge; the first has a cluster, the others join it."""

    def __init__(self):
        self.first, self.second, self.third = self.machines = [
            Machine(number) for number in (190, 191, 192)]
        self.segment = None
        self.cluster = Cluster(self.first)
        self.blocks = []

    def start(self):
        for machine in self.machines:
            machine.start()
        # Not in the range of Services: a node gets no certificate for an address in it.
        self.segment = Segment("apmhub", "172.31.190", *self.machines)

    def stop(self):
        for machine in self.machines:
            machine.stop()
        if self.segment:
            self.segment.remove()

    def page(self, name, other=None, node="second"):
        """Runs the commands of a section of the page, each block on the machine it is for: the first,
        or the second (`other`), under its name (`node`)."""
        text = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)[1]
        blocks = re.findall(r"^```sh( second)?\n(.*?)^```$", text, re.M | re.S)
        assert blocks, name
        said = ""
        for on_second, commands in blocks:
            machine = (other or self.second) if on_second else self.first
            commands = re.sub(r"\bsecond\b", node, commands)
            # What the first machine printed has its own address, token and hash.
            printed = re.search(r"^(apus join .*)$", said, re.M)
            if printed:
                commands = re.sub(r"^apus join \S+:6443 .*?(?= --node-name)", printed[1], commands,
                                  flags=re.M)
            path = pathlib.Path(APUS).parent
            script = (f"export PATH={path}:$PATH:/usr/sbin:/sbin HOME={machine.dir} {ENVIRONMENT}\n"
                      f"set -eo pipefail\n{commands}")
            log = machine.dir / "page.log"
            with open(log, "wb") as file:
                # Into a file, as what a page leaves running would hold a pipe open.
                code = subprocess.run(machine.command("bash", "-c", script), cwd=ROOT, stdout=file,
                                      stderr=file, stdin=subprocess.DEVNULL, timeout=300).returncode
            said = log.read_text(errors="replace")
            assert code == 0, f"{commands}\n{said[-3000:]}"
        return said

    def on_second(self, *words, **options):
        return self.second.run(APUS, words[0], "--data-dir", DATA, *words[1:], **options)

    def status(self):
        return json.loads(self.on_second("status", "-o", "json", check=False))

    def node(self, name="second"):
        return self.cluster.get("node", name)

    def is_ready(self, name="second"):
        return any(c["type"] == "Ready" and c["status"] == "True"
                   for c in self.node(name)["status"]["conditions"])

    def pod(self, name, node, *command):
        self.cluster.apply({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": node, "terminationGracePeriodSeconds": 1,
                     "automountServiceAccountToken": False, "containers": [
                         {"name": "main", "image": IMAGE, "command": list(command)}]}})
        self.cluster.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=170s")

    def images(self, machine):
        machine.run(SUPPORT / "test-images", machine.dir / "images",
                    f"{DATA}/run/containerd.sock",
                    env={"APUS_BIN": str(pathlib.Path(APUS).parent)})

    def exec(self, pod, *words):
        return self.cluster.kubectl("exec", pod, "--", *words)

    def refused(self, *words):
        """What a join says that does not succeed."""
        out = subprocess.run(
            self.second.command(APUS, "join", "--data-dir", DATA, *words), capture_output=True,
            text=True, timeout=60)
        assert out.returncode != 0, out.stdout
        return out.stderr

    def print_logs(self):
        self.cluster.print_logs()
        for machine in self.machines[1:]:
            for path in sorted((machine.dir / "var/lib/apus/log").glob("*.log")):
                print(f"--- {machine.index}: {path.name}",
                      path.read_text(errors="replace")[-3000:], sep="\n")


@test
def joins_as_the_page_says(lab):
    lab.before = traces(lab.second, DATA)
    begin = time.monotonic()
    lab.page("The first machine")
    lab.page("Join")
    print(f"     {time.monotonic() - begin:.1f} s")
    assert lab.is_ready()
    addresses = {a["type"]: a["address"] for a in lab.node()["status"]["addresses"]}
    assert addresses == {"InternalIP": lab.second.address, "Hostname": "second"}, addresses
    assert lab.status()["healthy"]


@test
def keeps_its_secrets(lab):
    files = lab.second.dir / "var/lib/apus"
    assert not (files / "kubeconfig/bootstrap-kubelet.conf").exists()
    for name in ("kubelet-client", "kubelet-server"):
        current = files / f"kubelet/pki/{name}-current.pem"
        assert current.is_symlink()
        file = current.parent / os.readlink(current)
        assert file.stat().st_mode & 0o777 == 0o600
        pem = file.read_text()
        assert "BEGIN CERTIFICATE" in pem and "PRIVATE KEY" in pem
    assert not list((files / "kubelet/pki").glob("*.tmp"))
    requests = {r["spec"]["signerName"]: r for r in lab.cluster.get("csr")["items"]}
    assert requests["kubernetes.io/kube-apiserver-client-kubelet"]["spec"]["username"].startswith(
        "system:bootstrap:")
    assert requests["kubernetes.io/kubelet-serving"]["spec"]["username"] == "system:node:second"


@test
def refuses_who_is_not_trusted(lab):
    server = f"{lab.first.address}:6443"
    command = lab.first.run(APUS, "token", "create", "--print-join-command").split()
    token, pin = command[command.index("--token") + 1], command[-1]
    other = ["--data-dir", "/var/lib/apus-other", "--port-offset", "3000"]
    wrong = pin[:-4] + ("0000" if pin[-4:] != "0000" else "1111")
    for words, expected in (
            ([server, "--token", token, "--discovery-token-ca-cert-hash", wrong],
             "another authority"),
            ([server, "--token", token[:7] + "0" * 16, "--discovery-token-ca-cert-hash", pin],
             "does not know the token"),
            ([server, "--token", "000000." + "0" * 16, "--discovery-token-ca-cert-hash", pin,
              "--timeout", "1s"], "no signature by token ID"),
            ([server, "--token", token], "expected either"),
            ([server, "--token", "x", "--discovery-token-ca-cert-hash", pin], "is no token"),
            ([server, "--token", token, "--discovery-token-ca-cert-hash", pin, "--node-name",
              "second"], "already exists")):
        said = lab.refused(*other, *words)
        assert expected in said, said
    assert not (lab.second.dir / "var/lib/apus-other").exists()
    lab.first.run(APUS, "token", "delete", token[:6])
    assert token not in lab.first.run(APUS, "token", "list")


@test
def runs_pods_on_the_second_machine(lab):
    for machine in (lab.first, lab.second):
        lab.images(machine)
    lab.pod("there", "second", "sh", "-c", SERVE)
    lab.pod("here", lab.first.run("hostname").strip(), "sh", "-c", SERVE)
    wait("the log", lambda: lab.cluster.kubectl("logs", "there") == "begin\n")
    assert lab.exec("there", "hostname") == "there\n"
    address = {n: lab.cluster.get("pod", n)["status"]["podIP"] for n in ("here", "there")}
    for source, target in (("here", "there"), ("there", "here")):
        wait(f"{target} from {source}", lambda: lab.exec(
            source, "wget", "-qO-", f"http://{address[target]}/") == f"hello from {target}\n")


@test
def services_and_names_reach_across(lab):
    lab.cluster.kubectl("expose", "pod", "there", "--port=80", "--type=NodePort")
    port = lab.cluster.get("service", "there")["spec"]["ports"][0]["nodePort"]
    for machine in (lab.first, lab.second):
        wait("the node port", lambda: fetch(machine.address, port)[1] == "hello from there\n")
    for pod in ("here", "there"):
        wait("the name", lambda: lab.exec(
            pod, "wget", "-qO-", "http://there.default.svc.cluster.local/") == "hello from there\n")


@test
def a_third_machine_comes_and_goes(lab):
    before = traces(lab.third, DATA)
    lab.page("Join", lab.third, "third")
    assert lab.is_ready("third")
    lab.images(lab.third)
    lab.pod("far", "third", "sh", "-c", SERVE)
    address = {n: lab.cluster.get("pod", n)["status"]["podIP"] for n in ("here", "there", "far")}
    for source in address:
        for target in address:
            wait(f"{target} from {source}", lambda: lab.exec(
                source, "wget", "-qO-", f"http://{address[target]}/") == f"hello from {target}\n")
    port = lab.cluster.get("service", "there")["spec"]["ports"][0]["nodePort"]
    wait("the node port", lambda: fetch(lab.third.address, port)[1] == "hello from there\n")

    def nodes_of_pods():
        pods = lab.cluster.get("pods", "-l", "app=spread")["items"]
        return sorted(p["spec"]["nodeName"] for p in pods if "deletionTimestamp" not in p["metadata"])
    labels = {"app": "spread"}
    lab.cluster.apply({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "spread"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1,
                     "containers": [{"name": "main", "image": IMAGE,
                                     "command": ["sleep", "100000"]}],
                     "topologySpreadConstraints": [{
                         "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                         "whenUnsatisfiable": "DoNotSchedule",
                         "labelSelector": {"matchLabels": labels}}]}}}})
    lab.cluster.kubectl("rollout", "status", "deployment/spread", "--timeout=170s")
    assert len(set(nodes_of_pods())) == 3, nodes_of_pods()
    lab.page("Take a machine away", lab.third, "third")
    lab.cluster.kubectl("rollout", "status", "deployment/spread", "--timeout=170s")
    assert set(nodes_of_pods()) == {"second", lab.first.run("hostname").strip()}
    assert len(lab.cluster.get("nodes")["items"]) == 2
    lab.cluster.kubectl("delete", "deployment", "spread")
    left = left_behind(before, traces(lab.third, DATA))
    assert not left, left


@test
def a_killed_process_comes_back(lab):
    before = lab.cluster.get("pod", "there")["status"]["containerStatuses"]
    pids = {c["name"]: c["pid"] for c in lab.status()["components"]}
    assert set(pids) == {"containerd", "kubelet", "kube-proxy", "cluster-dns"}
    lab.second.run("kill", "-9", *pids.values())
    wait("all back", lambda: lab.status()["healthy"] and not set(pids.values()) & {
        c["pid"] for c in lab.status()["components"]})
    wait("the node", lab.is_ready)
    wait("the container's status", lambda: lab.cluster.get("pod", "there")["status"][
        "containerStatuses"] == before)


@test
def goes_on_after_down_and_join(lab):
    before = lab.cluster.get("pod", "there")["status"]["containerStatuses"]
    lab.on_second("down", "--keep-pods")
    assert not lab.status()["healthy"]
    said = lab.on_second("join")
    assert "is in the cluster" in said, said
    wait("the node", lab.is_ready)
    wait("the container's status", lambda: lab.cluster.get("pod", "there")["status"][
        "containerStatuses"] == before)
    assert "Started" not in lab.on_second("logs", "--tail", "1", "kube-proxy")


def rotates_its_certificates(lab):
    """With an authority that gives certificates for two minutes every process of the node goes on
    when those that it began with are over."""
    folder = lab.second.dir / "var/lib/apus/kubelet/pki"
    end = time.monotonic() + 180
    seen = {"kubelet-client": set(), "kubelet-server": set()}
    while time.monotonic() < end:
        for name, files in seen.items():
            files.add(os.readlink(folder / f"{name}-current.pem"))
        assert lab.exec("there", "hostname") == "there\n"
        time.sleep(2)
    assert all(len(files) > 1 for files in seen.values()), seen
    wait("the node", lab.is_ready)
    # A Service that is made now gets to the second machine's kernel: kube-proxy still watches.
    lab.cluster.kubectl("expose", "pod", "there", "--name=late", "--port=80", "--type=NodePort")
    port = lab.cluster.get("service", "late")["spec"]["ports"][0]["nodePort"]
    wait("the late Service", lambda: fetch(lab.second.address, port)[1] == "hello from there\n", 60)


if LONG:
    test(rotates_its_certificates)


@test
def follows_its_address(lab):
    lab.segment.move(lab.second, 77)

    def is_told():
        return {"type": "InternalIP", "address": lab.second.address} in lab.node()["status"][
            "addresses"]
    wait("the new address", is_told)
    # Over the kubelet's port at the new address, with a certificate that has it.
    wait("commands", lambda: lab.exec("there", "hostname") == "there\n")
    wait("the log", lambda: lab.cluster.kubectl("logs", "there") == "begin\n")
    address = lab.cluster.get("pod", "there")["status"]["podIP"]
    wait("the way between pods", lambda: lab.exec(
        "here", "timeout", "3", "wget", "-qO-", f"http://{address}/") == "hello from there\n")
    wait("the node", lab.is_ready)


@test
def leaves_nothing_after_a_reset(lab):
    lab.page("Take a machine away")
    after = traces(lab.second, DATA)
    # The machine has another than before, as it moved.
    after["addresses"] = {a for a in after["addresses"] if not a.startswith("eth0 ")}
    left = left_behind(lab.before, after)
    assert not left, left
    assert [n["metadata"]["name"] for n in lab.cluster.get("nodes")["items"]] == [
        lab.first.run("hostname").strip()]


def main():
    skip_unless("kubectl", "busybox", "nft", "iptables", machine=True)
    lab = Lab()
    try:
        lab.start()
        passed = run_tests(lab, lab.print_logs)
    finally:
        lab.stop()
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
