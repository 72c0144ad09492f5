# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Checks what a watch says: nothing is missed, repeated or out of order."""

import contextlib
import http.client
import json
import threading


class WatchError(AssertionError):
    pass


class Checker:
    """Follows a resource in a thread of its own, from a list on."""

    def __init__(self, server, path, token="admin-token"):
        self.server = server
        self.path = path
        self.token = token
        self.objects = {}
        self.events = []
        self.failure = None
        self.connects = 0
        self.is_stopping = False
        self.changed = threading.Condition()
        listing = self.get(path)
        for item in listing["items"]:
            self.objects[self.key(item)] = int(item["metadata"]["resourceVersion"])
        self.version = int(listing["metadata"]["resourceVersion"])
        self.connection = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def key(item):
        return item["metadata"].get("namespace", ""), item["metadata"]["name"]

    def open(self, path):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, context=self.server.context, timeout=120)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        return connection, connection.getresponse()

    def get(self, path):
        connection, answer = self.open(path)
        with contextlib.closing(connection):
            data = json.loads(answer.read())
        if answer.status != 200:
            raise WatchError(data)
        return data

    def run(self):
        try:
            while not self.is_stopping:
                self.follow()
        except WatchError as error:
            self.failure = error
        except Exception as error:
            if not self.is_stopping:
                self.failure = error
        with self.changed:
            self.changed.notify_all()

    def follow(self):
        join = "&" if "?" in self.path else "?"
        self.connects += 1
        self.connection, answer = self.open(
            f"{self.path}{join}watch=1&allowWatchBookmarks=true&resourceVersion={self.version}")
        with contextlib.closing(self.connection):
            if answer.status != 200:
                raise WatchError(answer.read())
            while line := answer.readline():
                self.take(json.loads(line))

    def take(self, event):
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            raise WatchError(item)
        version = int(item["metadata"]["resourceVersion"])
        if kind == "BOOKMARK":
            if version < self.version:
                raise WatchError(f"a bookmark goes back: {version} after {self.version}")
            self.version = version
            return
        key = self.key(item)
        if version <= self.version:
            raise WatchError(f"{kind} {key} at {version} after {self.version}: repeated or out of order")
        if (kind == "ADDED") == (key in self.objects):
            raise WatchError(f"{kind} {key} at {version}, which was at {self.objects.get(key)}")
        if kind == "DELETED":
            del self.objects[key]
        else:
            self.objects[key] = version
        self.version = version
        with self.changed:
            self.events.append((kind, key, version))
            self.changed.notify_all()

    def wait_for(self, condition, seconds=60):
        """Waits until a condition of this checker holds."""
        with self.changed:
            done = self.changed.wait_for(lambda: self.failure or condition(self), seconds)
        if self.failure:
            raise self.failure
        if not done:
            raise WatchError(f"not seen in {seconds} s; the last of {len(self.events)} events: "
                             f"{self.events[-3:]}, version {self.version}")

    def settle(self):
        """Compares what the events have made with a list."""
        listing = self.get(self.path)
        wanted = {self.key(item): int(item["metadata"]["resourceVersion"]) for item in listing["items"]}
        self.wait_for(lambda checker: checker.objects == wanted)

    def stop(self):
        self.is_stopping = True
        if self.connection and self.connection.sock:
            try:
                self.connection.sock.shutdown(2)
            except OSError:
                pass
        self.thread.join(10)
