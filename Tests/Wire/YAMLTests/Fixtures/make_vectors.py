#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Asks kubectl (1.32, offline) what it makes of YAML and JSON, and writes the answers beside itself.

kubectl.<name>.input.yaml (or .input.json)  what was asked
kubectl.<name>.json                         its JSON, white space taken out
kubectl.<name>.yaml                         its YAML
errors.kubectl.txt                          documents and the errors they give

`kubectl label --local` with a label that is there already prints any object unchanged.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LABEL = {"x": "y"}


def kubectl(path, output):
    command = ["kubectl", "label", "--local", "--overwrite", "-f", path, "x=y", "-o", output]
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        return None, done.stderr.decode().strip()
    return done.stdout, None


def compact(text):
    """Takes white space out of JSON without touching numbers and strings."""
    out, in_string, escaped = [], False, False
    for character in text.decode():
        if in_string:
            out.append(character)
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif not character.isspace():
            out.append(character)
            in_string = character == '"'
    return "".join(out).encode()


def record(name, text, extension="yaml"):
    path = os.path.join(HERE, f"kubectl.{name}.input.{extension}")
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(text)
    for output in ("json", "yaml"):
        answer, error = kubectl(path, output)
        if error:
            sys.exit(f"{name}: {error}")
        with open(os.path.join(HERE, f"kubectl.{name}.{output}"), "wb") as out:
            out.write(compact(answer) if output == "json" else answer)


def record_object(name, spec):
    whole = {"apiVersion": "example.org/v1", "kind": "Sample", "metadata": {"labels": LABEL, "name": name}}
    record(name, json.dumps({**whole, "spec": spec}, ensure_ascii=False), "json")


HEAD = "apiVersion: example.org/v1\nkind: Sample\nmetadata: {name: sample, labels: {x: 'y'}}\n"

PLAIN = """
y Y n N yes Yes YES yEs no No NO nO on On ON oN off Off OFF oFF true True TRUE tRUE false False FALSE
~ null Null NULL nULL .nan .NaN .NAN .Nan .inf .Inf .INF .iNF +.inf +.Inf -.inf -.INF + - . .. ... -- +-
0 -0 +0 00 007 08 09 010 0777 -010 +010 0o17 0O17 -0o17 0o 0o8 0x 0x1F 0XfF -0x1f +0x1 0xg 0x1.8 0x1p4 0b 0b101
0B11 -0b101 +0b1 0b2 0b-101 0b+1 -0b-1 0b_1 0x_1F 0_7 1_000 1__0 _1 1_ 1_000.5 1_0e1_0 +1_0 -1_0 12e03 -2E+05 +12
1 -1 1. -1. 1.5 .5 -.5 +.5 ._5 .5_0 1.5.2 1e3 1E3 1e+3 1e-3 1e 1e+ 1.e3 .5e3 .e3 e3 1e400 -1e400 1e-400 .5e999
1e15 1e16 1e17 123456789012345680000 1e20 1e21 1e22 1.5e300 1e-6 1e-7 0.000001 0.0000001 1.0 100.0 1e0 -0.0 -1e5
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551616
0x7fffffffffffffff -0x8000000000000000 0x10000000000000000 0b111 99999999999999999999 0.1 0.2 0.30000000000000004
4.35 5e-324 1.7976931348623157e308 1.7976931348623159e308 2.2250738585072014e-308 123456789.123456789 1:30 190:20:30
-1:30 1:60 1:5 1:05 1:30.5 1:30. 1:30._ +1:59 1_0:30 :30 1: 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z
2001-12-15T02:59:43.1Z 2001-1-1 2001-01-01 2001-13-01 2001-02-30 2000-02-29 1900-02-29 2001-1-1T1:1:1Z 2001-01-01T25:00:00Z
2001-12-14T21:59:43 2001-12-14T21:59:43z 2001-12-14T21:59:43+25:00 2001-12-14T21:59:43+0500 2001-12-14T21:59:43,5Z 20011-01-01
201-01-01 2001-01 2001-01-01T 2001-01-01t1:2:3.+05:00 0000-01-01 2001-001-01 2001-01-011 0x2001-01-01 10.0.0.1 1.2.3 v1 1d
1h 100m 1Gi 0.5Gi 1k 1E 1e5m - 0b 0B0 00x1 0xA_B +0b11 +0o7 ++1 +-1 -+1 1-1 1+1 =  == << <<< !a a!b a#b a:b a,b
http://x:80/y?z=1 a?b x@y %a% `a a`b a*b a&b a|b a>b a'b a"b -a --a ?a :a a: abc/def /abc ~a a~ $a ^ * a\\b \\
""".split()

