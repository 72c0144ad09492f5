#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Requests that no client should make, one named case each: answered with upstream's status code and
reason, and nothing is stored. Every object of every resource is compared before and after."""

import base64
import http.client
import json
import re
import sys

import apiserver

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"

BAD, NOT_FOUND, METHOD = "400 BadRequest", "404 NotFound", "405 MethodNotAllowed"
UNACCEPTABLE, UNSUPPORTED = "406 NotAcceptable", "415 UnsupportedMediaType"
INVALID, LARGE = "422 Invalid", "413 RequestEntityTooLarge"
UNAUTHORIZED, FORBIDDEN, CONFLICT = "401 Unauthorized", "403 Forbidden", "409 Conflict"
EXISTS = "409 AlreadyExists"

CASES = []


def case(name, answer, method, path, body=None, kind=None, token="admin-token", **fields):
    """A case; its name is unique. `body` is text, bytes, or what is written as JSON."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    if token:
        headers.setdefault("Authorization", f"Bearer {token}")
    if kind or (body is not None and kind is None):
        headers["Content-Type"] = kind or JSON
    CASES.append((name, answer, method, path, body, headers))


def config_map(name="bad", **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


# Paths: CVE-2022-3162, CVE-2019-11247, CVE-2026-33186.

for path in [
    "/api/v1/namespaces/default/../kube-system/configmaps", "/api//v1/pods", "//api/v1/pods",
    MAPS + "/..", MAPS + "/.", MAPS + "/%2e%2e", MAPS + "/%2E%2E/secrets", MAPS + "/a%2fb",
    MAPS + "/a%2Fb", MAPS + "/a%00b", MAPS + "/a%0ab", "/api/v1/namespaces/%2e%2e/configmaps",
    "/api/v1/namespaces/default%2fx/configmaps", "/api/v1/namespaces/./configmaps",
    "/api/v1/pods%zz", "/api/v1/pods%2", "/api/v1/pods%", "/apis/apps//v1/deployments",
    "/api/v1/../v1/pods", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/namespaces//pods",
]:
    case(f"path: {path}", BAD, "GET", path)
for path in [
    "/api/v1/pods?labelSelector=a%zz", "/api/v1/pods?a=1;b=2", "/api/v1/pods?limit=%", MAPS + "?x=%f",
]:
    case(f"query: {path}", BAD, "GET", path)
for path in [
    "/nope", "/api/v2/pods", "/api/v1/nopes", "/apis/apps/v9/deployments", "/apis/nope/v1/x",
    "/apis/apps/v1beta1/deployments", "/api/v1/namespaces/default/nodes",
    "/api/v1/namespaces/default/nodes/n1", "/api/v1/namespaces/default/persistentvolumes",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/clusterroles",
    "/api/v1/configmaps/a", "/api/v1/pods/a", "/apis/apps/v1/deployments/a", MAPS + "/a/nope",
    MAPS + "/a/status", "/apis/apps/v1/namespaces/default/deployments/a/nope",
    "/apis/apps/v1/namespaces/default/pods", "/api/v1/namespaces/default/deployments",
    PODS + "/a/b/c/d", "/apis", "/api/v1/namespaces/default/configmaps/a/b/c",
    "/apis/apps/v1/namespaces/default/deployments/a/scale/x", "/openapi/v3/apis/nope/v1",
    "/openapi/v4", "/version/x", "/API/v1/pods", "/api/V1/pods", "/api/v1/Pods",
    "/apis/APPS/v1/deployments", "/debug/pprof/profile", "/debug/flags/v", "/logs/x",
]:
    if path != "/apis":
        case(f"no such path: {path}", NOT_FOUND, "GET", path)
for name in ["a", "kube-root-ca.crt", "x" * 253, "A", "a_b", "-", "a.b.c"]:
    case(f"no such object: {name[:20]}", NOT_FOUND, "GET", f"{MAPS}/{name}")
    case(f"no such object to delete: {name[:20]}", NOT_FOUND, "DELETE", f"{MAPS}/{name}")

# Methods.

for method, path in [
    ("PUT", MAPS), ("PATCH", MAPS), ("POST", MAPS + "/a"), ("DELETE", "/apis"),
    ("PUT", "/api/v1/pods"), ("POST", "/version"), ("DELETE", "/healthz"), ("PUT", "/api"),
    ("TRACE", MAPS), ("POST", "/openapi/v2"), ("GET", PODS + "/a/binding"),
    ("GET", PODS + "/a/eviction"), ("DELETE", PODS + "/a/status"), ("POST", PODS + "/a/status"),
    ("DELETE", "/apis/apps/v1/namespaces/default/deployments/a/scale"),
    ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ("PUT", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ("GET", "/api/v1/namespaces/default/serviceaccounts/default/token"),
    ("DELETE", "/api/v1/namespaces"), ("DELETE", "/api/v1/namespaces/default/services/a/status"),
]:
    body = None if method in ("GET", "DELETE") else {}
    case(f"method: {method} {path}", METHOD, method, path, body, MERGE if method == "PATCH" else None)

# Media types.

for accept in [
    "text/html", "application/xml", "image/*", "application/json;as=Nope;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v9;g=meta.k8s.io", "application/json;as=Table;v=v1;g=nope",
    "application/cbor", "application/vnd.kubernetes.protobuf;as=Nope;v=v1;g=meta.k8s.io", "nonsense",
]:
    case(f"Accept: {accept}", UNACCEPTABLE, "GET", MAPS, Accept=accept)
case("Accept of a watch: YAML", UNACCEPTABLE, "GET", MAPS + "?watch=1", Accept=YAML)
case("Accept of a watch: text", UNACCEPTABLE, "GET", MAPS + "?watch=1", Accept="text/plain")
for kind in [
    "text/xml", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream",
    "multipart/form-data; boundary=x", "application/merge-patch+json", "nonsense", "application/",
    "application/cbor",
]:
    case(f"Content-Type: {kind}", UNSUPPORTED, "POST", MAPS, config_map(), kind)
    case(f"Content-Type of an update: {kind}", UNSUPPORTED, "PUT", MAPS + "/present",
         config_map("present"), kind)
for kind in [
    JSON, YAML, PROTOBUF, "text/plain", "application/json-patch", "application/apply-patch+cbor",
]:
    case(f"Content-Type of a patch: {kind}", UNSUPPORTED, "PATCH", MAPS + "/present", "{}", kind)

# Bodies.

for body in [
    "", "{", "[", "}", "[]", "7", '"x"', "true", "{]", '{"a":}', '{"a" 1}', "{'a':1}", '{"a":1,}',
    '{"metadata":{"name":"bad"}', '{"metadata":{"name":"bad"}} x', '{"metadata":7}',
    '{"metadata":[]}', '{"metadata":"x"}', '{"metadata":{"name":7}}', '{"metadata":{"name":[]}}',
    '{"metadata":{"labels":[]}}', '{"metadata":{"labels":{"a":1}}}', '{"data":[]}', '{"data":"x"}',
    '{"data":{"a":1}}', '{"data":{"a":{}}}', '{"binaryData":{"a":"%%"}}', '{"immutable":"yes"}',
    '{"metadata":{"creationTimestamp":"yesterday"}}', '{"metadata":{"generation":"x"}}',
    '{"metadata":{"generation":1e400}}', '{"metadata":{"ownerReferences":{}}}',
    '{"metadata":{"name":"\\ud800x"', '{"metadata":{"name":"\\x"}}', "\x00", "{\x00}", "nul",
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"bad"}}',
    '{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"bad"}}',
    '{"kind":"ConfigMap","apiVersion":"apps/v1","metadata":{"name":"bad"}}',
    '{"kind":"configmap","apiVersion":"v1","metadata":{"name":"bad"}}',
    '{"kind":7,"apiVersion":"v1"}', '{"kind":"ConfigMap","apiVersion":[]}',
    '{"kind":"ConfigMapList","apiVersion":"v1","items":[]}',
    '{"metadata":{"name":"bad","namespace":"other"}}',
]:
    case(f"body: {body!r}", BAD, "POST", MAPS, body)
