#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Static pods in real containers: a kubelet without an API server, and a containerd of its own."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUPPORT = ROOT / "Tests" / "Support"
APUS = os.path.join(os.environ.get("APUS_BIN", ROOT / ".build/debug"), "apus")
IMAGE = "apus.local/busybox:1"
INDEX = os.environ.get("APUS_TEST_INDEX", "151")

results = []


def wait(what, condition, seconds=120):
    """The first true value of `condition`, which may throw until then."""
    deadline = time.monotonic() + seconds
    problem = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except (subprocess.SubprocessError, LookupError, ValueError, TypeError, OSError) as error:
            problem = error
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come to be within {seconds} s ({problem})")


class Node:
    """A containerd and a kubelet in a folder of their own."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="apus-e2e-"))
        self.runtime = self.dir / "c"
        self.manifests = self.dir / "manifests"
        self.logs = self.dir / "logs"
        self.manifests.mkdir()
        self.kubelet = None
        self.group = f"apus-e2e-{INDEX}"
        self.witnesses = 0

    def start(self):
        subprocess.run([SUPPORT / "containerd", "start", self.runtime, INDEX], check=True)
        subprocess.run([SUPPORT / "test-images", self.dir / "images", self.socket], check=True,
                       stdout=subprocess.DEVNULL)
        self.start_kubelet()

    @property
    def socket(self):
        return str(self.runtime / "containerd.sock")

    @property
    def runtime_pid(self):
        return int((self.runtime / "containerd.pid").read_text())

    def restart_runtime(self):
        """Starts the containerd again, which has ended."""
        process = subprocess.Popen(
            ["containerd", "--config", self.runtime / "config.toml"],
            stdout=open(self.runtime / "containerd.log", "ab"), stderr=subprocess.STDOUT,
            start_new_session=True)
        (self.runtime / "containerd.pid").write_text(str(process.pid))

    def start_kubelet(self):
        log = open(self.dir / "kubelet.log", "ab")
        self.kubelet = subprocess.Popen(
            [APUS, "kubelet", "--root-dir", self.dir / "kubelet", "--pod-logs-dir", self.logs,
             "--pod-manifest-path", self.manifests, "--hostname-override", "node",
             "--container-runtime-endpoint", f"unix://{self.socket}",
             "--cgroup-root", f"/{self.group}", "--port", "0", "--healthz-port", "0", "-v", "4"],
            stdout=log, stderr=log)

    def stop_kubelet(self, how=signal.SIGTERM):
        if self.kubelet:
            self.kubelet.send_signal(how)
            self.kubelet.wait(60)
            self.kubelet = None

    def stop(self):
        try:
            self.stop_kubelet()
        except subprocess.TimeoutExpired:
            self.kubelet.kill()
        subprocess.run([SUPPORT / "containerd", "stop", self.runtime], check=False)
        for line in open("/proc/self/mountinfo"):
            path = line.split()[4]
            if path.startswith(str(self.dir)):
                subprocess.run(["umount", "-l", path], check=False)
        for controller in pathlib.Path("/sys/fs/cgroup").iterdir():
            base = controller / self.group
            if base.is_dir():
                for folder, _, _ in sorted(os.walk(base), reverse=True):
                    try:
                        os.rmdir(folder)
                    except OSError:
                        pass
        shutil.rmtree(self.dir, ignore_errors=True)

    def labels(self):
        """The labels of every container of the runtime, sandboxes too."""
        out = subprocess.run(
            ["ctr", "-a", self.socket, "-n", "k8s.io", "containers", "list", "-q"],
            check=True, capture_output=True, text=True).stdout.split()
        result = {}
        for container in out:
            info = subprocess.run(
                ["ctr", "-a", self.socket, "-n", "k8s.io", "containers", "info", container],
                capture_output=True, text=True)
            # One that is removed between the two is not there.
            if info.returncode == 0:
                result[container] = json.loads(info.stdout)["Labels"]
        return result

    def containers(self):
        """Containers of pods by name of their pod and own name."""
        result = {}
        for container, labels in self.labels().items():
            name = labels.get("io.kubernetes.container.name")
            if name:
                result.setdefault((labels["io.kubernetes.pod.name"], name), []).append(container)
        return result

    def uid(self, pod):
        """The identity of a pod that the runtime knows."""
        [uid] = {labels["io.kubernetes.pod.uid"] for labels in self.labels().values()
                 if labels.get("io.kubernetes.pod.name") == pod}
        return uid

    def see_through(self):
        """Returns when the kubelet has run a pod that did not exist before: by then it has seen
        everything that came earlier."""
        self.witnesses += 1
        name = f"witness-{self.witnesses}"
        self.apply(name, {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                          "containers": [container("echo", "seen")]})
        wait("a pod that came later", lambda: self.log(name) == "seen\n")
        self.remove(name)

    def running(self):
        out = subprocess.run(["ctr", "-a", self.socket, "-n", "k8s.io", "tasks", "list"],
                             check=True, capture_output=True, text=True).stdout.splitlines()[1:]
        return {line.split()[0] for line in out if "RUNNING" in line}

    def apply(self, name, spec, **metadata):
        manifest = {"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": name, **metadata}, "spec": spec}
        path = self.manifests / f".{name}"
        path.write_text(json.dumps(manifest))
        path.rename(self.manifests / f"{name}.json")

    def remove(self, name):
        (self.manifests / f"{name}.json").unlink()

    def log(self, pod, container="main", instance=0):
        for folder in self.logs.glob(f"default_{pod}-node_*"):
            path = folder / container / f"{instance}.log"
            return "".join(line.split(" ", 3)[3] for line in path.read_text().splitlines(True))
        raise FileNotFoundError(pod)


def container(*command, **more):
    return {"name": "main", "image": IMAGE, "command": list(command), **more}


def test(function):
    def run(node):
        begin = time.monotonic()
        try:
            function(node)
            results.append(True)
            print(f"ok   {function.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as error:  # noqa: BLE001
            results.append(False)
            print(f"FAIL {function.__name__}: {error!r}", flush=True)
    TESTS.append(run)
    return run


TESTS = []


@test
def runs_a_pod(node):
    node.apply("hello", {"containers": [container("sh", "-c", "echo hello; exec sleep 3600")],
                         "terminationGracePeriodSeconds": 1})
    wait("the log", lambda: node.log("hello") == "hello\n")
    [one] = node.containers()["hello-node", "main"]
    assert one in node.running()


@test
def adopts_containers_after_its_own_end(node):
    [before] = node.containers()["hello-node", "main"]
    node.stop_kubelet(signal.SIGKILL)
    assert before in node.running()
    node.start_kubelet()
    node.see_through()
    assert node.containers()["hello-node", "main"] == [before]
    assert before in node.running()


@test
def survives_the_runtimes_restart(node):
    [before] = node.containers()["hello-node", "main"]
    os.kill(node.runtime_pid, signal.SIGKILL)
    node.restart_runtime()
    wait("containerd", lambda: before in node.running())
    node.see_through()
    assert node.containers()["hello-node", "main"] == [before]


@test
def starts_a_new_pod_after_the_runtimes_restart(node):
    node.apply("after", {"containers": [container("sh", "-c", "echo up; exec sleep 3600")],
                         "terminationGracePeriodSeconds": 1})
    wait("the log", lambda: node.log("after") == "up\n")


@test
def ends_a_pod_whose_manifest_is_gone(node):
    folder = node.dir / "kubelet/pods" / node.uid("hello-node")
    assert folder.exists()
    node.remove("hello")
    node.remove("after")
    wait("the end", lambda: ("hello-node", "main") not in node.containers())
    wait("the folders' end", lambda: not folder.exists())
    wait("the logs' end", lambda: not list(node.logs.glob("default_hello-node_*")))


@test
def restarts_a_container_that_ends(node):
    node.apply("again", {"containers": [container("sh", "-c", "echo ran; exit 3")],
                         "terminationGracePeriodSeconds": 1})
    wait("a second instance", lambda: node.log("again", instance=1) == "ran\n")
    node.remove("again")


@test
def does_not_restart_what_has_succeeded(node):
    node.apply("once", {"restartPolicy": "OnFailure", "containers": [container("echo", "done")]})
    wait("the log", lambda: node.log("once") == "done\n")
    node.see_through()
    assert len(node.containers()["once-node", "main"]) == 1
    node.remove("once")


@test
def runs_init_containers_first(node):
    volume = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    init = [{"name": f"i{n}", "image": IMAGE, **volume,
             "command": ["sh", "-c", f"echo {n} >> /shared/order"]} for n in (1, 2)]
    node.apply("init", {
        "terminationGracePeriodSeconds": 1, "initContainers": init,
        "volumes": [{"name": "shared", "emptyDir": {}}],
        "containers": [container("sh", "-c", "cat /shared/order; exec sleep 3600", **volume)]})
    wait("the log", lambda: node.log("init") == "1\n2\n")
    node.remove("init")


@test
def keeps_a_sidecar_beside_the_others(node):
    node.apply("side", {
        "terminationGracePeriodSeconds": 1, "restartPolicy": "Never",
        "initContainers": [{"name": "side", "image": IMAGE, "restartPolicy": "Always",
                            "command": ["sh", "-c", "echo begun; exec sleep 3600"]}],
        "containers": [container("sh", "-c", "echo main; sleep 1")]})
    wait("the log", lambda: node.log("side") == "main\n")
    wait("the sidecar's log", lambda: node.log("side", "side") == "begun\n")
    [side] = node.containers()["side-node", "side"]
    wait("the sidecar's end", lambda: side not in node.running())
    node.remove("side")


@test
def gives_the_environment(node):
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2 $$(A)"},
           {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
           {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
           {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu",
                                                              "divisor": "1m"}}}]
    node.apply("env", {
        "terminationGracePeriodSeconds": 1, "restartPolicy": "Never",
        "containers": [container("sh", "-c", "echo $A,$B,$NAME,$IP,$CPU; hostname", env=env,
                                 resources={"limits": {"cpu": "250m", "memory": "64Mi"}})]})
    text = wait("the log", lambda: node.log("env") if "\n" in node.log("env") else None)
    values = text.splitlines()[0].split(",")
    assert values[:3] == ["1", "12 $(A)", "env-node"], text
    assert values[3].startswith(f"10.{50 + int(INDEX)}."), text
    assert values[4] == "250", text
    node.remove("env")


@test
def limits_resources_by_cgroups(node):
    node.apply("limits", {
        "terminationGracePeriodSeconds": 1,
        "containers": [container("sleep", "3600", resources={
            "limits": {"cpu": "250m", "memory": "64Mi"}})]})
    [one] = wait("the container", lambda: node.containers().get(("limits-node", "main")))
    base = pathlib.Path("/sys/fs/cgroup")
    if not (base / "memory").is_dir():
        node.remove("limits")
        return
    pod = base / f"memory/{node.group}/kubepods/pod{node.uid('limits-node')}"
    for group in (pod, pod / one):
        wait(f"the limit of {group.name}", lambda: (
            group / "memory.limit_in_bytes").read_text().strip() == str(64 << 20))
    cpu = base / "cpu" / pod.relative_to(base / "memory") / "cpu.cfs_quota_us"
    wait("the quota", lambda: cpu.read_text().strip() == "25000")
    node.remove("limits")
    wait("the group's end", lambda: not pod.exists())


@test
def mounts_subpaths_beneath_the_volume(node):
    shared = {"name": "v", "mountPath": "/v"}
    sub = {"name": "v", "mountPath": "/sub", "subPath": "a/b"}
    evil = {"name": "v", "mountPath": "/evil", "subPath": "evil/etc"}
    node.apply("subpath", {
        "terminationGracePeriodSeconds": 1, "restartPolicy": "Never",
        "volumes": [{"name": "v", "emptyDir": {}}],
        "initContainers": [{"name": "make", "image": IMAGE, "volumeMounts": [shared],
                            "command": ["sh", "-c", "ln -s / /v/evil; mkdir -p /v/a/b; "
                                                    "echo in > /v/a/b/f"]}],
        "containers": [container("cat", "/sub/f", volumeMounts=[sub]),
                       {"name": "evil", "image": IMAGE, "command": ["ls", "/evil"],
                        "volumeMounts": [evil]}]})
    wait("the log", lambda: node.log("subpath") == "in\n")
    wait("the refusal", lambda: any(
        "subpath-node" in line and "evil" in line and "Failed" in line
        for line in (node.dir / "kubelet.log").read_text().splitlines()))
    assert ("subpath-node", "evil") not in node.containers()
    node.remove("subpath")


@test
def probes_and_replaces_a_container_that_is_sick(node):
    node.apply("sick", {
        "terminationGracePeriodSeconds": 1,
        "containers": [container(
            "sh", "-c", "touch /tmp/well; sleep 2; rm /tmp/well; exec sleep 3600",
            livenessProbe={"exec": {"command": ["cat", "/tmp/well"]}, "periodSeconds": 1,
                           "failureThreshold": 1})]})
    wait("a second instance",
         lambda: len(node.containers()["sick-node", "main"]) >= 2)
    node.remove("sick")


@test
def runs_hooks(node):
    node.apply("hooks", {
        "terminationGracePeriodSeconds": 15,
        "volumes": [{"name": "out", "hostPath": {"path": str(node.dir / "out"),
                                                 "type": "DirectoryOrCreate"}}],
        "containers": [container(
            # Ends when it is told to, which `sleep` as the first process does not.
            "sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait",
            volumeMounts=[{"name": "out", "mountPath": "/out"}],
            lifecycle={"postStart": {"exec": {"command": ["touch", "/out/started"]}},
                       "preStop": {"exec": {"command": ["touch", "/out/stopping"]}}})]})
    wait("the first hook", lambda: (node.dir / "out/started").exists())
    node.remove("hooks")
    wait("the last hook", lambda: (node.dir / "out/stopping").exists())


@test
def ends_what_ignores_the_signal(node):
    node.apply("deaf", {"terminationGracePeriodSeconds": 1, "containers": [container(
        "sh", "-c", "trap '' TERM; while :; do sleep 1; done")]})
    [one] = wait("the container", lambda: node.containers().get(("deaf-node", "main")))
    wait("its start", lambda: one in node.running())
    begin = time.monotonic()
    node.remove("deaf")
    wait("the end", lambda: one not in node.running())
    # Not the 30 s that a pod has which does not say.
    assert time.monotonic() - begin < 25


@test
def leaves_nothing_behind(node):
    for path in list(node.manifests.iterdir()):
        path.unlink()
    wait("the end of all containers", lambda: not node.containers())
    wait("the end of all folders", lambda: not list((node.dir / "kubelet/pods").iterdir()))
    wait("the end of all mounts", lambda: not mounts(node))
    wait("the end of all addresses", lambda: not list((node.runtime / "cni/data").rglob("10.*")))


def mounts(node):
    """What is mounted in the kubelet's folder."""
    paths = [line.split()[4] for line in open("/proc/self/mountinfo")]
    return [path for path in paths if path.startswith(str(node.dir / "kubelet"))]


def main():
    check = subprocess.run([SUPPORT / "containerd", "check"], capture_output=True, text=True)
    if check.returncode != 0:
        print(check.stdout.strip())
        sys.exit(77)
    node = Node()
    for path in pathlib.Path("/sys/fs/cgroup").iterdir():
        if (path / "cgroup.procs").exists():
            (path / node.group).mkdir(exist_ok=True)
    try:
        node.start()
        for run in TESTS:
            run(node)
        if not all(results) or os.environ.get("APUS_TEST_VERBOSE"):
            sys.stdout.write((node.dir / "kubelet.log").read_text()[-6000:])
    finally:
        node.stop()
    passed = sum(results)
    print(f"{passed} passed, {len(results) - passed} failed, 0 skipped")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
