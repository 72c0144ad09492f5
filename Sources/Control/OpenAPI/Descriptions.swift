// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf

/// What the schema files say of messages and fields, in words, for `kubectl explain`.
enum Descriptions {
    /// By the name of a message, or of a message and a field with a dot between.
    private static let all: [String: Substring] = {
        var all: [String: Substring] = [:]
        var message: Substring = ""
        for line in Self.text.split(separator: "\n") {
            let isField = line.first == " "
            let words = isField ? line.dropFirst() : line
            let name = words.prefix { $0 != " " }
            if !isField { message = name }
            let description = words.dropFirst(name.count + 1)
            if description.isEmpty { continue }
            all[isField ? "\(message).\(name)" : String(name)] = description
        }
        return all
    }()

    /// Differs when a description does.
    static let hash = DocumentHash(of: [Bytes(utf8: Descriptions.text)]).text

    static func of(_ schema: MessageSchema) -> String? {
        self.all[schema.fullName].map(String.init)
    }

    static func of(_ field: FieldSchema, in schema: MessageSchema) -> String? {
        self.all["\(schema.fullName).\(field.name)"].map(String.init)
    }
}
