#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""A node in trouble: registries, disks, processes and programs that fail, alone and together.

More of the tests run when APUS_TEST_LONG is set: the kills at random moments last 20 minutes."""

import base64
import contextlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Support"))
from machines import API  # noqa: E402

spec = importlib.util.spec_from_loader(
    "node_test", importlib.machinery.SourceFileLoader("node_test", str(HERE / "node.test.py")))
nodes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nodes)
base = nodes.base
base.INDEX = os.environ.get("APUS_TEST_INDEX", "155")
base.TESTS.clear()
wait, container, test = base.wait, base.container, base.test

LONG = bool(os.environ.get("APUS_TEST_LONG"))
CHAOS_SECONDS = 1200
# What htpasswd -B makes of the password "secret".
USERS = "reader:$2b$05$/UjfFJQnTQeBP/IzmESJZOvfq4.MKSrcTvJ2xf87SVIpR2VAHv16y\n"


def test_of_the_long_run(function):
    return test(function) if LONG else function


class Registry:
    """Debian's docker-registry with TLS and passwords, on loopback."""

    def __init__(self, node):
        self.dir = node.dir / "registry"
        self.port = nodes.free_port()
        self.name = f"127.0.0.1:{self.port}"
        self.authority = node.dir / "pki/ca.crt"
        self.dir.mkdir()
        (self.dir / "users").write_text(USERS)
        (self.dir / "config.yml").write_text(json.dumps({
            "version": 0.1, "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(self.dir / "data")}},
            "auth": {"htpasswd": {"realm": "test", "path": str(self.dir / "users")}},
            "http": {"addr": self.name, "tls": {
                "certificate": str(node.dir / "pki/kubelet.crt"),
                "key": str(node.dir / "pki/kubelet.key")}}}))
        hosts = node.runtime / "certs.d" / self.name
        hosts.mkdir(parents=True)
        (hosts / "hosts.toml").write_text(
            f'server = "https://{self.name}"\n[host."https://{self.name}"]\n'
            f'  ca = "{self.authority}"\n')
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["docker-registry", "serve", self.dir / "config.yml"],
            stdout=open(self.dir / "log", "ab"), stderr=subprocess.STDOUT)
        wait("the registry", lambda: self.call("GET", "/v2/"))

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def call(self, method, path, data=None, kind="application/octet-stream"):
        url = path if path.startswith("https:") else f"https://{self.name}{path}"
        request = urllib.request.Request(url, data=data, method=method, headers={
            "Content-Type": kind,
            "Authorization": "Basic " + base64.b64encode(b"reader:secret").decode()})
        made = ssl.create_default_context(cafile=self.authority)
        made.check_hostname = False
        return urllib.request.urlopen(request, timeout=30, context=made)

    def push(self, archive, repository, tag):
        """Puts the image of an OCI archive into the registry; the digests of its layers."""
        with tarfile.open(archive) as tar:
            def read(digest):
                return tar.extractfile(f"blobs/sha256/{digest.split(':')[1]}").read()
            index = json.load(tar.extractfile("index.json"))
            [described] = index["manifests"]
            manifest = read(described["digest"])
            parts = json.loads(manifest)
            for part in [parts["config"], *parts["layers"]]:
                data = read(part["digest"])
                place = self.call("POST", f"/v2/{repository}/blobs/uploads/", b"").headers[
                    "Location"]
                self.call("PUT", f"{place}&digest={part['digest']}", data)
            self.call("PUT", f"/v2/{repository}/manifests/{tag}", manifest, described["mediaType"])
        return [part["digest"] for part in parts["layers"]]

    def damage(self, digest):
        """Changes bytes of a layer in the registry's own files."""
        name = digest.split(":")[1]
        path = self.dir / f"data/docker/registry/v2/blobs/sha256/{name[:2]}/{name}/data"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xff
        path.write_bytes(data)


class Cluster(nodes.Cluster):
    """The kubelet's files lie on a small disk of their own."""

    def start(self):
        disk = self.dir / "kubelet"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "apus-test", disk], check=True)
        super().start()

    def start_kubelet(self, *flags):
        super().start_kubelet("--eviction-hard", "memory.available<1Mi", "--pod-max-pids", "200",
                              *flags)

    def stop(self):
        registry = getattr(self, "registry", None)
        if registry:
            registry.stop()
        super().stop()


def events(node, name, reason):
    return [e["message"] for e in node.get("events")["items"]
            if e["reason"] == reason and e["involvedObject"]["name"] == name]