for depth in [1001, 2000, 20_000, 200_000]:
    deep = '{"data":' * depth + "1" + "}" * depth
    case(f"body: {depth} levels deep", BAD, "POST", MAPS, deep)
    case(f"body: lists {depth} levels deep", BAD, "POST", MAPS, '{"x":' + "[" * depth + "]" * depth + "}")
case("body: unclosed lists", BAD, "POST", MAPS, "[" * 1_000_000)
for size in [(3 << 20) + 1, 4_000_000]:
    for kind in (JSON, YAML, PROTOBUF):
        case(f"body: {size} bytes of {kind}", LARGE, "POST", MAPS, b"a" * size, kind)
case("body: too large for an update", LARGE, "PUT", MAPS + "/present", b"a" * 4_000_000)
case("body: too large for a patch", LARGE, "PATCH", MAPS + "/present", b"a" * 4_000_000, MERGE)
case("body: too large for a deletion", LARGE, "DELETE", MAPS + "/present", b"a" * 4_000_000)
BOMB = """a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d]
f: [*e,*e,*e,*e,*e,*e,*e,*e]
"""
for name, text in [
    ("bomb", BOMB), ("tab", "a:\n\tb: 1"), ("unclosed", "a: ["), ("two documents of junk", "}{"),
    ("unknown alias", "a: *x"), ("list", "- a\n- b"), ("scalar", "abc"), ("bad escape", 'a: "\\q"'),
    ("anchor of itself", "a: &a [*a]"), ("deep", "a: " + "[" * 5000 + "]" * 5000),
    ("bad indentation", "a:\n  b: 1\n c: 2"), ("control character", "a: \x01"),
    ("merge key of a scalar", "<<: 7\nkind: ConfigMap"),
]:
    case(f"YAML: {name}", BAD, "POST", MAPS, text, YAML)


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def envelope(raw, kind=b"ConfigMap", version=b"v1"):
    return b"k8s\0" + field(1, field(1, version) + field(2, kind)) + field(2, raw)


MAP = field(1, field(1, b"bad")) + field(2, field(1, b"key") + field(2, b"value"))
WHOLE = envelope(MAP)
for name, body in [
    ("without its prefix", MAP), ("nonsense", b"nonsense"), ("prefix alone", b"k8s\0" + b"\xff"),
    ("wrong prefix", b"k9s\0" + WHOLE[4:]), ("another kind", envelope(MAP, b"Pod")),
    ("another version", envelope(MAP, version=b"v2")), ("unknown kind", envelope(MAP, b"Nope")),
    ("a length beyond the end", envelope(b"\x0a\xff\x01a")),
    ("a length of 2^63", envelope(b"\x0a" + b"\xff" * 8 + b"\x7f")),
    ("an endless varint", envelope(b"\x08" + b"\xff" * 20)),
    ("field number 0", envelope(b"\x02\x01a")), ("wire type 7", envelope(b"\x0f\x01")),
    ("an unclosed group", envelope(b"\x0b\x0b\x0b")),
    ("a wrong wire type", envelope(b"\x08\x01")),
    ("a million unclosed groups", envelope(b"\x7b" * 1_000_000)),
]:
    case(f"protobuf: {name}", BAD, "POST", MAPS, body, PROTOBUF)
