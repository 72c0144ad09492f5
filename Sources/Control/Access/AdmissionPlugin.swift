// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ObjectModel
public import ResourceTable

/// Changes or refuses what is written.
///
/// After authorization and defaulting, a write is first given to all plugins' ``admit(_:)`` in the
/// order of the chain, then validated, then given to all plugins' ``validate(_:)``. A plugin that
/// does one of both leaves the other.
public protocol AdmissionPlugin: Sendable {
    /// The name in `--enable-admission-plugins`.
    var name: String { get }

    /// Whether the plugin wants to see such requests. Asked once for each kind of request; what
    /// depends on the object is decided in the calls.
    func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool

    /// Changes the object of a request.
    /// - Throws: the refusal that the client gets.
    func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError)

    /// Checks a request whose object no longer changes; only warnings and notes may be added.
    /// - Throws: the refusal that the client gets.
    func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError)
}

extension AdmissionPlugin {
    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {}
    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {}
}