def waiting(node, name):
    return node.get("pod", name)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]


def has_registry(node):
    """Starts the node's registry, where Debian's is installed."""
    if not shutil.which("docker-registry"):
        print("     needs docker-registry")
        return False
    if not hasattr(node, "registry"):
        node.registry = Registry(node)
        node.registry.start()
        node.kubectl("create", "secret", "docker-registry", "pull",
                     f"--docker-server={node.registry.name}", "--docker-username=reader",
                     "--docker-password=secret")
    return True


@test_of_the_long_run
def pulls_with_tls_and_a_password(node):
    if not has_registry(node):
        return
    node.registry.push(node.dir / "images/busybox.tar", "apus/busybox", "1")
    image = f"{node.registry.name}/apus/busybox:1"
    node.create("denied", {"containers": [{**container("sleep", "3600"), "image": image}]})
    wait("the refusal", lambda: waiting(node, "denied") in ("ErrImagePull", "ImagePullBackOff"))
    wait("its event", lambda: any("authori" in text or "401" in text
                                  for text in events(node, "denied", "Failed")))
    node.create("allowed", {"imagePullSecrets": [{"name": "pull"}], "containers": [
        {**container("sleep", "3600"), "image": image, "imagePullPolicy": "Always"}]})
    wait("the phase", lambda: node.phase("allowed") == "Running")
    [text] = events(node, "allowed", "Pulled")
    assert text.startswith(f'Successfully pulled image "{image}" in '), text
    node.kubectl("delete", "pod", "denied", "allowed", "--wait=false")


@test_of_the_long_run
def finds_damaged_images(node):
    if not has_registry(node):
        return
    folder = node.dir / "damaged"
    folder.mkdir()
    (folder / "file").write_bytes(random.Random(3).randbytes(20_000))
    archive = node.dir / "damaged.tar"
    subprocess.run([base.APUS, "image", "build", folder, "--name", "x/damaged:1", "--output",
                    archive], check=True, stdout=subprocess.DEVNULL)
    [layer] = node.registry.push(archive, "apus/damaged", "1")
    node.registry.damage(layer)
    image = f"{node.registry.name}/apus/damaged:1"
    node.create("damaged", {"imagePullSecrets": [{"name": "pull"}], "containers": [
        {**container("true"), "image": image}]})
    wait("the refusal", lambda: waiting(node, "damaged") in ("ErrImagePull", "ImagePullBackOff"))
    wait("its event", lambda: any("unexpected commit digest" in text
                                  for text in events(node, "damaged", "Failed")))
    node.kubectl("delete", "pod", "damaged", "--wait=false")


@test
def tells_that_a_registry_is_down(node):
    if getattr(node, "registry", None):
        node.registry.stop()
    name = f"127.0.0.1:{nodes.free_port()}"
    node.create("down", {"containers": [{**container("true"), "image": f"{name}/nothing:1"}]})
    wait("the back-off", lambda: waiting(node, "down") == "ImagePullBackOff")
    assert any("connection refused" in text for text in events(node, "down", "Failed"))
    assert any("Back-off pulling image" in text for text in events(node, "down", "BackOff"))
    node.kubectl("delete", "pod", "down", "--wait=false")


@test
def goes_on_after_a_runtime_that_hangs(node):
    node.create("steady", {"containers": [container("sleep", "3600")]})
    wait("the phase", lambda: node.phase("steady") == "Running")
    os.kill(node.runtime_pid, signal.SIGSTOP)
    try:
        node.create("patient", {"containers": [container("sleep", "3600")]})
        # The kubelet lives, and still says what it knew.
        for _ in range(3):
            assert node.phase("steady") == "Running"
            assert node.kubelet.poll() is None
    finally:
        os.kill(node.runtime_pid, signal.SIGCONT)
    wait("the pod of meanwhile", lambda: node.phase("patient") == "Running")
    assert node.get("pod", "steady")["status"]["containerStatuses"][0]["restartCount"] == 0
    node.kubectl("delete", "pod", "patient", "steady", "--wait=false")