TAGGED = r"""
!!str 1
!!str yes
!!str null
!!str
!!str ""
!!int 5
!!int 0x10
!!int "7"
!!float 5
!!float 5.5
!!float "1e3"
!!float 0x10
!!bool yes
!!bool "off"
!!null null
!!null ~
!!null
!!null ""
!!timestamp 2001-01-01
!!timestamp "2001-1-1T1:1:1Z"
!!binary aGVsbG8=
!!binary "aGVs bG8=" # invalid
!!binary aGVsbG8
!!binary |
  aGVs
  bG8=
!!binary wqnDqQ==
!!binary ""
! 1
! yes
!local 1
!!custom yes
!<tag:yaml.org,2002:str> 5
!<tag:yaml.org,2002:int> 5
!!merge <<
!!map {a: 1}
!!seq [1]
!!set {a, b}
!!omap [a: 1]
&x 5
&y !!str 5
!!str &z 5
"""

STYLES = r'''
folded: >
  one two
  three

  four
   five
  six
folded_strip: >-
  a
  b


folded_keep: >+
  a

  b


literal: |
  one
    two

  three
literal_strip: |-
  a


literal_keep: |+
  a


literal_indent: |2
    a
   b
literal_empty: |
literal_tabs: |
  a
  	b
single: 'it''s
  folded

  twice'
double: "a\tb\n\
  c \x41 \u00e9 \U0001F600 \e \_ \L \P \" \\ \a\b\f\v\0\r
  folded

  twice \
  joined"
plain: a multi line
  plain scalar

  with a break
flow: {a: 1, "b": [x, 'y', "z", {c: d}], e: , f, ? g : h, "i":j, k: [], l: {}}
flow_sequence: [a: 1, ? b : 2, [c], ]
? explicit
: key
? |
  literal key
: value
? [a]
# a comment
empty:
tilde: ~
seq:
- a
-
  - b
  -   - c
- d: e
  f:
  - g
  -
    h: i
anchors: &anchor {p: 1, q: [2, 3]}
alias: *anchor
aliases: [*anchor, &s text, *s, &n 5, *n, &e , *e]
redefined: [&r 1, *r, &r 2, *r]
keys: {1: a, 2.5: b, true: c, 0x10: d, 1e3: e, 'null': f, .5: g, -1: i, 1_0: j, no: k, 12345678.9: l}
alias_keys: {&k key: 1, *k : 2}
merge: {<<: *anchor, q: own}
merge_last: {q: own, <<: *anchor}
merge_list: {<<: [{a: 1, b: 1}, {a: 2, c: 2}, *anchor], z: 1}
merge_nested: {<<: {<<: {deep: 1, over: 1}, over: 2}, x: 1}
merge_quoted: {"<<": 1}
merge_tagged: {!!merge "<<": {a: 1}}
duplicate: {a: 1, b: 2, a: 3}
duplicate_merge: {a: 1, <<: {a: 2}, a: 3}
dup_types: {1: number}
unicode: "ünïcödé ☃ 😀 \u2028 \u2029 \u00a0 \ufeff \ufffd \ud7ff"
html: <a href="x">&amp;</a>
control: "\x01\x1f"
'''.replace("? [a]\n", "")

