# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Nodes of a cluster on one machine, in network namespaces joined by a bridge.

    outside ──┐
    control ──┼── hub (a bridge) ──┬── node a ── pods
              │                    ├── node b ── pods
              │                    └── node c ── pods

Each node has a containerd, a kubelet, a kube-proxy and a cluster DNS of its own, started by hand. The
machine's own network is not touched: everything ends with its namespaces.
"""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from machines import API, APUS, SUPPORT, wait

IMAGE = "apus.local/busybox:1"
CONTROL4, OUTSIDE4 = "192.0.2.1", "192.0.2.100"
CONTROL6, OUTSIDE6 = "fd77::1", "fd77::100"
POOL = "192.0.2.200-192.0.2.210,fd77::200/124"
POD_RANGES = "10.200.0.0/16,fd77:200::/56"
SERVICE_RANGES = "10.96.0.0/16,fd77:96::/112"
NAME_SERVERS = ["10.96.0.10", "fd77:96::a"]
# Less than a bridge has of itself, as on many clouds.
LARGEST_PACKET = 1400
GROUP = f"apus-lab-{os.getpid()}"


def run(*words, **more):
    more = {"check": True, "capture_output": True, "text": True, "timeout": 120, **more}
    return subprocess.run([str(word) for word in words], **more)


LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def set_network(file):
    if LIBC.setns(file, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def open_socket(enter, family, kind=socket.SOCK_STREAM, protocol=0):
    """A socket of another network, where it stays: cheaper than a process there."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        other = os.open(enter[1].removeprefix("--net="), os.O_RDONLY)
        try:
            set_network(other)
            try:
                return socket.socket(family, kind, protocol)
            finally:
                set_network(own)
        finally:
            os.close(other)
    finally:
        os.close(own)


