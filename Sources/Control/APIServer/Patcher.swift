// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import MediaTypes
import NameRules
import ObjectModel
import Patches
import Protobuf
import RequestInfo
import YAML

/// A patch that has been read.
struct Patcher: Sendable {
    private let type: PatchType
    private let patch: DynamicValue

    /// Reads a patch.
    init(_ type: PatchType, _ body: Bytes) throws(StatusError) {
        self.type = type
        do {
            let json =
                type == .apply
                ? try YAML.json(from: [UInt8](body), duplicateKeys: .refused) : [UInt8](body)
            self.patch = try DynamicValue(json: json)
        } catch {
            throw .badRequest("error decoding patch: \(error)")
        }
    }

    /// The configuration of a server-side apply.
    var configuration: DynamicValue { self.patch }

    /// The object with the patch applied, and the unknown fields that it has then.
    func apply(
        to object: APIObject,
        _ validation: BodyValidation
    ) throws(StatusError) -> DecodedBody {
        let document: DynamicValue
        do throws(JSONEncodingError) {
            document = try object.dynamicValue()
        } catch {
            throw .internalError("unable to encode the object: \(error)")
        }
        let patched: DynamicValue
        do throws(PatchError) {
            switch self.type {
            case .json:
                patched = try JSONPatch.apply(self.patch, to: document)
            case .merge:
                patched = try MergePatch.apply(self.patch, to: document)
            case .strategicMerge:
                patched = try StrategicMergePatch.apply(
                    self.patch,
                    to: document,
                    schema: object.schema
                )
            case .apply:
                throw .malformed("a configuration is merged by its field manager")
            }
        } catch {
            throw error.statusError
        }
        do throws(BodyDecoder.TreeFailure) {
            return try BodyDecoder.decodeTree(patched, as: object.schema, validation)
        } catch {
            throw self.unreadable(error)
        }
    }

    /// The failure of a patch whose result is no object of the kind.
    ///
    /// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/patch.go`.
    private func unreadable(_ failure: BodyDecoder.TreeFailure) -> StatusError {
        var errors = FieldErrors()
        errors.invalid(
            at: "patch",
            .string(String(decoding: self.patch.json(), as: UTF8.self)),
            failure.reason
        )
        return .invalid(kind: "", group: "", name: "", errors)
    }
}