STRINGS = [
    "", " ", "  ", "a", " a", "a ", "a b", "a  b", "\t", "a\tb", "\ta", "a\t", "\n", "\n\n", "a\n", "\na", "a\nb", "a\n\nb",
    "a\nb\n", "a\nb\n\n", " a\nb", "a\n b", "a \nb", "a\nb ", "a\n \nb", "a\n ", "\n a", "  a\n  b", "a\r", "a\r\nb", "\r",
    "a\u0085b", "a\u2028b", "\u2028", "a\u2029\u2028b", "a\u2028 b", "a \u2028b", "\u2028a", "a\u2028", "a\nb\u2028c", "a\u00a0b",
    "\ufeff", "\ufeffabc \"x\"", "a\ufeffb", "\ufffe", "\ufffd", "\ue000", "😀", "a😀b", "é", "日本語", "日本語: x", "a: b", "a:b", "a:",
    ":", ": a", ":a", " : ", "a #b", "a# b", "#a", "#", "a#", "- a", "-", "--", "---", "--- a", "---a", "-a", "- ", "...", "....",
    "...a", "? a", "?", "?a", "[", "]", "{", "}", "[a]", "{a}", "a]", "a}", "a,b", ",", ",a", "&", "&a", "a&", "*", "*a", "!",
    "!a", "!!str a", "|", "|a", ">", ">a", "%", "%a", "@", "@a", "`", "`a", "'", "''", "'a'", "a'b", "it's", "\"", "\"a\"", "a\"b",
    "'\"", "\\", "a\\b", "\\n", "<<", "=", "~", "null", "\x00", "\x07", "\x1b", "\x01\x02", "\x0b\x0c", "a\x00b\nc", "key: |",
    "x: y\nz", "- a\n- b", "# c\nd", "{\"a\":1}", "{\"a\":1}\n", "{{ .Values.x }}", "${VAR}", "$(VAR)", "%YAML 1.1", "a: 'b'",
    "http://a.b/c?d=e&f=g#h", "a/b:c@sha256:0123", "2001-01-01", "2001-01-01 ", "10.0.0.1", "0.0.0.0/0", "::1", "::", "fe80::1", "a::b",
    "12:30", "1:2:3", "80/tcp", "<html>", "a\u200bb", "\u0000", "\u009f", "\u0300a", "A" * 127, "A" * 128, "A" * 129, "é" * 64,
    "é" * 65, "word " * 30, "word " * 30 + "\n", "  lead " + "word " * 30, "x" * 200 + " y", "a  " * 50, "' " * 50, "\" " * 50,
    "tab\t" * 30, "line\n" * 20, "no newline at end\nof this", "trailing \nspace", "\n\n\na", "a\n\n\n", "ends with break\u2028",
    "a:\u2028b", "- \u2028b", "\u2028'quoted'\u2028", "#\u2028a",
]


def strings():
    random.seed(7)
    out = list(STRINGS) + PLAIN
    pieces = ["a", "b", " ", "  ", "\n", ":", "#", "-", "'", '"', "\\", "\t", "é", "😀", "\u2028", "\u0085", ",", "0", "1", "word", "true", "~",
              "[", "{", "?", "!", "&", "*", "|", ">", "%", "@", "`", ".", "\ufeff", "\r", "_", "+", "e", "x"]
    for _ in range(1500):
        out.append("".join(random.choice(pieces) for _ in range(random.randrange(1, 7))))
    for _ in range(300):
        words = ["".join(random.choice("abcé:'\"#\\,-日") for _ in range(random.randrange(1, 18))) for _ in range(random.randrange(8, 60))]
        separators = random.choice([[" "], [" ", "  "], [" ", " ", " ", "\n"], [" ", " ", "\u2028"], [" ", "   ", "\t"], [" ", " ", " ", "\n "]])
        out.append("".join(word + random.choice(separators) for word in words).strip())
    # Go's JSON leaves these as they are; goyaml's reader refuses them, and folds U+0085 to a space.
    bad = set("\x7f\ufffe\uffff") | {chr(code) for code in range(0x80, 0xA0)}
    return [text for text in dict.fromkeys(out) if not bad & set(text)]


def nested(depth):
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return random.choice(["text", "", "two words", "1", 1, -5, 1.5, True, False, None, {}, [], "a\nb\n", "long " * 25, "x: y", 10**15, 2.5e-8])
    if kind < 0.65:
        keys = ["a", "b2", "b10", "b1", "A", "_", "10", "9", "key with space", "k" * 130, "multi\nline", "", "true", "é", "a1b2", "a01", "x/y", "x-y", "x.y",
                "😀", "1.5", "long key " * 20, "z\u2028", "-", "?", "~"]
        return {key: nested(depth - 1) for key in random.sample(keys, random.randrange(1, 7))}
    return [nested(depth - 1) for _ in range(random.randrange(1, 5))]