for end in range(0, len(WHOLE) - 1):
    # Cut anywhere: it is no envelope, or the object in it is cut, or there is none at all.
    is_empty_object = end in (4, 4 + len(field(1, field(1, b"v1") + field(2, b"ConfigMap"))))
    case(f"protobuf: cut after {end} bytes", INVALID if is_empty_object else BAD, "POST", MAPS,
         WHOLE[:end], PROTOBUF)

# Strict field validation.

for name, body in [
    ("unknown field", '{"metadata":{"name":"bad"},"nope":1}'),
    ("unknown field in the metadata", '{"metadata":{"name":"bad","nope":1}}'),
    ("field twice", '{"metadata":{"name":"bad"},"data":{},"data":{}}'),
    ("key twice", '{"metadata":{"name":"bad"},"data":{"a":"1","a":"2"}}'),
    ("wrong case", '{"Metadata":{"name":"bad"}}'),
]:
    case(f"strict: {name}", BAD, "POST", MAPS + "?fieldValidation=Strict", body)
case("strict: unknown field in a merge patch", INVALID, "PATCH",
     MAPS + "/present?fieldValidation=Strict", '{"nope":1}', MERGE)

# Parameters.

for query, answer in [
    ("limit=x", BAD), ("limit=1.5", BAD), ("limit=9223372036854775808", BAD),
    ("timeoutSeconds=x&watch=1", BAD), ("timeoutSeconds=1e3&watch=1", BAD),
    ("limit=1&continue=x", BAD), ("limit=1&continue=e30", BAD),
    ("limit=1&continue=" + base64.urlsafe_b64encode(b'{"v":"v9","rv":1,"start":"a"}').decode(), BAD),
    ("limit=1&continue=" + base64.urlsafe_b64encode(
        b'{"v":"meta.k8s.io/v1","rv":1,"start":"../secrets"}').decode(), BAD),
    ("labelSelector=a%20b", BAD), ("labelSelector=a%3D%3D%3Db", BAD), ("labelSelector=,", BAD),
    ("labelSelector=a%20in", BAD), ("labelSelector=a%20in%20(", BAD), ("labelSelector=a%20in%20()x", BAD),
    ("labelSelector=%2Fa", BAD), ("labelSelector=a%2Fb%2Fc", BAD), ("labelSelector=a%3D_", BAD),
    ("labelSelector=" + "a" * 64 + "%3Db", BAD), ("labelSelector=a%3D" + "b" * 64, BAD),
    ("labelSelector=a%3Eb", BAD), ("labelSelector=!", BAD), ("labelSelector=a%20notin%20(b", BAD),
    ("fieldSelector=data.x%3D1", BAD), ("fieldSelector=spec.nodeName%3D1", BAD),
    ("fieldSelector=metadata.name", BAD), ("fieldSelector=%3Da", BAD),
    ("fieldSelector=metadata.uid%3Da", BAD), ("fieldSelector=metadata.name%3Da%5Cq", BAD),
    ("resourceVersion=x", BAD), ("resourceVersion=-1", BAD), ("resourceVersion=1.5", BAD),
    ("resourceVersion=x&watch=1", BAD), ("resourceVersionMatch=Exact", INVALID),
    ("resourceVersionMatch=NotOlderThan", INVALID),
    ("resourceVersionMatch=x&resourceVersion=1", INVALID),
    ("resourceVersionMatch=Exact&resourceVersion=0", INVALID),
    ("resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x", INVALID),
    ("watch=1&resourceVersionMatch=Exact&resourceVersion=1", INVALID),
    ("watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1", INVALID),
    ("watch=1&sendInitialEvents=true", INVALID),
    ("watch=1&sendInitialEvents=true&resourceVersionMatch=Exact", INVALID),
    ("sendInitialEvents=true", INVALID), ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", INVALID),
]:
    case(f"list: {query}", answer, "GET", f"{MAPS}?{query}")
for query in ["dryRun=Some", "dryRun=all", "dryRun=All&dryRun=x", "fieldValidation=x",
              "fieldValidation=strict", "fieldManager=" + "a" * 129, "fieldManager=%01"]:
    case(f"create: {query[:40]}", INVALID, "POST", f"{MAPS}?{query}", config_map())
    case(f"update: {query[:40]}", INVALID, "PUT", f"{MAPS}/present?{query}", config_map("present"))
    case(f"patch: {query[:40]}", INVALID, "PATCH", f"{MAPS}/present?{query}", "{}", MERGE)
for query in ["propagationPolicy=x", "dryRun=Some", "propagationPolicy=Orphan&orphanDependents=true"]:
    case(f"delete: {query}", INVALID, "DELETE", f"{MAPS}/present?{query}")
    case(f"delete many: {query}", INVALID, "DELETE", f"{MAPS}?{query}")
for name, answer, body in [
    ("another kind", BAD, {"kind": "ConfigMap", "apiVersion": "v1"}),
    ("junk", BAD, "{"), ("a list", BAD, "[]"), ("text for a number", BAD, '{"gracePeriodSeconds":"x"}'),
    ("both policies", INVALID, {"propagationPolicy": "Orphan", "orphanDependents": True}),
    ("an unknown policy", INVALID, {"propagationPolicy": "Later"}),
    ("an unknown dry run", INVALID, {"dryRun": ["x"]}),
    ("another uid", CONFLICT, {"preconditions": {"uid": "x"}}),
    ("another version", CONFLICT, {"preconditions": {"resourceVersion": "1"}}),
]:
    case(f"delete with options: {name}", answer, "DELETE", MAPS + "/present", body)
case("delete with options: XML", UNSUPPORTED, "DELETE", MAPS + "/present", "<a/>", "text/xml")

# Patches.

for body in ["{}", "7", '"x"', "[7]", "[[]]", "{", "", "[", "nope"]:
    case(f"JSON patch: {body!r}", BAD, "PATCH", MAPS + "/present", body, JSON_PATCH)
