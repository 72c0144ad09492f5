// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import Informers
package import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
import WorkQueues

/// Gives an aggregated ClusterRole the rules of those that its selectors match.
///
/// Watches: ClusterRoles. Writes: their rules. Promises: rules in the order of the roles' names, each
/// once.
package final class ClusterRoleAggregationController: Controller {
    package static let name = "clusterrole-aggregation-controller"

    private let loop: ReconcileLoop<String>
    private let roles: Informer<RbacV1.ClusterRole>
    private let client: Client<RbacV1.ClusterRole>

    package init(_ context: ControllerContext) {
        self.loop = ReconcileLoop(Self.name, context)
        self.roles = context.informer(of: RbacV1.ClusterRole.self)
        self.client = context.client()
        let queue = self.loop.queue
        let roles = self.roles
        roles.addHandler { event in
            if case .updated(let old, let new) = event, old.rules == new.rules,
                old.metadata.labels == new.metadata.labels,
                old.aggregationRule == new.aggregationRule
            {
                return
            }
            for role in roles.list() where role.aggregationRule != nil {
                queue.add(role.metadata.name)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 2) {
            await self.roles.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    /// The rules of an aggregated role; nil for one that is not. Pure.
    package static func rules(
        of role: RbacV1.ClusterRole,
        among roles: [RbacV1.ClusterRole]
    ) -> [RbacV1.PolicyRule]? {
        guard let aggregation = role.aggregationRule else { return nil }
        let selectors = aggregation.clusterRoleSelectors.map { LabelSelector($0) }
        var rules: [RbacV1.PolicyRule] = []
        for other in roles.sorted(by: { $0.metadata.name < $1.metadata.name })
        where other.metadata.name != role.metadata.name
            && selectors.contains(where: { $0.matches(other.metadata) })
        {
            for rule in other.rules where !rules.contains(rule) { rules.append(rule) }
        }
        return rules
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard var role = self.roles.get(name),
            let rules = Self.rules(of: role, among: self.roles.list()), rules != Array(role.rules)
        else { return }
        role.rules = RepeatedField(rules)
        do throws(StatusError) {
            _ = try await self.client.update(role)
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
