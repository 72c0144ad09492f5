# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The schema files of proto/ as Python message classes, with their apus options."""

import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Failure(Exception):
    """The tests cannot run."""


class FieldRules:
    """What the tests need of a field beside its descriptor."""

    __slots__ = ("always", "name", "number", "field", "repeated", "map", "message", "packed",
                 "presence", "key", "value", "oneof")

    def __init__(self, field, always):
        self.field = field
        self.name = field.name
        self.number = field.number
        self.always = always
        self.repeated = field.is_repeated
        entry = field.message_type
        self.map = self.repeated and entry is not None and entry.GetOptions().map_entry
        self.message = None if self.map else entry
        self.packed = field.is_packed
        self.presence = field.has_presence
        self.oneof = field.containing_oneof
        self.key = entry.fields_by_name["key"] if self.map else None
        self.value = entry.fields_by_name["value"] if self.map else None


class Schemas:
    """All message types of the schema files."""

    def __init__(self, proto=ROOT / "proto"):
        files = sorted(str(p) for p in proto.rglob("*.proto"))
        if not files:
            raise Failure(f"no .proto files in {proto}")
        with tempfile.TemporaryDirectory() as directory:
            out = pathlib.Path(directory) / "set.bin"
            run = subprocess.run(
                [sys.executable, "-m", "grpc_tools.protoc", f"-I{proto}", "--include_imports",
                 f"--descriptor_set_out={out}", *files], capture_output=True, text=True)
            if run.returncode != 0:
                raise Failure("protoc rejects the schema files:\n" + run.stderr)
            data = out.read_bytes()
        plain = descriptor_pb2.FileDescriptorSet.FromString(data)
        pool = descriptor_pool.DescriptorPool()
        for file in plain.file:
            pool.AddSerializedFile(file.SerializeToString())
        self.classes = message_factory.GetMessageClassesForFiles(
            [f.name for f in plain.file], pool)
        # The options are extensions: only a descriptor parsed in this pool knows them.
        options = message_factory.GetMessageClass(
            pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")).FromString(data)
        field_rules = pool.FindExtensionByName("apus.field")
        message_rules = pool.FindExtensionByName("apus.message")
        file_rules = pool.FindExtensionByName("apus.file")
        forms = message_rules.message_type.fields_by_name["json_form"].enum_type
        dialects = file_rules.message_type.fields_by_name["json"].enum_type
        self.names, self.forms, self.drops, self.dialects = [], {}, {}, {}
        self.fields = {}
        always = set()

        def add(message, scope, file, ours):
            name = f"{scope}.{message.name}"
            if ours:
                self.names.append(name)
            rules = message.options.Extensions[message_rules]
            self.forms[name] = forms.values_by_number[rules.json_form].name
            of_file = file.options.Extensions[file_rules]
            self.drops[name] = of_file.drop_unknown
            self.dialects[name] = dialects.values_by_number[of_file.json].name
            for field in message.field:
                if field.options.Extensions[field_rules].value:
                    always.add((name, field.name))
            for nested in message.nested_type:
                if not nested.options.map_entry:
                    add(nested, name, file, ours)

        for file in options.file:
            ours = not file.name.startswith("google/protobuf/")
            for message in file.message_type:
                add(message, file.package, file, ours)
        for name in self.forms:
            descriptor = pool.FindMessageTypeByName(name)
            self.fields[name] = [
                FieldRules(f, (name, f.name) in always)
                for f in sorted(descriptor.fields, key=lambda f: f.number)]

    def new(self, name):
        return message_class(self.classes, name)()


def message_class(classes, name):
    try:
        return classes[name]
    except KeyError:  # a nested message
        scope, _, last = name.rpartition(".")
        return getattr(message_class(classes, scope), last)
