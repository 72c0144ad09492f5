# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Requests to a test's API server."""

import http.client
import json

import apiserver


def request(server, method, path, body=None, accept="application/json", token=apiserver.ADMIN_TOKEN,
            content="application/json"):
    """The status and body of an answer: what JSON it is, or its bytes."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", server.port, context=server.context, timeout=60)
    connection.request(
        method, path, json.dumps(body) if body is not None else None,
        {"Authorization": f"Bearer {token}", "Content-Type": content, "Accept": accept})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    try:
        return answer.status, json.loads(data)
    except ValueError:
        return answer.status, data