CREATES = """
deployment web --image=nginx:1.27 --replicas=3 --port=80
deployment multi --image=a:1 --image=b:2
configmap plain --from-literal=a=b --from-literal=c=d
configmap empty
secret generic s --from-literal=user=admin --from-literal=password=p@ss:word#1
secret tls t --cert=CERT --key=KEY
secret docker-registry r --docker-server=x.io --docker-username=u --docker-password=p --docker-email=e@x.io
service clusterip c --tcp=80:8080 --tcp=443
service nodeport n --tcp=80 --node-port=30080
service loadbalancer l --tcp=5678:8080
service externalname e --external-name=example.org
namespace team-a
serviceaccount builder
quota q --hard=cpu=1500m,memory=1.5Gi,pods=10 --scopes=BestEffort
role reader --verb=get,list,watch --resource=pods,deployments.apps --resource-name=a
clusterrole admin --verb=* --resource=*.* --non-resource-url=/healthz/*
clusterrole agg --aggregation-rule=a=b
rolebinding rb --role=reader --user=jane --group=devs --serviceaccount=ns:sa
clusterrolebinding crb --clusterrole=admin --user=root
job once --image=busybox -- sh -c "echo 'hi: there' && sleep 10 # done"
cronjob tick --image=busybox --schedule=*/5\\ *\\ *\\ *\\ * -- date
ingress i --rule=a.example.org/path*=svc:80,tls=cert --rule=b.example.org/=svc2:http --class=nginx --annotation=x.io/y=z
poddisruptionbudget pdb --selector=app=a --min-available=50%
priorityclass high --value=1000 --description="important: really"
token sa --namespace=x
""".strip().splitlines()

ERRORS = r"""
a: b: c
a: [1, 2
a: {b: c
a: 'x
a: "x
a: "\q"
a: "\xzz"
a: "\ud800"
a: "\UFFFFFFFF"
- a
b: c
a: b
 c: d
a: b
- c
	a: b
a:
	b: c
a: @b
a: `b
a: %b
a: *unknown
a: &a [*a]
a: &a {b: *a}
a: &b {c: {d: *b}}
a: !!int x
a: !!float x
a: !!bool 1
a: !!null x
a: !!timestamp x
a: !!int 1.5
a: !!float yes
a: !!binary "%"
a: !!bool "null"
a: !!int 2001-01-01
a: !e!x y
a: !<x
a: {<<: 1}
a: {<<: [1]}
a: {<<: *b}
a: {<<: [{}, x]}
b: &b [1], c: 1
? [a]: b
? {a: b}
: c
{[a]: b}
a: {? [x, 1] : 2}
a: {~: 1}
a: {null: text}
a: {18446744073709551615: 1}
a: .inf
a: [-.inf]
a: {b: .nan}
%YAML 2.0
%YAML 1.1
%FOO
%TAG ! x
--- a
--- |2x
a: |x
a: |0
a: >10
a: |
b
? a
? b: c: d
[a]: b: c
a: ]
a: }
a: - b
a: b c: d
a: "b" c
a: 'b' 'c'
a: [b c: d: e]
&a &b c
!!str !!int 5
*a
a: * b
a: & b
a: [a, b]]
---
{a: b}}
a: b
...
c
key
another
key: x
"a" b: c
a: ,
a: >
x
""".split("\n")


def errors():
    documents = []
    block = []
    for line in ERRORS:
        documents.append(line)
    joined = "\n".join(ERRORS)
    for first in range(len(ERRORS)):
        for count in (2, 3):
            documents.append("\n".join(ERRORS[first:first + count]))
    documents += [
        "a: \x01", "a: \x7f", "a: b\n\x00", "a: 'b\n--- c'", "a: \"b\n...\n\"", "a: b\n" * 3 + "c: d: e", "x\n" * 1030 + ": y", "a" * 1030 + ": b",
        "{" + "a" * 1030 + ": b}", "[" + "'a'," * 400 + "]: b", "? " + "a" * 1030 + "\n: b\nc: d: e", "a: b\n  c\n d: e", "a:\n  - b\n c: d", "a:\n  b: 1\n c: 2",
    ]
    return [document for document in dict.fromkeys(documents) if document.strip()]


def record_errors():
    blocks = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.yaml")
        for document in errors():
            with open(path, "w", encoding="utf-8", newline="") as out:
                out.write(document)
            _, error = kubectl(path, "json")
            prefix = f"error: error parsing {path}: "
            if error and error.startswith(prefix):
                message = error.removeprefix(prefix).removeprefix("error converting YAML to JSON: ")
                # That comes out of the JSON which the YAML gave.
                if not message.startswith(("json: cannot unmarshal", "json: offset", "error unmarshaling JSON", "invalid Yaml document separator")):
                    blocks.append((document, message))
    with open(os.path.join(HERE, "errors.kubectl.txt"), "w", encoding="utf-8", newline="") as out:
        for document, message in blocks:
            out.write(f"{message}\x1e{document}\x1d")
    print(len(blocks), "errors")


