// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Names of types that generated code uses from elsewhere.
///
/// They are written as they are, or with their module in front when the schema has a type or
/// namespace of that name, which Swift would find first.
struct RuntimeNames {
    /// Names that the schema takes.
    let taken: Set<String>

    /// A type of the standard library.
    func swift(_ name: String) -> String { self.qualified(name, "Swift") }

    /// A type of the message runtime.
    func protobuf(_ name: String) -> String { self.qualified(name, "Protobuf") }

    /// A type of the RPC layer.
    func rpc(_ name: String) -> String { self.qualified(name, "RPCInterface") }

    private func qualified(_ name: String, _ module: String) -> String {
        self.taken.contains(name) ? "\(module).\(name)" : name
    }
}
