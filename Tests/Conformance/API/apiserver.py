# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""An API server of its own for the Python scripts beside this file.

With APUS_TEST_ETCD=1 the objects are kept in a real etcd."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

APUS = os.path.join(os.environ["APUS_BIN"], "apus")
ADMIN_TOKEN = "admin-token"
TOKENS = f"""{ADMIN_TOKEN},admin,1,"system:masters"
nobody-token,nobody,2
reader-token,reader,3,"readers"
node-token,system:node:n1,4,"system:nodes"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    """A real etcd, or `apus etcd`, in a process of its own."""

    def __init__(self, folder, command=("etcd",)):
        self.folder = os.path.join(folder, "etcd")
        self.command = list(command)
        self.port = free_port()
        self.peer = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        peer = f"http://127.0.0.1:{self.peer}"
        arguments = ["--data-dir", self.folder, "--listen-client-urls", self.url,
                     "--advertise-client-urls", self.url]
        if self.command == ["etcd"]:
            arguments += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                          "--initial-cluster", f"default={peer}"]
        self.process = subprocess.Popen(
            self.command + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        """Ends it as a power failure does."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


class Server:
    def __init__(self, flags=(), etcd=None):
        self.folder = tempfile.mkdtemp(prefix="apus-api-")
        self.pki = os.path.join(self.folder, "pki")
        self.flags = list(flags)
        self.etcd = etcd(self.folder) if etcd else None
        if not self.etcd and os.environ.get("APUS_TEST_ETCD"):
            self.etcd = Etcd(self.folder)
        self.port = free_port()
        self.process = None
        subprocess.run([APUS, "certs", "init", self.pki], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.folder, "tokens.csv"), "w") as file:
            file.write(TOKENS)
        self.context = ssl.create_default_context(cafile=f"{self.pki}/ca.crt")

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def start(self):
        if self.etcd and not self.etcd.process:
            self.etcd.start()
        store = (["--etcd-servers", self.etcd.url] if self.etcd
                 else ["--etcd-data-dir", os.path.join(self.folder, "store")])
        with open(os.path.join(self.folder, "server.log"), "a") as log:
            self.process = subprocess.Popen(
                [APUS, "kube-apiserver", "--bind-address", "127.0.0.1", "--secure-port", str(self.port),
                 "--tls-cert-file", f"{self.pki}/apiserver.crt",
                 "--tls-private-key-file", f"{self.pki}/apiserver.key",
                 "--client-ca-file", f"{self.pki}/ca.crt",
                 "--service-account-signing-key-file", f"{self.pki}/sa.key",
                 "--service-account-key-file", f"{self.pki}/sa.pub",
                 "--token-auth-file", os.path.join(self.folder, "tokens.csv")] + store + self.flags,
                stdout=log, stderr=log)

    def readiness(self, path="/readyz"):
        """The status of a health endpoint; 0 without an answer."""
        try:
            with urllib.request.urlopen(self.url + path, context=self.context, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def wait_until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"not in {seconds} s: {what}\n{self.log()}")
            time.sleep(0.05)

    def wait(self):
        self.wait_until(lambda: self.readiness() == 200, "the server is ready")

    def log(self, limit=4000):
        """The end of what the server has written."""
        with open(os.path.join(self.folder, "server.log")) as file:
            return file.read()[-limit:]

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        if self.etcd:
            self.etcd.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            self.start()
            self.wait()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def kubeconfig(self):
        """The path of a file that makes its reader the administrator."""
        path = os.path.join(self.folder, "kubeconfig")
        with open(path, "w") as file:
            file.write(f"""apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {{server: "{self.url}", certificate-authority: "{self.pki}/ca.crt"}}
users:
- name: u
  user:
    client-certificate: "{self.pki}/clients/admin.crt"
    client-key: "{self.pki}/clients/admin.key"
contexts:
- name: x
  context: {{cluster: c, user: u}}
current-context: x
""")
        return path


def run(tests, *arguments):
    """Runs functions, or those that the command line names, prints the counts, and answers the exit
    code."""
    if sys.argv[1:]:
        tests = [test for test in tests if test.__name__ in sys.argv[1:]]
    failed = 0
    for test in tests:
        try:
            test(*arguments)
        except Exception:
            failed += 1
            print(f"FAILED: {test.__name__}: {traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