def record_creates():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key", "-out", f"{folder}/cert", "-days", "1", "-subj", "/CN=x"],
            check=True, capture_output=True)
        pairs = []
        for line in CREATES:
            for index, flag in enumerate(["", " --namespace=other"]):
                command = "kubectl create " + line.replace("CERT", f"{folder}/cert").replace("KEY", f"{folder}/key")
                command = command.replace(" -- ", f" --dry-run=client{flag} -o FORMAT -- ") if " -- " in command else command + f" --dry-run=client{flag} -o FORMAT"
                answers = []
                for output in ("json", "yaml"):
                    done = subprocess.run(["bash", "-c", "set -f; " + command.replace("FORMAT", output)], capture_output=True)
                    answers.append(done.stdout if done.returncode == 0 else None)
                if all(answers):
                    pairs.append((compact(answers[0]), answers[1]))
        for image in ["nginx", "busybox"]:
            for extra in ["", "--labels=a=b,c=d --env=X=1 --env=Y='two words'", "--command -- sleep 1d", "--port=80 --expose"]:
                answers = [subprocess.run(["bash", "-c", f"kubectl run p --image={image} --dry-run=client -o {output} {extra}"], capture_output=True).stdout for output in ("json", "yaml")]
                if all(answers) and b"\n}\n{" not in answers[0]:
                    pairs.append((compact(answers[0]), answers[1]))
    with open(os.path.join(HERE, "manifests.kubectl.txt"), "wb") as out:
        for first, second in pairs:
            out.write(first + b"\x1e" + second + b"\x1d")
    print(len(pairs), "manifests")


def main():
    # kubectl reads the JSON of these once more, as 64-bit integers or floating-point numbers.
    exact = [text for text in PLAIN if text not in ("-0.0", "9223372036854775808")]
    plain = "".join(f"- {text}\n" for text in exact if not_error(f"a:\n- {text}\n"))
    record("plain", HEAD + "spec:\n" + plain)
    flow = ", ".join(text for text in exact if not set(text) & set(",?[]{}:") and not_error(f"a: [{text}]\n"))
    record("flow", HEAD + f"spec: [{flow}]\n")
    tagged, item = "", ""
    for line in TAGGED.strip().splitlines() + ["\0"]:
        if item and not line.startswith(" "):
            tagged += f"- {item}\n" if not_error(f"a:\n- {item}\n") else ""
            item = ""
        item += ("\n  " if item else "") + line
    record("tagged", HEAD + "spec:\n" + tagged)
    indented = "".join("  " + line + "\n" if line else "\n" for line in STYLES.strip("\n").split("\n"))
    record("styles", HEAD + "spec:\n" + indented)
    texts = strings()
    record_object("strings", {"values": texts})
    # goyaml reads its own JSON as YAML, where a key has at most 1024 characters.
    short = [text for text in texts if len(json.dumps(text)) < 900 and text != "<<"]
    record_object("keys", {text: index for index, text in enumerate(short)})
    # goyaml's order of keys has cycles (a1b < a2b < a10b < a1b); with such keys the outcome is random.
    ordinary = ["name", "Name", "_name", "app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "app-1", "app-2", "app-10", "app2", "app10",
                "app_x", "a", "A", "aB", "ab", "a1b", "b", "z", "Z", "é", "zé", "x/y", "x.y", "x-y", "x", "node01", "node1", "node001", "node10",
                "v1", "v1beta1", "v1beta2", "v1beta10", "v2", "日本", "-", ".", "limits", "requests", "hugepages-2Mi", "hugepages-1Gi"]
    record_object("order", {key: index for index, key in enumerate(ordinary)})
    record_object("deep-strings", {"a": {"b": [[{"c": texts[:400]}]]}})
    random.seed(11)
    for index in range(5):
        record_object(f"nested{index}", {"root": [nested(6) for _ in range(8)]})
    record_creates()
    record_errors()


def not_error(document):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as out:
        out.write(HEAD + document)
        out.flush()
        return kubectl(out.name, "json")[1] is None


if __name__ == "__main__":
    main()
