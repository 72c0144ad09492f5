// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How long kubelets may keep secrets and configuration that they have read: the longer, the more
/// nodes there are. Pure.
///
/// Source: upstream `pkg/controller/ttl/ttl_controller.go`.
package struct NodeTTL {
    /// A step of the ladder holds while the number of nodes is in its range. Ranges overlap, so that
    /// a node that comes and goes does not move all others to and fro.
    private struct Step {
        var least: Int
        var most: Int
        var seconds: Int
    }

    private static let steps: [Step] = [
        Step(least: 0, most: 100, seconds: 0),
        Step(least: 90, most: 500, seconds: 15),
        Step(least: 450, most: 1000, seconds: 30),
        Step(least: 900, most: 2000, seconds: 60),
        Step(least: 1800, most: 10_000, seconds: 300),
        Step(least: 9000, most: .max, seconds: 600),
    ]

    private var index = 0

    package init() {}

    package var seconds: Int { Self.steps[self.index].seconds }

    /// Follows the number of nodes.
    ///
    /// - Returns: whether the time has changed.
    package mutating func follow(_ count: Int) -> Bool {
        let before = self.index
        while count > Self.steps[self.index].most { self.index += 1 }
        while count < Self.steps[self.index].least { self.index -= 1 }
        return self.index != before
    }
}
