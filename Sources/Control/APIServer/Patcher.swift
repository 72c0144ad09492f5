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
        let untouched = self.untouchedParts(of: object.schema)
        var touched = object
        for part in untouched { touched.clearPart(part) }
        let document: DynamicValue
        do throws(JSONEncodingError) {
            document = try touched.dynamicValue()
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
            var decoded = try BodyDecoder.decodeTree(patched, as: object.schema, validation)
            for part in untouched { decoded.object.copyPart(part, from: object) }
            return decoded
        } catch {
            throw self.unreadable(error)
        }
    }

    /// The parts of an object, such as its spec, that the patch says nothing about: they are not
    /// made into trees and back. A merge patch names what it changes from the object's keys on;
    /// directives there, and patches of other types, may concern all of it.
    private func untouchedParts(of schema: MessageSchema) -> [String] {
        guard self.type == .merge || self.type == .strategicMerge, self.patch.kind == .object,
            !self.patch.entries.contains(where: { $0.key.hasPrefix("$") })
        else { return [] }
        return schema.fields.filter { field in
            !field.isRepeated && !field.isMap && !field.isInline && !field.jsonName.isEmpty
                && field.message != nil && self.patch[field.jsonName] == nil
        }.map(\.name)
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
