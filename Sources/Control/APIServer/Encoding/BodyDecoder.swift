// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import MediaTypes
import NameRules
import ObjectModel
import Protobuf
import RequestInfo
import ResourceTable
import YAML

/// An object as it came in a request.
struct RequestBody: Sendable {
    var bytes: Bytes
    /// The encoding; nil for the bare message of the expected kind.
    var mediaType: MediaType?
}

/// An object that was read from a request.
struct DecodedBody: Sendable {
    var object: APIObject
    /// What its sender should know.
    var warnings: [String] = []
}

/// Reads objects from requests.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/create.go` and `rest.go`
/// (transformDecodeError).
enum BodyDecoder {
    /// Reads an object of the expected type.
    static func decode(
        _ body: RequestBody,
        as schema: MessageSchema,
        _ validation: BodyValidation
    ) throws(StatusError) -> DecodedBody {
        switch body.mediaType {
        case nil:
            return try self.message(body.bytes, TypeMeta(), schema)
        case .protobuf:
            let content: Envelope.Content
            do throws(Envelope.Failure) {
                content = try Envelope.open(body.bytes)
            } catch {
                throw self.unrecognized("\(error)", body.bytes, schema)
            }
            return try self.message(content.raw, content.typeMeta, schema)
        case .json:
            return try body.bytes.withUnsafeBytes { (bytes) throws(StatusError) in
                try self.json(bytes, schema, validation, original: body.bytes)
            }
        case .yaml:
            return try self.yaml(body.bytes, schema, validation)
        }
    }

    private static func message(
        _ bytes: Bytes,
        _ typeMeta: TypeMeta,
        _ schema: MessageSchema
    ) throws(StatusError) -> DecodedBody {
        try self.check(typeMeta, schema)
        do throws(DecodingError) {
            let object = try bytes.withUnsafeBytes { (bytes) throws(DecodingError) in
                try APIObject(serialized: bytes, as: schema)
            }
            return DecodedBody(object: object)
        } catch {
            throw self.cannotBeHandled(typeMeta, schema, "\(error)")
        }
    }

    private static func json(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ validation: BodyValidation,
        original: Bytes,
        duplicates: [String] = []
    ) throws(StatusError) -> DecodedBody {
        let decoded: DecodedJSON<APIObject>
        do throws(JSONError) {
            decoded = try APIObject.decode(
                json: bytes,
                as: schema,
                validation: validation == .ignore ? .ignore : .warn
            )
        } catch {
            throw self.failure(error, schema, original)
        }
        try self.check(decoded.typeMeta, schema)
        let problems = duplicates + decoded.problems
        if validation == .strict, !problems.isEmpty {
            throw self.cannotBeHandled(
                decoded.typeMeta,
                schema,
                "strict decoding error: " + problems.joined(separator: ", ")
            )
        }
        return DecodedBody(
            object: decoded.message,
            warnings: validation == .warn ? problems : []
        )
    }

    private static func yaml(
        _ body: Bytes,
        _ schema: MessageSchema,
        _ validation: BodyValidation
    ) throws(StatusError) -> DecodedBody {
        let conversion: YAML.Conversion
        do throws(YAMLError) {
            conversion = try YAML.convert([UInt8](body))
        } catch {
            throw self.unrecognized("\(error)", body, schema)
        }
        let duplicates =
            validation == .ignore ? [] : conversion.duplicateKeys.map { "yaml: \($0)" }
        return try conversion.json.withUnsafeBytes { bytes in
            Result { () throws(StatusError) in
                try self.json(
                    bytes,
                    schema,
                    validation,
                    original: body,
                    duplicates: duplicates
                )
            }
        }.get()
    }

    /// Why a tree is no object.
    struct TreeFailure: Error {
        let reason: String
    }

