// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

/// Writes a document of version 2 as the protobuf messages of gnostic, which Go clients read.
///
/// Source: google/gnostic `openapiv2/OpenAPIv2.proto`.
enum GnosticEncoder {
    /// Bytes of a message that grows field by field.
    private struct Message {
        var bytes: [UInt8] = []

        private mutating func varint(_ number: UInt64) {
            var number = number
            while number >= 0x80 {
                self.bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
                number >>= 7
            }
            self.bytes.append(UInt8(number))
        }

        mutating func add(_ field: UInt64, _ content: [UInt8]) {
            self.varint(field << 3 | 2)
            self.varint(UInt64(content.count))
            self.bytes += content
        }

        mutating func add(_ field: UInt64, _ message: Message) { self.add(field, message.bytes) }

        /// Adds a text that is not empty.
        mutating func add(_ field: UInt64, _ text: DynamicValue?) {
            guard let text = text?.string, !text.isEmpty else { return }
            self.add(field, Array(text.utf8))
        }

        /// Adds the texts of a list.
        mutating func addAll(_ field: UInt64, _ list: DynamicValue?) {
            for item in list?.items ?? DynamicValue.emptyList.items {
                self.add(field, Array((item.string ?? "").utf8))
            }
        }

        mutating func add(_ field: UInt64, flag: DynamicValue?) {
            guard flag?.bool == true else { return }
            self.varint(field << 3)
            self.varint(1)
        }

        /// Adds the members of an object as pairs of name and value.
        mutating func addNamed(
            _ field: UInt64,
            _ object: DynamicValue?,
            _ encode: (DynamicValue) -> Message
        ) {
            for (name, value) in object?.entries ?? DynamicValue.emptyObject.entries {
                var pair = Message()
                pair.add(1, Array(name.utf8))
                pair.add(2, encode(value))
                self.add(field, pair)
            }
        }

        /// Adds the extensions of an object.
        mutating func addExtensions(_ field: UInt64, _ object: DynamicValue) {
            for (name, value) in object.entries where name.hasPrefix("x-") {
                var pair = Message()
                pair.add(1, Array(name.utf8))
                pair.add(2, GnosticEncoder.any(value))
                self.add(field, pair)
            }
        }
    }

    static func encode(_ document: DynamicValue) -> [UInt8] {
        var message = Message()
        message.add(1, document["swagger"])
        var info = Message()
        info.add(1, document["info"]?["title"])
        info.add(2, document["info"]?["version"])
        message.add(2, info)
        var paths = Message()
        paths.addNamed(2, document["paths"], Self.pathItem)
        message.add(8, paths)
        var definitions = Message()
        definitions.addNamed(1, document["definitions"], Self.schema)
        message.add(9, definitions)
        for requirement in document["security"]?.items ?? DynamicValue.emptyList.items {
            var security = Message()
            security.addNamed(1, requirement) { scopes in
                var list = Message()
                list.addAll(1, scopes)
                return list
            }
            message.add(12, security)
        }
        var schemes = Message()
        schemes.addNamed(1, document["securityDefinitions"]) { scheme in
            var key = Message()
            key.add(1, scheme["type"])
            key.add(2, scheme["name"])
            key.add(3, scheme["in"])
            key.add(4, scheme["description"])
            var item = Message()
            item.add(2, key)
            return item
        }
        message.add(13, schemes)
        return message.bytes
    }

    /// Any value, as YAML, which JSON is.
    private static func any(_ value: DynamicValue) -> Message {
        var any = Message()
        any.add(2, value.json() + [UInt8(ascii: "\n")])
        return any
    }

    // MARK: - Paths

    private static func pathItem(_ item: DynamicValue) -> Message {
        var message = Message()
        for (field, method) in [
            (2, "get"), (3, "put"), (4, "post"), (5, "delete"), (6, "options"), (7, "head"),
            (8, "patch"),
        ] as [(UInt64, String)] {
            if let operation = item[method] { message.add(field, self.operation(operation)) }
        }
        self.addParameters(9, item["parameters"], to: &message)
        message.addExtensions(10, item)
        return message
    }

    private static func operation(_ operation: DynamicValue) -> Message {
        var message = Message()
        message.addAll(1, operation["tags"])
        message.add(3, operation["description"])
        message.add(5, operation["operationId"])
        message.addAll(6, operation["produces"])
        message.addAll(7, operation["consumes"])
        self.addParameters(8, operation["parameters"], to: &message)
        var responses = Message()
        responses.addNamed(1, operation["responses"]) { response in
            var content = Message()
            content.add(1, response["description"])
            if let schema = response["schema"] {
                var item = Message()
                item.add(1, self.schema(schema))
                content.add(2, item)
            }
            var value = Message()
            value.add(1, content)
            return value
        }
        message.add(9, responses)
        message.addAll(10, operation["schemes"])
        message.addExtensions(13, operation)
        return message
    }

    private static func addParameters(
        _ field: UInt64,
        _ parameters: DynamicValue?,
        to message: inout Message
    ) {
        for parameter in parameters?.items ?? DynamicValue.emptyList.items {
            var choice = Message()
            switch parameter["in"]?.string {
            case "body": choice.add(1, self.bodyParameter(parameter))
            case "path":
                var other = Message()
                other.add(4, self.plainParameter(parameter, typeField: 5, uniqueField: 19))
                choice.add(2, other)
            default:
                var other = Message()
                other.add(3, self.plainParameter(parameter, typeField: 6, uniqueField: 20))
                choice.add(2, other)
            }
            var item = Message()
            item.add(1, choice)
            message.add(field, item)
        }
    }

    private static func bodyParameter(_ parameter: DynamicValue) -> Message {
        var message = Message()
        message.add(1, parameter["description"])
        message.add(2, parameter["name"])
        message.add(3, parameter["in"])
        message.add(4, flag: parameter["required"])
        if let schema = parameter["schema"] { message.add(5, self.schema(schema)) }
        return message
    }

    private static func plainParameter(
        _ parameter: DynamicValue,
        typeField: UInt64,
        uniqueField: UInt64
    ) -> Message {
        var message = Message()
        message.add(1, flag: parameter["required"])
        message.add(2, parameter["in"])
        message.add(3, parameter["description"])
        message.add(4, parameter["name"])
        message.add(typeField, parameter["type"])
        message.add(uniqueField, flag: parameter["uniqueItems"])
        return message
    }

    // MARK: - Schemas

    private static func schema(_ schema: DynamicValue) -> Message {
        var message = Message()
        message.add(1, schema["$ref"])
        message.add(2, schema["format"])
        message.add(4, schema["description"])
        message.addAll(19, schema["required"])
        for value in schema["enum"]?.items ?? DynamicValue.emptyList.items {
            message.add(20, self.any(value))
        }
        if let additional = schema["additionalProperties"] {
            var item = Message()
            item.add(1, self.schema(additional))
            message.add(21, item)
        }
        if let type = schema["type"] {
            var item = Message()
            item.add(1, type)
            message.add(22, item)
        }
        if let items = schema["items"] {
            var item = Message()
            item.add(1, self.schema(items))
            message.add(23, item)
        }
        if let properties = schema["properties"] {
            var list = Message()
            list.addNamed(1, properties, self.schema)
            message.add(25, list)
        }
        message.addExtensions(31, schema)
        return message
    }
}
