// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ObjectModel
import ResourceTable
import Synchronization

/// The plugins in their order. Which of them a kind of request concerns is asked once and kept, so
/// that most requests pass none.
public final class AdmissionChain: Sendable {
    public let plugins: [any AdmissionPlugin]

    private struct Key: Hashable {
        var operation: AdmissionAttributes.Operation
        var resource: GroupResource
        var subresource: String
    }

    // Held for a look-up only; plugins are asked outside.
    private let concerned = Mutex<[Key: [Int]]>([:])
    /// The most kinds of requests that are kept; the table of resources has fewer.
    private static let maximumKinds = 4096

    public init(_ plugins: [any AdmissionPlugin]) {
        self.plugins = plugins
    }

    /// Runs the phase that changes objects.
    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        for index in self.plugins(for: attributes) {
            try await self.plugins[index].admit(&attributes)
        }
    }

    /// Runs the phase that only checks.
    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        for index in self.plugins(for: attributes) {
            try await self.plugins[index].validate(&attributes)
        }
    }

    private func plugins(for attributes: AdmissionAttributes) -> [Int] {
        let key = Key(
            operation: attributes.operation,
            resource: attributes.resource,
            subresource: attributes.subresource
        )
        if let known = self.concerned.withLock({ $0[key] }) { return known }
        let indices = self.plugins.indices.filter {
            self.plugins[$0].handles(
                key.operation,
                key.resource,
                subresource: key.subresource
            )
        }
        self.concerned.withLock { kinds in
            if kinds.count < Self.maximumKinds { kinds[key] = indices }
        }
        return indices
    }
}
