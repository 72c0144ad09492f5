// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The defaults that the schema files state in words, as functions on the generated types.
///
/// A rule names the fields it covers; the schema file says the same in `assign`, `value` and `when`.
/// A worded rule that no function covers stops the program when its plan is compiled, and a test
/// compiles all plans.
enum TypedRules {
    /// The rules of a message type, by its full name.
    static func rules(for message: String) -> [TypedRule] {
        self.all[message] ?? []
    }

    // SAFETY: built once; the functions in it capture nothing.
    nonisolated(unsafe) private static let all: [String: [TypedRule]] = {
        var all: [String: [TypedRule]] = [:]
        for table in [
            TypedRules.core, TypedRules.workloads, TypedRules.policies, TypedRules.devices,
        ] {
            all.merge(table) { $0 + $1 }
        }
        return all
    }()
}