def connect(enter, address, port, seconds=5.0):
    """A TCP connection from another network."""
    connection = open_socket(enter, socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        connection.settimeout(seconds)
        connection.connect((address, int(port)))
        return connection
    except OSError:
        connection.close()
        raise


class LabAPI(API):
    """The API server, from the network that it is in."""

    def __init__(self, enter, *words):
        super().__init__(*words)
        self.enter = enter

    def connection(self, seconds):
        connection = super().connection(seconds)
        connection.sock = self.context.wrap_socket(
            connect(self.enter, self.host, self.port, seconds), server_hostname=self.host)
        return connection


class Space:
    """A network namespace of our own."""

    def __init__(self, name):
        self.name, self.short = f"apus-{os.getpid()}-{name}", name
        run("ip", "netns", "add", self.name)
        self.sh("ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; "
                "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; "
                "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; "
                "echo 0 > /proc/sys/net/ipv6/conf/default/accept_ra; "
                "echo 1 > /proc/sys/net/ipv6/conf/default/keep_addr_on_down")

    @property
    def enter(self):
        # Of the network alone: mounts of containers have to be seen by everybody.
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def run(self, *words, **more):
        return run(*self.enter, *words, **more)

    def sh(self, text, **more):
        return self.run("sh", "-ec", text, **more).stdout

    def start(self, log, *words):
        with open(log, "ab") as file:
            return subprocess.Popen([*self.enter, *map(str, words)], stdin=subprocess.DEVNULL,
                                    stdout=file, stderr=file)

    def join(self, hub, *addresses):
        """A cable to the hub."""
        self.sh(f"ip link add eth0 mtu {LARGEST_PACKET} type veth peer name v{self.short} "
                f"mtu {LARGEST_PACKET} netns {hub.name}; "
                + "".join(f"ip address add {a} dev eth0; " for a in addresses)
                + "ip link set eth0 up")
        hub.sh(f"ip link set v{self.short} master br0 up")

    def hardware_address(self):
        return self.sh("ip -o link show eth0").split("link/ether ")[1].split()[0]

    def delete(self):
        run("ip", "netns", "delete", self.name, check=False)


class Node:
    def __init__(self, lab, number):
        self.lab, self.name = lab, "abc"[number]
        self.four, self.six = f"192.0.2.{10 + number}", f"fd77::{10 + number}"
        self.index = 160 + number
        self.dir = lab.dir / self.name
        self.dir.mkdir()
        self.space = lab.add_space(self.name, f"{self.four}/24", f"{self.six}/64")
        self.space.sh(f"ip route add default via {OUTSIDE4}; "
                      f"ip -6 route add default via {OUTSIDE6}")
        # What other programs have, which has to stay as it is.
        self.space.sh("""
            nft add table inet somebody
            nft add chain inet somebody input '{ type filter hook input priority 5; }'
            nft add rule inet somebody input tcp dport 22 accept
            nft add map inet somebody services '{ type ipv4_addr : verdict; }'
            nft add table ip apus-proxy-of-somebody
            iptables -N SOMEBODY; iptables -A INPUT -p tcp --dport 23 -j SOMEBODY
            ip6tables -N SOMEBODY; ip6tables -A INPUT -p tcp --dport 23 -j SOMEBODY
            ip route add 203.0.113.128/25 via 192.0.2.100 proto static
            ip -6 route add fd99::/64 via fd77::100 proto static
            ip address add 198.51.100.77/32 dev eth0
            """)
        self.before = self.others()
        self.processes = {}

    def others(self):
        """The rules, routes and addresses of others."""
        return self.space.sh("""
            nft list table inet somebody; nft list table ip apus-proxy-of-somebody
            iptables -S SOMEBODY; iptables -S INPUT; ip6tables -S SOMEBODY; ip6tables -S INPUT
            ip route show proto static; ip -6 route show proto static
            ip address show dev eth0 | grep 198.51.100.77
            """)

    def start(self):
        self.space.run(SUPPORT / "containerd", "start", self.dir / "c", self.index)
        # What kube-proxy writes, and nothing else, is this node's network.
        (self.dir / "c/cni/net.d/10-apus.conflist").unlink()
        self.lab.import_images(self.socket)
        for program in ("kubelet", "kube-proxy", "cluster-dns"):
            self.start_program(program)

    @property
    def socket(self):
        return self.dir / "c/containerd.sock"

    def start_program(self, name):
        words = {
            "kubelet": ["--kubeconfig", self.lab.kubeconfig("admin"),
                        "--hostname-override", self.name, "--node-ip", f"{self.four},{self.six}",
                        "--root-dir", self.dir / "kubelet", "--pod-logs-dir", self.dir / "logs",
                        "--pod-manifest-path", self.dir / "manifests",
                        "--cgroup-root", f"/{GROUP}/{self.name}",
                        "--container-runtime-endpoint", f"unix://{self.socket}",
                        "--cluster-dns", ",".join(NAME_SERVERS),
                        "--cluster-domain", "cluster.local"],
            "kube-proxy": ["--kubeconfig", self.lab.kubeconfig("kube-proxy"),
                           "--hostname-override", self.name, "--cluster-cidr", POD_RANGES,
                           "--cni-conf-dir", self.dir / "c/cni/net.d",
                           "--cni-data-dir", self.dir / "c/cni/data"],
            "cluster-dns": ["--kubeconfig", self.lab.kubeconfig("cluster-dns"),
                            "--cluster-dns", ",".join(NAME_SERVERS), "--metrics-port", "9153",
                            "--health-port", "8080", "--ready-port", "8181",
                            "--resolv-conf", self.lab.dir / "outside-resolv.conf"],
        }[name]
        self.processes[name] = self.space.start(
            self.dir / f"{name}.log", APUS, name, *words)

    def stop_program(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process:
            process.send_signal(how)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)

    def containers(self, pod):
        """The process of each of a pod's containers by kind: `sandbox` or `container`."""
        found = {}
        for bundle in (self.dir / "c/state/io.containerd.runtime.v2.task/k8s.io").iterdir():
            try:
                notes = json.loads((bundle / "config.json").read_text())["annotations"]
                pid = (bundle / "init.pid").read_text()
            except (OSError, ValueError):
                # It comes or goes just now.
                continue
            if notes.get("io.kubernetes.cri.sandbox-name") == pod:
                found[notes["io.kubernetes.cri.container-type"]] = (bundle.name, pid)
        return found

    def execute(self, pod, *words):
        """What a command in a pod's container prints."""
        container, _ = self.containers(pod)["container"]
        return run("ctr", "-a", self.socket, "-n", "k8s.io", "tasks", "exec", "--exec-id",
                   f"e{os.urandom(6).hex()}", container, *words, check=False).stdout

    def has_address(self, address):
        return f" {address}/" in self.space.sh("ip address")

    def routes(self):
        """Those that Apus has made."""
        return self.space.sh("ip route show proto 97; ip -6 route show proto 97")

    def stop(self):
        for name in list(self.processes):
            self.stop_program(name)
        networks = self.pod_networks()
        self.space.run(SUPPORT / "containerd", "stop", self.dir / "c", check=False)
        for path in networks:
            run("umount", "-l", path, check=False)
            pathlib.Path(path).unlink(missing_ok=True)

    def pod_networks(self):
        """The files that keep the networks of the pods."""
        ctr = ["ctr", "-a", self.socket, "-n", "k8s.io", "containers"]
        found = set()
        for name in run(*ctr, "list", "-q", check=False).stdout.split():
            spec = json.loads(run(*ctr, "info", name).stdout)["Spec"]["linux"]
            found |= {n["path"] for n in spec["namespaces"] if "/netns/cni-" in n.get("path", "")}
        return found


class Lab:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="apus-lab-"))
        self.children, self.spaces, self.nodes = [], [], {}
        # Of pods by name.
        self.pids, self.known = {}, {}
        self.pki = self.dir / "pki"

    def add_space(self, name, *addresses):
        space = Space(name)
        self.spaces.append(space)
        if addresses:
            space.join(self.hub, *addresses)
        return space

    def start(self, count):
        for folder in pathlib.Path("/sys/fs/cgroup").iterdir():
            if not (folder / "cgroup.procs").exists():
                continue
            for group in [GROUP, *(f"{GROUP}/{name}" for name in "abc")]:
                (folder / group).mkdir(exist_ok=True)
                for file in ("cpuset.cpus", "cpuset.mems"):
                    parent = (folder / group).parent / file
                    if parent.exists() and (folder / "cgroup.clone_children").exists():
                        (folder / group / file).write_text(parent.read_text())
        self.hub = self.add_space("hub")
        self.hub.sh("ip link add br0 type bridge; ip link set br0 up")
        self.outside = self.add_space("outside", f"{OUTSIDE4}/24", f"{OUTSIDE6}/64")
        self.control = self.add_space("control", f"{CONTROL4}/24", f"{CONTROL6}/64")
        # The cluster's own, which would be a loop, one that is away, and one that answers.
        (self.dir / "outside-resolv.conf").write_text(
            f"nameserver 10.96.0.10\nnameserver 192.0.2.99\nnameserver {OUTSIDE4}\n")
        (self.dir / "pod-resolv.conf").write_text(
            "nameserver 10.96.0.10\noptions ndots:5\n"
            "search default.svc.cluster.local svc.cluster.local cluster.local\n")
        self.start_control()
        for _ in range(count):
            self.start_node()
        for name in self.nodes:
            self.wait_for_node(name)

    def start_node(self):
        node = Node(self, len(self.nodes))
        self.nodes[node.name] = node
        node.start()
        return node

    def import_images(self, socket):
        """Gives a containerd the images of the tests, which are made once."""
        folder = self.dir / "images"
        if folder.exists():
            for name in ("pause", "busybox"):
                run(APUS, "image", "import", "--container-runtime-endpoint", f"unix://{socket}",
                    folder / f"{name}.tar")
        else:
            run(SUPPORT / "test-images", folder, socket,
                env={**os.environ, "APUS_BIN": str(pathlib.Path(APUS).parent)})

    def wait_for_node(self, name):
        wait(f"node {name}", lambda: self.is_ready(name))

    def kubeconfig(self, user):
        path = self.dir / f"{user}.conf"
        if path.exists():
            # Somebody may be reading it.
            return path
        path.write_text(f"""\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://{CONTROL4}:6443",
  certificate-authority: {self.pki}/ca.crt}}}}]
users: [{{name: u, user: {{client-certificate: {self.pki}/clients/{user}.crt,
  client-key: {self.pki}/clients/{user}.key}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
""")
        return path

    def start_control(self):
        run(APUS, "certs", "init", self.pki, "--node-name", "control", "--hosts", CONTROL4)
        self.kubeconfig("admin")
        self.api = LabAPI(self.control.enter, CONTROL4, 6443, self.pki)
        self.start_apiserver()
        wait("the API server", lambda: self.get("namespaces"))
        self.child("kube-controller-manager", "--kubeconfig",
                   self.kubeconfig("controller-manager"), "--leader-elect=false",
                   "--allocate-node-cidrs=true", f"--cluster-cidr={POD_RANGES}",
                   f"--service-cluster-ip-range={SERVICE_RANGES}",
                   "--node-monitor-grace-period=20s", "--secure-port=0",
                   "--use-service-account-credentials", "--root-ca-file", self.pki / "ca.crt",
                   "--service-account-private-key-file", self.pki / "sa.key")
        self.child("kube-scheduler", "--kubeconfig", self.kubeconfig("scheduler"),
                   "--leader-elect=false", "--secure-port=0")
        # With election, which is the default.
        self.child("cloud-controller-manager", "--kubeconfig",
                   self.kubeconfig("cloud-controller-manager"),
                   f"--load-balancer-pool={POOL}", "--secure-port=10258")

    def start_apiserver(self):
        pki = self.pki
        self.apiserver = self.child(
            "kube-apiserver", "--etcd-data-dir", self.dir / "etcd", "--bind-address", "0.0.0.0",
            "--advertise-address", CONTROL4, "--secure-port", "6443",
            "--client-ca-file", pki / "ca.crt", "--tls-cert-file", pki / "apiserver.crt",
            "--tls-private-key-file", pki / "apiserver.key",
            "--service-cluster-ip-range", SERVICE_RANGES,
            "--service-account-key-file", pki / "sa.pub",
            "--service-account-signing-key-file", pki / "sa.key",
            "--service-account-issuer", "https://kubernetes.default.svc")

    def child(self, name, *words):
        process = self.control.start(self.dir / f"{name}.log", APUS, name, *words)
        self.children.append(process)
        return process

    # MARK: - What is in the cluster

    def kubectl(self, *words, text=None, **more):
        return self.control.run("kubectl", "--kubeconfig", self.dir / "admin.conf", "--cache-dir",
                                self.dir / "cache", *words, input=text, **more).stdout

    # Where objects are, by the names that people use.
    FOLDERS = {"node": "/api/v1/nodes", "namespaces": "/api/v1/namespaces",
               "deployment": "/apis/apps/v1/namespaces/default/deployments",
               "endpointslice": "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
               "pod": "/api/v1/namespaces/default/pods",
               "service": "/api/v1/namespaces/default/services"}

    def request(self, method, path, body=None, **more):
        status, answer = self.api.call(method, path, body, seconds=30, **more)
        if status >= 300:
            raise OSError(f"{method} {path}: {status} {answer.get('message')}")
        return answer

    def get(self, kind, name=None, query=""):
        """An object, or the list of all."""
        return self.request("GET", self.FOLDERS[kind] + (f"/{name}" if name else "") + query)

    def apply(self, *objects):
        for value in objects:
            path = f"{self.FOLDERS[value['kind'].lower()]}/{value['metadata']['name']}"
            self.request("PATCH", f"{path}?fieldManager=lab&force=true", value,
                         kind="application/apply-patch+yaml")

    def merge(self, kind, name, change):
        """Changes some fields of an object."""
        self.request("PATCH", f"{self.FOLDERS[kind]}/{name}", change,
                     kind="application/merge-patch+json")

    def label(self, pod, **labels):
        self.merge("pod", pod, {"metadata": {"labels": labels}})

    def delete(self, kind, name):
        self.request("DELETE", f"{self.FOLDERS[kind]}/{name}")

    def is_ready(self, name, kind="node"):
        conditions = self.get(kind, name)["status"].get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def pod(self, name, node, app=None, annotations=None, ports=(), **spec):
        """A pod on a node, that serves its name over HTTP on 8080."""
        spec = {**server(), "nodeName": node, **spec}
        spec["containers"][0]["ports"] = list(ports)
        self.apply({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": name, "labels": {"app": app or name},
                                 "annotations": annotations or {}},
                    "spec": spec})

    def addresses(self, name):
        """Of a pod, when it is ready for the first time."""
        if name not in self.known:
            wait(f"pod {name}", lambda: self.is_ready(name, "pod"))
            self.known[name] = [a["ip"] for a in self.get("pod", name)["status"]["podIPs"]]
        return self.known[name]

    def service(self, name, selector=None, port=80, target=8080, protocol="TCP", **spec):
        """Makes a Service of both families; its cluster addresses."""
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                    "spec": {"selector": {"app": selector or name},
                             "ports": [{"name": "main", "port": port, "targetPort": target,
                                        "protocol": protocol}],
                             "ipFamilyPolicy": "PreferDualStack", **spec}})
        return self.get("service", name)["spec"].get("clusterIPs", [])

    def node_port(self, name):
        return self.get("service", name)["spec"]["ports"][0]["nodePort"]

    # MARK: - Inside of pods

    def enter(self, name):
        """The beginning of a command in the network of a pod."""
        if name not in self.pids:
            node = self.nodes[self.get("pod", name)["spec"]["nodeName"]]
            self.pids[name] = wait(f"pod {name}", lambda: node.containers(name)["sandbox"])[1]
        return ["nsenter", f"--net=/proc/{self.pids[name]}/ns/net"]

    def inside(self, name, *words, **more):
        """Runs a program of this machine in the network of a pod."""
        return run(*self.enter(name), *words, **more)

    def with_names(self, name, *words, **more):
        """As `inside`, with the name servers of a pod."""
        return self.inside(name, "unshare", "-m", "sh", "-ec",
                           f'mount --bind {self.dir}/pod-resolv.conf /etc/resolv.conf; exec "$@"',
                           "sh", *words, **more)

    def process(self, enter, *words, **more):
        """Starts a program, which ends with the lab."""
        process = subprocess.Popen([str(word) for word in [*enter, *words]],
                                   **{"stdout": subprocess.DEVNULL, **more})
        self.children.append(process)
        return process

    def python(self, enter, code, *words, **more):
        """Starts a program of the test's own."""
        return self.process(enter, sys.executable, "-c", code, *words, **more)

    # MARK: - The end

    def print_logs(self):
        for path in sorted(self.dir.glob("*.log")) + sorted(self.dir.glob("?/*.log")):
            tail = path.read_text(errors="replace").splitlines()[-25:]
            print(f"--- {path.relative_to(self.dir)}", *[line[:300] for line in tail], sep="\n")

    def stop(self):
        for node in self.nodes.values():
            try:
                node.stop()
            except subprocess.SubprocessError as error:
                print(f"     node {node.name} did not end well: {error}")
        for process in self.children:
            if process.poll() is None:
                process.terminate()
        for process in self.children:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        for space in self.spaces:
            space.delete()
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            path = line.split()[4]
            if path.startswith(f"{self.dir}/"):
                run("umount", "-l", path, check=False)
        for controller in pathlib.Path("/sys/fs/cgroup").iterdir():
            for folder, _, _ in sorted(os.walk(controller / GROUP), reverse=True):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
        shutil.rmtree(self.dir, ignore_errors=True)


def server():
    """The spec of a pod whose page is its own name, with an exclamation mark."""
    return {
        # A container's first process ignores SIGTERM: it goes on to serve until it is killed.
        "terminationGracePeriodSeconds": 3, "automountServiceAccountToken": False,
        "containers": [{
            "name": "main", "image": IMAGE,
            "command": ["sh", "-c", "mkdir -p /w; echo $(hostname)! > /w/index.html; "
                                    "exec httpd -f -p 8080 -h /w"],
            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1,
                               "timeoutSeconds": 10}}]}