for operation in [
    {"op": "remove", "path": "/data/nope"}, {"op": "replace", "path": "/data/nope", "value": "x"},
    {"op": "test", "path": "/data/key", "value": "other"}, {"op": "test", "path": "/nope/a", "value": 1},
    {"op": "nope", "path": "/data/key"}, {"op": "add", "path": "/data/a/b/c", "value": "x"},
    {"op": "move", "from": "/data/nope", "path": "/data/b"},
    {"op": "copy", "from": "/data/nope", "path": "/data/b"},
    {"op": "remove", "path": "/metadata/finalizers/0"},
    {"op": "add", "path": "/metadata/finalizers/7", "value": "a/b"},
    {"op": "replace", "path": "/data", "value": 7}, {"op": "replace", "path": "/data/key", "value": {}},
    {"op": "replace", "path": "/metadata", "value": []},
    {"op": "replace", "path": "/immutable", "value": "yes"},
    {"op": "add", "path": "/metadata/labels", "value": {"a b": "c"}},
    {"op": "add", "path": "/metadata/finalizers", "value": ["x y"]},
    {"op": "add", "path": "/data/a~1b", "value": "x"},
]:
    text = json.dumps(operation)
    case(f"JSON patch: {text}", INVALID, "PATCH", MAPS + "/present", f"[{text}]", JSON_PATCH)
many = [{"op": "add", "path": "/data/x", "value": "y"}] * 10_001
case("JSON patch: 10,001 operations", LARGE, "PATCH", MAPS + "/present", many, JSON_PATCH)
copies = [{"op": "add", "path": "/data/x0", "value": "y" * 1000}] + [
    {"op": "copy", "from": "/data", "path": f"/data/x{n}"} for n in range(1, 40)]
case("JSON patch: copies that double", INVALID, "PATCH", MAPS + "/present", copies, JSON_PATCH)
for body in ["{", "7", "[]", '"x"', "", "nope", "\x00"]:
    case(f"merge patch: {body!r}", BAD, "PATCH", MAPS + "/present", body, MERGE)
    case(f"strategic patch: {body!r}", BAD, "PATCH", MAPS + "/present", body, STRATEGIC)
for body in [
    {"data": 7}, {"data": {"a": {}}}, {"data": []}, {"metadata": []}, {"metadata": {"labels": "x"}},
    {"metadata": {"labels": {"a b": "c"}}}, {"metadata": {"labels": {"a": "b c"}}},
    {"metadata": {"annotations": {"a b": "c"}}}, {"metadata": {"finalizers": ["x y"]}},
    {"data": {"a/b": "c"}}, {"data": {"..": "c"}}, {"binaryData": {"key": "eA=="}},
    {"immutable": "x"},
]:
    case(f"merge patch: {json.dumps(body)}", INVALID, "PATCH", MAPS + "/present", body, MERGE)
    case(f"strategic patch: {json.dumps(body)}", INVALID, "PATCH", MAPS + "/present", body, STRATEGIC)
for kind in (MERGE, STRATEGIC):
    case(f"patch to another name: {kind}", BAD, "PATCH", MAPS + "/present",
         {"metadata": {"name": "other"}}, kind)
    case(f"patch to another namespace: {kind}", BAD, "PATCH", MAPS + "/present",
         {"metadata": {"namespace": "other"}}, kind)
    case(f"patch to an old version: {kind}", CONFLICT, "PATCH", MAPS + "/present",
         {"metadata": {"resourceVersion": "1"}, "data": {"x": "y"}}, kind)
    case(f"patch to another uid: {kind}", CONFLICT, "PATCH", MAPS + "/present",
         {"metadata": {"uid": "x"}, "data": {"x": "y"}}, kind)
    case(f"patch of nothing: {kind}", NOT_FOUND, "PATCH", MAPS + "/absent", {"data": {}}, kind)
    case(f"patch with force: {kind}", INVALID, "PATCH", MAPS + "/present?force=true", "{}", kind)
case("apply: no manager", INVALID, "PATCH", MAPS + "/bad", config_map(), APPLY)
case("apply: junk", BAD, "PATCH", MAPS + "/bad?fieldManager=m", "{", APPLY)
case("apply: no kind", BAD, "PATCH", MAPS + "/bad?fieldManager=m", {"metadata": {"name": "bad"}}, APPLY)
case("apply: another kind", BAD, "PATCH", MAPS + "/bad?fieldManager=m",
     {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad"}}, APPLY)
case("apply: another name", BAD, "PATCH", MAPS + "/bad?fieldManager=m", config_map("other"), APPLY)
case("apply: managed fields", BAD, "PATCH", MAPS + "/bad?fieldManager=m",
     {**config_map(), "metadata": {"name": "bad", "managedFields": [{"manager": "x"}]}}, APPLY)
case("apply: somebody else's field", CONFLICT, "PATCH", MAPS + "/present?fieldManager=m",
     config_map("present", data={"key": "other"}), APPLY)

# Names and metadata.

for name in [
    "A", "a_b", "a b", "-a", "a-", ".a", "a.", "a..b", "a" * 254, "a/b", "ä", "a\n", "a%", "..", "*",
]:
    case(f"name: {name[:20]!r}", INVALID, "POST", MAPS, config_map(name))
for name in ["a.b", "A", "a" * 64, "a_b", "-", ""]:
    service = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
    case(f"Service's name: {name[:20]!r}", INVALID, "POST", "/api/v1/namespaces/default/services", service)
for name in ["a.b", "A", "a" * 64, "-a", "a_b"]:
    case(f"Namespace's name: {name[:20]!r}", INVALID, "POST", "/api/v1/namespaces",
         {"metadata": {"name": name}})
for name, metadata in [
    ("generateName", {"generateName": "A_"}), ("label key", {"labels": {"a b": "c"}}),
    ("label value", {"labels": {"a": "b c"}}), ("label value's length", {"labels": {"a": "b" * 64}}),
    ("label key's length", {"labels": {"a" * 64: "b"}}), ("label prefix", {"labels": {"A_/b": "c"}}),
    ("empty label key", {"labels": {"": "b"}}), ("annotation key", {"annotations": {"a b": "c"}}),
    ("annotations' size", {"annotations": {"a": "x" * (257 << 10)}}),
    ("finalizer", {"finalizers": ["x y"]}), ("finalizer without a domain", {"finalizers": ["nope"]}),
    ("owner without a name", {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "uid": "u"}]}),
    ("owner without a uid", {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "n"}]}),
    ("owner without a kind", {"ownerReferences": [{"apiVersion": "v1", "uid": "u", "name": "n"}]}),
    ("owner's version", {"ownerReferences": [
        {"apiVersion": "a/b/c", "kind": "Pod", "name": "n", "uid": "u"}]}),
    ("an event as owner", {"ownerReferences": [
        {"apiVersion": "v1", "kind": "Event", "name": "n", "uid": "u"}]}),
    ("two controllers", {"ownerReferences": [
        {"apiVersion": "v1", "kind": "Pod", "name": n, "uid": n, "controller": True} for n in "ab"]}),
    ("both orphan and foreground", {"finalizers": ["orphan", "foregroundDeletion"]}),
]:
    case(f"metadata: {name}", INVALID, "POST", MAPS, {"metadata": {"name": "bad", **metadata}})
