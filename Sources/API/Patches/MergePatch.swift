// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON

/// JSON merge patch (RFC 7386): members of the patch replace those of the document, `null` removes
/// them.
public enum MergePatch {
    /// Applies a patch to an object; the patch must be one too.
    public static func apply(
        _ patch: DynamicValue,
        to document: DynamicValue
    ) throws(PatchError) -> DynamicValue {
        guard patch.kind == .object else { throw .malformed("Invalid JSON Patch") }
        var result = document
        self.merge(patch, into: &result)
        return result
    }

    private static func merge(_ patch: DynamicValue, into target: inout DynamicValue) {
        guard patch.kind == .object else {
            target = patch
            return
        }
        if target.kind != .object { target = .emptyObject }
        for (key, value) in patch.entries {
            switch value.kind {
            case .null: target.removeValue(forKey: key)
            case .object: self.merge(value, intoMember: &target[key])
            case .bool, .integer, .double, .string, .list: target[key] = value
            }
        }
    }

    private static func merge(_ patch: DynamicValue, intoMember member: inout DynamicValue?) {
        // Taken out for the time of the change, so that its memory is referenced once.
        var value = member.take() ?? .emptyObject
        self.merge(patch, into: &value)
        member = value
    }
}