@test_of_the_long_run
def holds_a_fork_bomb(node):
    node.create("bomb", {"containers": [container(
        "sh", "-c", "f() { sleep 3600 & f; }; f")]})
    wait("the phase", lambda: node.phase("bomb") in ("Running", "Failed"))
    uid = node.get("pod", "bomb")["metadata"]["uid"]
    groups = [group for group in pathlib.Path("/sys/fs/cgroup").glob(
        f"*/{node.group}/kubepods/besteffort/pod{uid}") if (group / "pids.max").exists()]
    assert groups, "no group that counts processes"
    assert (groups[0] / "pids.max").read_text().strip() == "200"
    wait("many processes", lambda: int((groups[0] / "pids.current").read_text()) >= 20)
    # A command elsewhere is not disturbed.
    node.create("beside", {"restartPolicy": "Never", "containers": [container("true")]})
    wait("a pod beside it", lambda: node.phase("beside") == "Succeeded")
    assert int((groups[0] / "pids.current").read_text()) <= 200
    node.kubectl("delete", "pod", "bomb", "beside", "--wait=true", "--timeout=180s")
    assert not groups[0].exists()


@test
def ends_a_memory_hog(node):
    node.create("hog", {"restartPolicy": "Never", "containers": [container(
        "sh", "-c", "exec tail /dev/zero", resources={"limits": {"memory": "24Mi"}})]})
    wait("the end", lambda: node.phase("hog") == "Failed")
    state = node.get("pod", "hog")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["reason"], state["exitCode"]) == ("OOMKilled", 137), state
    node.kubectl("delete", "pod", "hog", "--wait=false")


@test
def waits_for_a_volume_that_is_in_use(node):
    node.create("held", {
        "volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}],
        "containers": [container("sleep", "3600", volumeMounts=[
            {"name": "m", "mountPath": "/m"}])]})
    wait("the phase", lambda: node.phase("held") == "Running")
    uid = node.get("pod", "held")["metadata"]["uid"]
    folder = node.dir / "kubelet/pods" / uid
    [volume] = folder.glob("volumes/*/m")
    holder = subprocess.Popen(["sleep", "3600"], cwd=volume)
    try:
        node.kubectl("delete", "pod", "held", "--wait=false")
        wait("the container's end", lambda: ("held", "main") not in node.containers())
        # Other pods come and go meanwhile.
        node.create("free", {"restartPolicy": "Never", "containers": [container("true")]})
        wait("another pod", lambda: node.phase("free") == "Succeeded")
    finally:
        holder.kill()
        holder.wait()
    wait("the folder's end", lambda: not folder.exists())
    wait("the pod's end", lambda: "pod/held" not in node.kubectl("get", "pods", "-o", "name"))
    node.kubectl("delete", "pod", "free", "--wait=false")


@test_of_the_long_run
def goes_on_when_a_disk_has_room_again(node):
    node.create("before", {"containers": [container("sleep", "3600")]})
    wait("the phase", lambda: node.phase("before") == "Running")
    filler = node.dir / "kubelet/filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    node.create("full", {"containers": [container("sleep", "3600")]})
    wait("an event that says so", lambda: any(
        e["type"] == "Warning" and "space left" in e["message"]
        for e in node.get("events")["items"] if e["involvedObject"]["name"] == "full"))
    assert node.phase("full") == "Pending"
    assert node.phase("before") == "Running"
    filler.unlink()
    wait("the phase", lambda: node.phase("full") == "Running")
    node.kubectl("delete", "pod", "before", "full", "--wait=true", "--timeout=180s")


class Churn:
    """Pods that are made and deleted all the time, through whatever API server answers."""

    PATH = "/api/v1/namespaces/default/pods"

    def __init__(self, node):
        self.api = API("127.0.0.1", node.port, node.dir / "pki")
        self.over = threading.Event()
        self.names = set()
        self.made = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def call(self, method, path, body=None):
        try:
            return self.api.call(method, path, body, seconds=10)
        except Exception:  # noqa: BLE001
            return 0, {}

    def run(self):
        chance = random.Random(4)
        while not self.over.wait(0.4):
            if len(self.names) >= 6 or (self.names and chance.random() < 0.4):
                name = chance.choice(sorted(self.names))
                status, _ = self.call("DELETE", f"{self.PATH}/{name}")
                if status in (200, 202, 404):
                    self.names.discard(name)
                continue
            name = f"churn-{self.made}"
            words = chance.choice((["sleep", "3600"], ["true"], ["sh", "-c", "exit 1"]))
            status, _ = self.call("POST", self.PATH, {
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
                    "nodeName": "node", "terminationGracePeriodSeconds": 1,
                    "automountServiceAccountToken": False,
                    "restartPolicy": chance.choice(("Always", "Never")),
                    "volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}],
                    "containers": [container(*words, volumeMounts=[
                        {"name": "m", "mountPath": "/m"}])]}})
            if status in (201, 409):
                self.names.add(name)
                self.made += 1


