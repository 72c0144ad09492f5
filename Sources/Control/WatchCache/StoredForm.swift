// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
package import JSON
import KubernetesAPI
package import ObjectModel
package import Protobuf
package import ResourceTable

/// How the objects of a resource lie in the store, and what of them can be selected.
package struct StoredForm: Sendable {
    /// The type that the server works with: that of the stored messages.
    package let schema: MessageSchema
    /// The type whose name and version stand in the store, which may have another version and the
    /// same fields.
    package let storedSchema: MessageSchema
    package let encoding: APIResource.Storage.Encoding
    package let fields: SelectableFields?

    package init(
        schema: MessageSchema,
        storedSchema: MessageSchema,
        encoding: APIResource.Storage.Encoding,
        fields: SelectableFields?
    ) {
        self.schema = schema
        self.storedSchema = storedSchema
        self.encoding = encoding
        self.fields = fields
    }

    /// The message in a stored value; nil when there is none.
    ///
    /// Values are told apart by their first bytes, whatever the resource is stored as now.
    package func message(_ value: Bytes) -> Bytes? {
        value.withUnsafeBytes { bytes -> Bytes? in
            if Envelope.isPresent(in: bytes) {
                return (try? Envelope.open(bytes))?.raw
            }
            guard bytes.first == UInt8(ascii: "{") else { return nil }
            let decoded = try? APIObject.decode(json: bytes, as: self.schema, validation: .ignore)
            return decoded?.message.withSerializedBytes { Bytes(copying: $0) }
        }
    }

    /// The stored value of an object, whose `resourceVersion` is left out.
    package func value(of object: APIObject) throws(JSONEncodingError) -> Bytes {
        switch self.encoding {
        case .protobuf:
            Bytes(
                object.withSerializedBytes { Envelope.seal(raw: $0, TypeMeta(self.storedSchema)) }
            )
        case .json:
            Bytes(try object.json())
        }
    }
}

/// The fields of a resource that field selectors may name, beside name and namespace.
package struct SelectableFields: Sendable {
    package let names: [String]
    /// Names that stand for another one.
    package let aliases: [String: String]
    /// The values of an object, in the order of the names.
    package let values: @Sendable (APIObject) -> [String]
    /// The index of the field that watchers of single nodes ask for.
    package let trigger: Int?

    package init(
        _ names: [String],
        aliases: [String: String] = [:],
        trigger: String? = nil,
        _ values: @escaping @Sendable (APIObject) -> [String]
    ) {
        self.names = names
        self.aliases = aliases
        self.trigger = trigger.flatMap { names.firstIndex(of: $0) }
        self.values = values
    }

    /// The place of a field; nil when it cannot be selected.
    package func index(of name: String) -> Int? {
        self.names.firstIndex(of: self.aliases[name] ?? name)
    }
}
