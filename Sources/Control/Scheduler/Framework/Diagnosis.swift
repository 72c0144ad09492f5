// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a pod found no node: what each node was refused for.
package struct Diagnosis {
    /// A node that was refused.
    package struct Refusal {
        package let row: Int
        package let plugin: PluginName
        package let rejection: Rejection
    }

    /// How many nodes there are.
    package var nodeCount: Int
    package var refusals: [Refusal] = []
    /// What holds for all the nodes that no refusal names.
    package var others: Rejection?
    /// The reason for which no node was looked at.
    package var overall: Rejection?
    /// The plugins whose refusals must end before the pod can be scheduled.
    package var plugins: PluginNames = []
    /// What preemption had to say.
    package var postFilterMessage = ""

    package init(nodeCount: Int) {
        self.nodeCount = nodeCount
    }

    /// The text of events and conditions.
    ///
    /// Source: upstream `pkg/scheduler/framework/types.go`, FitError.
    package var message: String {
        var message = "0/\(self.nodeCount) nodes are available:"
        if let overall {
            message += " \(overall.reasons.joined(separator: ", "))."
        } else {
            let reasons = self.countedReasons
            if !reasons.isEmpty { message += " \(reasons.joined(separator: ", "))." }
        }
        if !self.postFilterMessage.isEmpty { message += " \(self.postFilterMessage)" }
        return message
    }

    /// The reasons, each with the number of nodes that have it, in the order of the texts.
    private var countedReasons: [String] {
        var counts: [String: Int] = [:]
        for refusal in self.refusals {
            for reason in refusal.rejection.reasons { counts[reason, default: 0] += 1 }
        }
        let rest = self.nodeCount - self.refusals.count
        if rest > 0, let others {
            for reason in others.reasons { counts[reason, default: 0] += rest }
        }
        return counts.map { "\($0.value) \($0.key)" }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
