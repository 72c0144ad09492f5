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
            if Envelope.isPresent(in: bytes) { return Envelope.raw(in: value) }
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