case("metadata: no name", INVALID, "POST", MAPS, {"metadata": {}})
case("metadata: no metadata", INVALID, "POST", MAPS, {"data": {}})
case("a namespace that is not there", NOT_FOUND, "POST", "/api/v1/namespaces/absent/configmaps", config_map())
case("an object that is there", EXISTS, "POST", MAPS, config_map("present"))
case("an update of nothing", NOT_FOUND, "PUT", MAPS + "/absent", config_map("absent"))
case("an update without a name", BAD, "PUT", MAPS + "/present", {"data": {}})
case("an update to another name", BAD, "PUT", MAPS + "/present", config_map("other"))
case("an update of an old version", CONFLICT, "PUT", MAPS + "/present",
     {"metadata": {"name": "present", "resourceVersion": "1"}})
case("an update of another uid", CONFLICT, "PUT", MAPS + "/present",
     {"metadata": {"name": "present", "uid": "x"}})
case("an update of what is immutable", INVALID, "PUT", MAPS + "/frozen",
     {"metadata": {"name": "frozen"}, "immutable": True, "data": {"a": "2"}})
case("an update to mutable", INVALID, "PATCH", MAPS + "/frozen", {"immutable": False}, MERGE)
case("a ConfigMap's size", INVALID, "POST", MAPS, config_map(data={"a": "x" * ((1 << 20) + 1)}))
for key in ["a b", "..", ".", "a/b", "", "a" * 254]:
    case(f"a ConfigMap's key: {key[:10]!r}", INVALID, "POST", MAPS, config_map(data={key: "x"}))

# Kinds.


def pod(**spec):
    base = {"containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": "bad"}, "spec": {**base, **spec}}


def container(**more):
    return pod(containers=[{"name": "c", "image": "i", **more}])


