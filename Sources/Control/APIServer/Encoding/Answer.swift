// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import WatchCache

/// An object that goes out, in its resource's hub version.
enum Answer: Sendable {
    /// As the cache has it: its bytes are ready.
    case cached(CachedObject)
    case object(APIObject)
}

/// Makes the encodings of a served version's objects.
struct ObjectEncoder: Sendable {
    let entry: Registry.Entry

    /// The object in the served version.
    func object(_ answer: Answer) throws(StatusError) -> APIObject {
        switch answer {
        case .cached(let cached): self.entry.version.fromHub(try self.entry.store.decode(cached))
        case .object(let object): self.entry.version.fromHub(object)
        }
    }

    /// The message, without envelope.
    func message(_ answer: Answer) throws(StatusError) -> Bytes {
        if case .cached(let cached) = answer, self.entry.version.isHub { return cached.message }
        return try self.object(answer).withSerializedBytes { Bytes(copying: $0) }
    }

    /// The JSON, with kind and version and without a line end.
    func json(_ answer: Answer) throws(StatusError) -> Bytes {
        if case .cached(let cached) = answer, self.entry.version.isHub {
            return try cached.json { () throws(StatusError) in
                try Self.json(try self.entry.store.decode(cached))
            }
        }
        return Bytes(try Self.json(try self.object(answer)))
    }

    static func json(_ object: APIObject) throws(StatusError) -> [UInt8] {
        do throws(JSONEncodingError) {
            return try object.json()
        } catch {
            throw .internalError("unable to encode the object: \(error)")
        }
    }

    /// The metadata alone.
    func metadata(_ answer: Answer) throws(StatusError) -> MetaV1.PartialObjectMetadata {
        let metadata = try self.object(answer).metadata
        return MetaV1.PartialObjectMetadata.with { $0.metadata = metadata }
    }
}
