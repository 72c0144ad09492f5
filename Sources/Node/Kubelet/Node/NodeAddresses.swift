// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeHost
import Synchronization

/// The addresses of this node: those that were given, or that of the default route, which may
/// change while the kubelet runs.
final class NodeAddresses: Sendable {
    private static let unknown = "127.0.0.1"

    private let isFixed: Bool
    private let detect: @Sendable () -> String?
    private let addresses: Mutex<[String]>

    /// - Parameters:
    ///   - fixed: empty to find them. Blocks for a moment then.
    ///   - detect: finds the node's address; nil when it has none for now.
    init(
        fixed: [String],
        detect: @escaping @Sendable () -> String? = { HostInfo.address() }
    ) {
        self.isFixed = !fixed.isEmpty
        self.detect = detect
        self.addresses = Mutex(fixed.isEmpty ? [detect() ?? Self.unknown] : fixed)
    }

    /// The addresses, the first one first.
    var all: [String] { self.addresses.withLock { $0 } }

    /// Looks again. An address that is gone stays until there is another. Blocks for a moment.
    ///
    /// - Returns: whether they are others than before.
    func refresh() -> Bool {
        guard !self.isFixed, let address = self.detect() else { return false }
        return self.addresses.withLock { addresses in
            if addresses == [address] { return false }
            addresses = [address]
            return true
        }
    }
}
