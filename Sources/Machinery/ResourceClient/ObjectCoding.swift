// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf

/// Objects to bytes and back, as the Resources service carries them.
enum ObjectCoding {
    /// An object to send.
    static func object<Object: Message>(_ message: Object) -> ApusResource.Object {
        message.withSerializedBytes { bytes in
            ApusResource.Object.with {
                $0.encoding = .protobuf
                $0.body = Bytes(copying: bytes)
            }
        }
    }

    /// An object that came.
    static func decode<Object: Message>(
        _ object: ApusResource.Object?,
        as type: Object.Type = Object.self
    ) throws(StatusError) -> Object {
        guard let object else { throw .internalError("the answer has no object") }
        return try self.decode(object.body, object.encoding)
    }

    static func decode<Object: Message>(
        _ body: Bytes,
        _ encoding: ApusResource.Encoding,
        as type: Object.Type = Object.self
    ) throws(StatusError) -> Object {
        do {
            if encoding == .json {
                return try body.withUnsafeBytes { bytes in
                    try Object.decode(json: bytes, validation: .ignore).message
                }
            }
            return try Object(serialized: body)
        } catch {
            throw .internalError("\(Object.schema.name) cannot be decoded: \(error)")
        }
    }
}