for name, body in [
    ("no containers", pod(containers=[])), ("no spec", {"metadata": {"name": "bad"}}),
    ("container without a name", pod(containers=[{"image": "i"}])),
    ("container without an image", pod(containers=[{"name": "c"}])),
    ("container's name", pod(containers=[{"name": "C_", "image": "i"}])),
    ("two containers of one name", pod(containers=[{"name": "c", "image": "i"}] * 2)),
    ("container and init container of one name", pod(initContainers=[{"name": "c", "image": "i"}])),
    ("pull policy", container(imagePullPolicy="Sometimes")),
    ("restart policy", pod(restartPolicy="Perhaps")), ("DNS policy", pod(dnsPolicy="x")),
    ("port", container(ports=[{"containerPort": 70_000}])),
    ("port 0", container(ports=[{"containerPort": 0}])),
    ("protocol", container(ports=[{"containerPort": 80, "protocol": "ICMP"}])),
    ("two ports of one name", container(ports=[{"name": "p", "containerPort": n} for n in (1, 2)])),
    ("port's name", container(ports=[{"name": "-", "containerPort": 1}])),
    ("variable without a name", container(env=[{"value": "x"}])),
    ("mount of no volume", container(volumeMounts=[{"name": "v", "mountPath": "/a"}])),
    ("mount without a path", {**pod(containers=[
        {"name": "c", "image": "i", "volumeMounts": [{"name": "v"}]}], volumes=[{"name": "v", "emptyDir": {}}])}),
    ("two volumes of one name", pod(volumes=[{"name": "v", "emptyDir": {}}] * 2)),
    ("volume of two kinds", pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}])),
    ("host path with dots", pod(volumes=[{"name": "v", "hostPath": {"path": "/a/../b"}}])),
    ("request above the limit", container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})),
    ("negative request", container(resources={"requests": {"cpu": "-1"}})),
    ("unknown resource", container(resources={"requests": {"nope": "1"}})),
    ("huge pages of a request alone", container(resources={"requests": {"hugepages-2Mi": "2Mi"}})),
    ("deadline of 0", pod(activeDeadlineSeconds=0)), ("host name", pod(hostname="A_")),
    ("node selector", pod(nodeSelector={"a b": "c"})),
    ("toleration", pod(tolerations=[{"key": "a", "operator": "Nope"}])),
    ("toleration of all with a value", pod(tolerations=[{"key": "a", "operator": "Exists", "value": "x"}])),
    ("probe of two kinds", container(livenessProbe={"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}})),
    ("probe of no kind", container(livenessProbe={"periodSeconds": 1})),
    ("probe's period", container(livenessProbe={"exec": {"command": ["a"]}, "periodSeconds": -1})),
    ("user id", pod(securityContext={"runAsUser": -1})),
    ("privileged without escalation", container(
        securityContext={"privileged": True, "allowPrivilegeEscalation": False})),
    ("sysctl", pod(securityContext={"sysctls": [{"name": "a b", "value": "1"}]})),
    ("ephemeral container at creation", pod(ephemeralContainers=[{"name": "e", "image": "i"}])),
]:
    case(f"Pod: {name}", INVALID, "POST", PODS, body)
case("Pod: an account that is not there", FORBIDDEN, "POST", PODS, pod(serviceAccountName="absent"))
case("Pod: quantity", BAD, "POST", PODS, container(resources={"requests": {"cpu": "much"}}))
case("Pod: binding without a target", BAD, "POST", PODS + "/absent/binding", {"target": {}})
case("Pod: binding of nothing", NOT_FOUND, "POST", PODS + "/absent/binding", {"target": {"name": "n"}})
case("Pod: eviction of nothing", NOT_FOUND, "POST", PODS + "/absent/eviction", {"metadata": {"name": "absent"}})
case("Pod: log of nothing", NOT_FOUND, "GET", PODS + "/absent/log")
case("Pod: exec of nothing", NOT_FOUND, "POST", PODS + "/absent/exec?command=a")
SERVICES = "/api/v1/namespaces/default/services"
for name, spec in [
    ("no ports", {}), ("port 0", {"ports": [{"port": 0}]}), ("port", {"ports": [{"port": 65_536}]}),
    ("two ports without names", {"ports": [{"port": 1}, {"port": 2}]}),
    ("protocol", {"ports": [{"port": 1, "protocol": "X"}]}), ("type", {"type": "X", "ports": [{"port": 1}]}),
    ("address", {"clusterIP": "x", "ports": [{"port": 1}]}),
    ("address outside the range", {"clusterIP": "8.8.8.8", "ports": [{"port": 1}]}),
    ("address that is taken", {"clusterIP": "10.96.0.1", "ports": [{"port": 1}]}),
    ("external name missing", {"type": "ExternalName"}),
    ("affinity", {"sessionAffinity": "X", "ports": [{"port": 1}]}),
    ("node port outside the range", {"type": "NodePort", "ports": [{"port": 1, "nodePort": 1}]}),
    ("node port of a cluster address", {"ports": [{"port": 1, "nodePort": 30_000}]}),
    ("load balancer without an address", {"type": "LoadBalancer", "clusterIP": "None", "ports": [{"port": 1}]}),
    ("external address", {"externalIPs": ["127.0.0.1"], "ports": [{"port": 1}]}),
    ("selector", {"selector": {"a b": "c"}, "ports": [{"port": 1}]}),
]:
    case(f"Service: {name}", INVALID, "POST", SERVICES, {"metadata": {"name": "bad"}, "spec": spec})
LABELS = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
APPS = "/apis/apps/v1/namespaces/default"
for name, spec in [
    ("no selector", {"template": LABELS}), ("no template", {"selector": {"matchLabels": {"a": "b"}}}),
    ("another selector", {"selector": {"matchLabels": {"a": "c"}}, "template": LABELS}),
    ("empty selector", {"selector": {}, "template": LABELS}),
    ("negative replicas", {"replicas": -1, "selector": {"matchLabels": {"a": "b"}}, "template": LABELS}),
]:
    case(f"Deployment: {name}", INVALID, "POST", APPS + "/deployments", {"metadata": {"name": "bad"}, "spec": spec})
    case(f"ReplicaSet: {name}", INVALID, "POST", APPS + "/replicasets", {"metadata": {"name": "bad"}, "spec": spec})
BATCH = "/apis/batch/v1/namespaces/default"
JOB = {"template": {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}}
for name, spec in [
    ("restart policy", {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}),
    ("negative parallelism", {**JOB, "parallelism": -1}), ("indexed without a number", {**JOB, "parallelism": 1, "completionMode": "Indexed"}),
]:
    case(f"Job: {name}", INVALID, "POST", BATCH + "/jobs", {"metadata": {"name": "bad"}, "spec": spec})
for schedule in ["", "x", "* * * *", "61 * * * *", "* * * * 9", "@never", "TZ=UTC * * * * *"]:
    case(f"CronJob: schedule {schedule!r}", INVALID, "POST", BATCH + "/cronjobs",
         {"metadata": {"name": "bad"}, "spec": {"schedule": schedule, "jobTemplate": {"spec": JOB}}})
RBAC = "/apis/rbac.authorization.k8s.io/v1"
case("Role: no verbs", INVALID, "POST", RBAC + "/namespaces/default/roles",
     {"metadata": {"name": "bad"}, "rules": [{"apiGroups": [""], "resources": ["pods"]}]})
case("Role: a path", INVALID, "POST", RBAC + "/namespaces/default/roles",
     {"metadata": {"name": "bad"}, "rules": [{"verbs": ["get"], "nonResourceURLs": ["/a"]}]})
case("RoleBinding: no role", INVALID, "POST", RBAC + "/namespaces/default/rolebindings",
     {"metadata": {"name": "bad"}, "roleRef": {}})
case("RoleBinding: a subject's kind", INVALID, "POST", RBAC + "/namespaces/default/rolebindings",
     {"metadata": {"name": "bad"}, "subjects": [{"kind": "X", "name": "a"}],
      "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}})
case("EndpointSlice: loopback (CVE-2021-25737)", INVALID, "POST",
     "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
     {"metadata": {"name": "bad"}, "addressType": "IPv4", "endpoints": [{"addresses": ["127.0.0.1"]}]})
case("EndpointSlice: link-local (CVE-2021-25737)", INVALID, "POST",
     "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
     {"metadata": {"name": "bad"}, "addressType": "IPv4", "endpoints": [{"addresses": ["169.254.169.254"]}]})
case("EndpointSlice: leading zero (CVE-2021-29923)", INVALID, "POST",
     "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
     {"metadata": {"name": "bad"}, "addressType": "IPv4", "endpoints": [{"addresses": ["010.0.0.1"]}]})
case("PersistentVolumeClaim: no request", INVALID, "POST",
     "/api/v1/namespaces/default/persistentvolumeclaims",
     {"metadata": {"name": "bad"}, "spec": {"accessModes": ["ReadWriteOnce"]}})
case("Namespace: default goes", FORBIDDEN, "DELETE", "/api/v1/namespaces/default")
case("Namespace: kube-system goes", FORBIDDEN, "DELETE", "/api/v1/namespaces/kube-system")

# Who.


def token(header, claims, signature="x"):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return f"{part(header)}.{part(claims)}.{signature}"


CLAIMS = {"iss": "https://kubernetes.default.svc.cluster.local", "exp": 4_000_000_000,
          "aud": ["https://kubernetes.default.svc.cluster.local"],
          "sub": "system:serviceaccount:kube-system:default"}
for name, value in [
    ("unknown", "nope"), ("empty", ""), ("two dots", ".."), ("no signature", token({"alg": "none"}, CLAIMS, "")),
    ("algorithm none", token({"alg": "none"}, CLAIMS)), ("HMAC with a public key", token({"alg": "HS256"}, CLAIMS)),
    ("forged", token({"alg": "RS256"}, CLAIMS, "AAAA")), ("no algorithm", token({}, CLAIMS)),
    ("expired", token({"alg": "RS256"}, {**CLAIMS, "exp": 1})), ("not base64", "a.%%.c"), ("long", "x" * 5000),
    ("prefix of a good one", "admin-toke"), ("bootstrap of nothing", "abcdef.0123456789abcdef"),
]:
    case(f"token: {name}", UNAUTHORIZED, "GET", MAPS, token=None, Authorization=f"Bearer {value}")
for value in ["Basic YWRtaW46YWRtaW4=", "bearer", "Bearer", "Negotiate x", "admin-token"]:
    case(f"Authorization: {value}", UNAUTHORIZED, "GET", MAPS, token=None, Authorization=value)
for method, path in [
    ("GET", MAPS), ("POST", MAPS), ("GET", "/api"), ("GET", "/apis"), ("GET", "/version"), ("GET", "/metrics"),
    ("GET", "/openapi/v2"), ("GET", "/nope"), ("DELETE", MAPS + "/present"),
]:
    case(f"nobody's request: {method} {path}", UNAUTHORIZED, method, path,
         config_map() if method == "POST" else None, token=None)
for method, path in [
    ("GET", MAPS), ("GET", MAPS + "/present"), ("POST", MAPS), ("PUT", MAPS + "/present"),
    ("DELETE", MAPS + "/present"), ("DELETE", MAPS), ("GET", MAPS + "?watch=1"), ("GET", "/metrics"),
    ("GET", "/api/v1/nodes"), ("GET", "/api/v1/secrets"), ("GET", "/api/v1/namespaces/default"),
    ("POST", PODS + "/a/exec?command=sh"), ("GET", PODS + "/a/log"), ("GET", "/logs"),
    ("GET", "/apis/nope/v1/things"), ("POST", "/apis/authentication.k8s.io/v1/tokenreviews"),
    ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
    ("POST", "/api/v1/namespaces/kube-system/serviceaccounts/default/token"),
    ("PUT", "/apis/certificates.k8s.io/v1/certificatesigningrequests/a/approval"),
]:
    case(f"without rights: {method} {path}", FORBIDDEN, method, path,
         config_map("present") if method in ("POST", "PUT") else None, token="nobody-token")
case("without rights: PATCH", FORBIDDEN, "PATCH", MAPS + "/present", "{}", MERGE, token="nobody-token")
for name, value in [
    ("a user", {"Impersonate_User": "admin"}), ("a group", {"Impersonate_User": "x", "Impersonate_Group": "system:masters"}),
    ("an account", {"Impersonate_User": "system:serviceaccount:kube-system:default"}),
    ("a node", {"Impersonate_User": "system:node:n1"}),
]:
    case(f"impersonation without rights: {name}", FORBIDDEN, "GET", MAPS, token="nobody-token", **value)
case("impersonation of a group alone", "500 InternalError", "GET", MAPS, Impersonate_Group="x")
for path, body in [
    (RBAC + "/clusterroles", {"metadata": {"name": "bad"}, "rules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
    (RBAC + "/clusterrolebindings", {"metadata": {"name": "bad"}, "subjects": [
        {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}),
    (RBAC + "/namespaces/default/roles", {"metadata": {"name": "bad"}, "rules": [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}),
    (RBAC + "/namespaces/default/rolebindings", {"metadata": {"name": "bad"}, "subjects": [
        {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node"}}),
]:
    # This user may write roles and bindings, and has nothing of what these give.
    case(f"escalation: {path}", FORBIDDEN, "POST", path, body, token="reader-token")
case("escalation: a role that grows", FORBIDDEN, "PATCH", RBAC + "/clusterroles/readers",
     {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}, MERGE, token="reader-token")
for name, method, path, body in [
    ("another node", "GET", "/api/v1/nodes/n2", None), ("another node's status", "PATCH", "/api/v1/nodes/n2/status", "{}"),
    ("all secrets", "GET", "/api/v1/secrets", None), ("a secret of no pod", "GET", "/api/v1/namespaces/default/secrets/a", None),
    ("a map of no pod", "GET", MAPS + "/present", None), ("a pod that is no mirror", "POST", PODS, pod(nodeName="n1")),
    ("another node's lease", "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
     {"metadata": {"name": "n2"}}),
    ("a token for itself", "POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}}),
    ("node that is another", "POST", "/api/v1/nodes", {"metadata": {"name": "n2"}}),
    ("node with a label of others", "POST", "/api/v1/nodes",
     {"metadata": {"name": "n1", "labels": {"node-restriction.kubernetes.io/a": "b"}}}),
    ("node with owners (CVE-2025-5187)", "PATCH", "/api/v1/nodes/n1",
     {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}]}}),
]:
    case(f"a node's request: {name}", FORBIDDEN, method, path, body,
         MERGE if method == "PATCH" else None, token="node-token")


# The server


class Client:
    def __init__(self, server):
        self.port = server.port
        self.context = server.context
        self.connection = None

    def request(self, method, path, body, headers):
        """The status, and the body as JSON or bytes."""
        connection = self.connection or http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.context, timeout=60)
        self.connection = None
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        try:
            if body:
                connection.send(body)
        except OSError:
            pass  # Refused before all of it was read: the answer says why.
        answer = connection.getresponse()
        data = answer.read()
        if answer.headers.get("Connection", "").lower() == "close" or (body and len(body) > 1 << 20):
            connection.close()
        else:
            self.connection = connection
        try:
            return answer.status, json.loads(data)
        except ValueError:
            return answer.status, data

    def call(self, method, path, body=None):
        headers = {"Authorization": "Bearer admin-token"}
        if body is not None:
            headers["Content-Type"] = JSON
        status, answer = self.request(method, path, json.dumps(body).encode() if body else None, headers)
        assert status < 300, (method, path, status, answer)
        return answer

    def state(self):
        """The versions of all objects."""
        found = {}
        for version in ["api/v1"] + [
            "apis/" + group["preferredVersion"]["groupVersion"]
            for group in self.call("GET", "/apis")["groups"]
        ]:
            for resource in self.call("GET", f"/{version}")["resources"]:
                # What the cluster writes by itself at any time, and what is not stored.
                if "list" not in resource["verbs"] or resource["name"] in ("leases", "events", "componentstatuses"):
                    continue
                for item in self.call("GET", f"/{version}/{resource['name']}")["items"]:
                    metadata = item["metadata"]
                    key = (version, resource["name"], metadata.get("namespace"), metadata["name"])
                    found[key] = metadata["resourceVersion"]
        return found


def prepare(server):
    server.call("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    server.call("POST", MAPS + "?fieldManager=owner", config_map("present", data={"key": "value"}))
    server.call("POST", MAPS, {"metadata": {"name": "frozen"}, "immutable": True, "data": {"a": "1"}})
    for node in ("n1", "n2"):
        server.call("POST", "/api/v1/nodes", {"metadata": {"name": node}})
    server.call("POST", RBAC + "/clusterroles", {
        "metadata": {"name": "readers"}, "rules": [
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"],
             "verbs": ["get", "list", "create", "update", "patch"]}]})
    server.call("POST", RBAC + "/clusterrolebindings", {
        "metadata": {"name": "readers"},
        "subjects": [{"kind": "Group", "name": "readers", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "readers"}})


def run(server):
    names = [entry[0] for entry in CASES]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    passed, failed = 0, 0
    before = server.state()
    for name, expected, method, path, body, headers in CASES:
        try:
            status, answer = server.request(method, path, body, headers)
            if isinstance(answer, dict):
                reason = answer.get("reason", "")
            else:
                found = re.search(rb"^reason: (\w+)$", answer, re.MULTILINE)
                reason = found.group(1).decode() if found else "none"
            found = f"{status} {reason}"
        except (OSError, http.client.HTTPException) as error:
            found, answer = f"no answer: {error!r}", ""
            server.connection = None
        if found == expected:
            passed += 1
        else:
            failed += 1
            message = answer.get("message", answer) if isinstance(answer, dict) else answer
            print(f"FAILED: {name}: expected {expected!r}, found {found!r}: {str(message)[:300]}")
    after = server.state()
    if before == after:
        passed += 1
    else:
        failed += 1
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        print(f"FAILED: nothing is stored: {sorted(changed, key=str)[:20]}")
    return passed, failed


def metrics_have_labels_of_closed_sets(client, _):
    """CVE-2020-8552: what clients make up becomes no label."""
    status, text = client.request("GET", "/metrics", None, {"Authorization": "Bearer admin-token"})
    assert status == 200
    values = set(re.findall(r'="([^"]*)"', text.decode()))
    made_up = {"nopes", "nope", "v9", "V1", "Pods", "APPS", "TRACE", "absent", "present"}
    assert not values & made_up, values & made_up
    series = len(text.splitlines())
    assert series < 10_000, f"{series} lines after {len(CASES)} bad requests"


def logs_have_no_credentials(_, server):
    """CVE-2019-11250, CVE-2020-8565: not even at the highest verbosity."""
    log = server.log(1 << 26)
    planted = [headers["Authorization"].split(" ", 1)[-1] for *_, headers in CASES
               if len(headers.get("Authorization", "")) > 20]
    assert planted, "no credentials were planted"
    for secret in planted + ["admin-token", "nobody-token"]:
        assert secret not in log, "a credential is in the log"


def main():
    with apiserver.Server(["--v", "10"]) as server:
        client = Client(server)
        prepare(client)
        passed, failed = run(client)
        for check in (metrics_have_labels_of_closed_sets, logs_have_no_credentials):
            try:
                check(client, server)
                passed += 1
            except AssertionError as error:
                failed += 1
                print(f"FAILED: {check.__name__}: {error}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