    /// Reads a tree that a patch has made; what is wrong is said of the tree, not of a request's
    /// body.
    static func decodeTree(
        _ tree: DynamicValue,
        as schema: MessageSchema,
        _ validation: BodyValidation
    ) throws(TreeFailure) -> DecodedBody {
        let decoded: DecodedJSON<APIObject>
        do throws(JSONError) {
            decoded = try tree.json().withUnsafeBytes { bytes in
                Result { () throws(JSONError) in
                    try APIObject.decode(
                        json: bytes,
                        as: schema,
                        validation: validation == .ignore ? .ignore : .warn
                    )
                }
            }.get()
        } catch {
            throw TreeFailure(reason: "\(error)")
        }
        do throws(StatusError) {
            try self.check(decoded.typeMeta, schema)
        } catch {
            throw TreeFailure(reason: error.message)
        }
        if validation == .strict, !decoded.problems.isEmpty {
            throw TreeFailure(
                reason: "strict decoding error: " + decoded.problems.joined(separator: ", ")
            )
        }
        return DecodedBody(
            object: decoded.message,
            warnings: validation == .warn ? decoded.problems : []
        )
    }

    /// Reads a tree, such as a patched object.
    static func decode(
        _ tree: DynamicValue,
        as schema: MessageSchema,
        _ validation: BodyValidation
    ) throws(StatusError) -> DecodedBody {
        let json = tree.json()
        return try json.withUnsafeBytes { bytes in
            Result { () throws(StatusError) in
                try self.json(bytes, schema, validation, original: Bytes(copying: bytes))
            }
        }.get()
    }

    /// Reads JSON or YAML of a type that belongs to every group, such as DeleteOptions.
    static func decodeAnyVersion(
        _ body: RequestBody,
        as schema: MessageSchema
    ) throws(StatusError) -> (APIObject, TypeMeta) {
        do {
            let json =
                body.mediaType == .yaml
                ? try YAML.json(from: [UInt8](body.bytes)) : [UInt8](body.bytes)
            return try json.withUnsafeBytes { bytes in
                let decoded = try APIObject.decode(json: bytes, as: schema, validation: .ignore)
                return (decoded.message, decoded.typeMeta)
            }
        } catch {
            throw self.unrecognized("\(error)", body.bytes, schema)
        }
    }

    // MARK: - Failures

    /// Refuses an object of another kind or version than the path says.
    static func check(_ typeMeta: TypeMeta, _ schema: MessageSchema) throws(StatusError) {
        let expected = TypeMeta(schema)
        if !typeMeta.apiVersion.isEmpty, typeMeta.apiVersion != expected.apiVersion {
            throw .badRequest(
                "the API version in the data (\(typeMeta.apiVersion)) does not match the expected "
                    + "API version (\(expected.apiVersion))"
            )
        }
        if !typeMeta.kind.isEmpty, typeMeta.kind != expected.kind {
            throw self.cannotBeHandled(
                typeMeta,
                schema,
                "the kind in the data (\(typeMeta.kind)) does not match the expected kind "
                    + "(\(expected.kind))"
            )
        }
    }

    private static func cannotBeHandled(
        _ typeMeta: TypeMeta,
        _ schema: MessageSchema,
        _ why: String
    ) -> StatusError {
        let expected = TypeMeta(schema)
        let kind = typeMeta.kind.isEmpty ? expected.kind : typeMeta.kind
        let version = GroupVersionKind(
            apiVersion: typeMeta.apiVersion.isEmpty ? expected.apiVersion : typeMeta.apiVersion,
            kind: kind
        ).version
        return .badRequest(
            "\(kind) in version \"\(version)\" cannot be handled as a \(expected.kind): \(why)"
        )
    }

    private static func failure(
        _ error: JSONError,
        _ schema: MessageSchema,
        _ body: Bytes
    ) -> StatusError {
        switch error {
        case .wrongType, .invalidValue, .wrongKind:
            return self.cannotBeHandled(TypeMeta(), schema, "\(error)")
        default:
            return self.unrecognized("\(error)", body, schema)
        }
    }

    private static let summaryBytes = 30

    private static func unrecognized(
        _ why: String,
        _ body: Bytes,
        _ schema: MessageSchema
    ) -> StatusError {
        let start = body.prefix(self.summaryBytes)
        let isText = start.first == UInt8(ascii: "{")
        let summary =
            if body.isEmpty {
                "<empty>"
            } else if isText {
                body.count > self.summaryBytes
                    ? String(decoding: start, as: UTF8.self) + " ..."
                    : String(decoding: start, as: UTF8.self)
            } else {
                start.map { byte in
                    (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }.joined() + (body.count > self.summaryBytes ? " ..." : "")
            }
        return .badRequest(
            "the object provided is unrecognized (must be of type \(schema.name)): \(why) "
                + "(\(summary))"
        )
    }
}