def stable_state(node, names):
    """What a container's life is told by: its id, when it began, how often it was begun again."""
    found = {}
    for name in names:
        status = node.get("pod", name)["status"]
        [one] = status["containerStatuses"]
        if status["phase"] != "Running" or not one["ready"]:
            raise ValueError(f"{name}: {status}")
        found[name] = (one["containerID"], one["state"]["running"]["startedAt"],
                       one["restartCount"])
    return found


def links(node):
    return subprocess.run(["ip", "-o", "link", "show", "master", f"apus-t{base.INDEX}"],
                          check=True, capture_output=True, text=True).stdout.splitlines()


@test_of_the_long_run
def kills_at_random_moments(node):
    """kill -9 of the kubelet, containerd and the API server, one after another and together, with
    pods that come and go: what runs runs on, and nothing is left of what went."""
    names = [f"stable-{number}" for number in range(3)]
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=180s")
    wait("the end of earlier pods", lambda: not node.labels())
    for name in names:
        node.create(name, {"containers": [container("sleep", "36000")]})
    before = wait("the pods", lambda: stable_state(node, names))
    chance = random.Random(5)
    kills = {"kubelet": 0, "containerd": 0, "apiserver": 0}
    churn = Churn(node)
    churn.thread.start()
    end = time.monotonic() + CHAOS_SECONDS
    try:
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.5, 4))
            victims = chance.sample(sorted(kills), chance.choice((1, 1, 1, 2, 3)))
            for victim in victims:
                kills[victim] += 1
                if victim == "kubelet":
                    node.kubelet.kill()
                elif victim == "containerd":
                    os.kill(node.runtime_pid, signal.SIGKILL)
                else:
                    node.apiserver.kill()
            time.sleep(chance.uniform(0, 1))
            chance.shuffle(victims)
            for victim in victims:
                if victim == "kubelet":
                    node.kubelet.wait()
                    node.start_kubelet()
                elif victim == "containerd":
                    node.restart_runtime()
                else:
                    node.apiserver.wait()
                    node.start_apiserver()
    finally:
        churn.over.set()
        churn.thread.join(60)
    print(f"     {churn.made} pods, kills: {kills}")
    assert churn.made > 0
    wait("the API server", lambda: node.get("pods"))
    begin = time.monotonic()
    wait("true statuses", lambda: stable_state(node, names) == before)
    print(f"     statuses true after {time.monotonic() - begin:.1f} s")
    rest = [pod["metadata"]["name"] for pod in node.get("pods")["items"]]
    gone = [name for name in rest if name not in names]
    if gone:
        node.kubectl("delete", "pod", *gone, "--wait=true", "--timeout=180s")
    uids = {node.get("pod", name)["metadata"]["uid"] for name in names}
    wait("no other containers", lambda: set(node.containers()) == {(n, "main") for n in names})
    wait("no other sandboxes", lambda: {
        labels["io.kubernetes.pod.uid"] for labels in node.labels().values()} == uids)
    wait("no other folders", lambda: {
        path.name for path in (node.dir / "kubelet/pods").iterdir()} == uids)
    wait("no other mounts", lambda: all(
        any(uid in path for uid in uids) or path == str(node.dir / "kubelet")
        for path in base.mounts(node)))
    wait("no other logs", lambda: {
        path.name.rsplit("_", 1)[1] for path in node.logs.iterdir()} == uids)
    wait("no other groups", lambda: {
        path.name[3:] for path in pathlib.Path("/sys/fs/cgroup").glob(
            f"*/{node.group}/kubepods/besteffort/pod*")} == uids)
    wait("no other links", lambda: len(links(node)) == len(names))
    wait("no other addresses", lambda: len(list(
        (node.runtime / "cni/data").rglob("10.*"))) == len(names))
    assert stable_state(node, names) == before


@test
def leaves_nothing_behind(node):
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=180s")
    wait("the end of all containers", lambda: not node.labels())
    wait("the end of all mounts", lambda: base.mounts(node) == [str(node.dir / "kubelet")])
    wait("the end of all links", lambda: not links(node))


if __name__ == "__main__":
    nodes.Cluster = Cluster
    nodes.main()
