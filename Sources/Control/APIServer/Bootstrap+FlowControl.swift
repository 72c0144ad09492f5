// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import ObjectModel

extension Bootstrap {
    /// Makes the suggested and mandatory objects of flow control.
    func ensureFlowControl() async throws(StatusError) {
        let levels = Self.priorityLevels.compactMap { text in
            try? FlowcontrolV1.PriorityLevelConfiguration(json: text)
        }
        let schemas = Self.flowSchemas.compactMap { try? FlowcontrolV1.FlowSchema(json: $0) }
        try await self.ensure(levels.map { APIObject($0) } + schemas.map { APIObject($0) })
    }

    /// Source: fact table `bootstrap_rbac.json` (priorityLevelConfigurations).
    static let priorityLevels: [String] = [
        #"""
        {"metadata":{"name":"exempt","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Exempt","exempt":{\#
        "nominalConcurrencyShares":0,"lendablePercent":0}}}
        """#,
        #"""
        {"metadata":{"name":"catch-all","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":5,"lendablePercent":0,"limitResponse":{"type":"Reject"}}}}
        """#,
        #"""
        {"metadata":{"name":"system","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":30,"lendablePercent":33,"limitResponse":{"type":"Queue",\#
        "queuing":{"queues":64,"handSize":6,"queueLengthLimit":50}}}}}
        """#,
        #"""
        {"metadata":{"name":"node-high","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":40,"lendablePercent":25,"limitResponse":{"type":"Queue",\#
        "queuing":{"queues":64,"handSize":6,"queueLengthLimit":50}}}}}
        """#,
        #"""
        {"metadata":{"name":"leader-election","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":10,"lendablePercent":0,"limitResponse":{"type":"Queue",\#
        "queuing":{"queues":16,"handSize":4,"queueLengthLimit":50}}}}}
        """#,
        #"""
        {"metadata":{"name":"workload-high","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":40,"lendablePercent":50,"limitResponse":{"type":"Queue",\#
        "queuing":{"queues":128,"handSize":6,"queueLengthLimit":50}}}}}
        """#,
        #"""
        {"metadata":{"name":"workload-low","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":100,"lendablePercent":90,"limitResponse":{"type":"Queue",\#
        "queuing":{"queues":128,"handSize":6,"queueLengthLimit":50}}}}}
        """#,
        #"""
        {"metadata":{"name":"global-default","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"type":"Limited","limited":{\#
        "nominalConcurrencyShares":20,"lendablePercent":50,"limitResponse":{"type":"Queue",\#
        "queuing":{"queues":128,"handSize":6,"queueLengthLimit":50}}}}}
        """#,
    ]

    /// Source: fact table `bootstrap_rbac.json` (flowSchemas).
    static let flowSchemas: [String] = [
        #"""
        {"metadata":{"name":"exempt","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"exempt"},"matchingPrecedence":1,"rules":[{"subjects":[{"kind":"Group",\#
        "group":{"name":"system:masters"}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],\#
        "resources":["*"],"namespaces":["*"],"clusterScope":true}],"nonResourceRules":[{\#
        "verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"probes","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"exempt"},"matchingPrecedence":2,"rules":[{"subjects":[{"kind":"Group",\#
        "group":{"name":"system:unauthenticated"}},{"kind":"Group","group":{\#
        "name":"system:authenticated"}}],"nonResourceRules":[{"verbs":["get"],\#
        "nonResourceURLs":["/healthz","/readyz","/livez"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"system-leader-election","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"leader-election"},"matchingPrecedence":100,"distinguisherMethod":{\#
        "type":"ByUser"},"rules":[{"subjects":[{"kind":"User","user":{\#
        "name":"system:kube-controller-manager"}},{"kind":"User","user":{\#
        "name":"system:kube-scheduler"}},{"kind":"ServiceAccount","serviceAccount":{\#
        "namespace":"kube-system","name":"*"}}],"resourceRules":[{"verbs":["get","create",\#
        "update"],"apiGroups":["coordination.k8s.io"],"resources":["leases"],\#
        "namespaces":["*"],"clusterScope":false}]}]}}
        """#,
        #"""
        {"metadata":{"name":"system-node-high","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"node-high"},"matchingPrecedence":400,"distinguisherMethod":{"type":"ByUser"},\#
        "rules":[{"subjects":[{"kind":"Group","group":{"name":"system:nodes"}}],\#
        "resourceRules":[{"verbs":["*"],"apiGroups":[""],"resources":["nodes","nodes/status"],\#
        "namespaces":["*"],"clusterScope":true},{"verbs":["*"],\#
        "apiGroups":["coordination.k8s.io"],"resources":["leases"],"namespaces":["*"],\#
        "clusterScope":false}]}]}}
        """#,
        #"""
        {"metadata":{"name":"system-nodes","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"system"},"matchingPrecedence":500,"distinguisherMethod":{"type":"ByUser"},\#
        "rules":[{"subjects":[{"kind":"Group","group":{"name":"system:nodes"}}],\#
        "resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],\#
        "namespaces":["*"],"clusterScope":true}],"nonResourceRules":[{"verbs":["*"],\#
        "nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"kube-controller-manager","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"workload-high"},"matchingPrecedence":800,"distinguisherMethod":{\#
        "type":"ByNamespace"},"rules":[{"subjects":[{"kind":"User","user":{\#
        "name":"system:kube-controller-manager"}}],"resourceRules":[{"verbs":["*"],\#
        "apiGroups":["*"],"resources":["*"],"namespaces":["*"],"clusterScope":true}],\#
        "nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"kube-scheduler","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"workload-high"},"matchingPrecedence":800,"distinguisherMethod":{\#
        "type":"ByNamespace"},"rules":[{"subjects":[{"kind":"User","user":{\#
        "name":"system:kube-scheduler"}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],\#
        "resources":["*"],"namespaces":["*"],"clusterScope":true}],"nonResourceRules":[{\#
        "verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"kube-system-service-accounts","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"workload-high"},"matchingPrecedence":900,"distinguisherMethod":{\#
        "type":"ByNamespace"},"rules":[{"subjects":[{"kind":"ServiceAccount",\#
        "serviceAccount":{"namespace":"kube-system","name":"*"}}],"resourceRules":[{\#
        "verbs":["*"],"apiGroups":["*"],"resources":["*"],"namespaces":["*"],\#
        "clusterScope":true}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"service-accounts","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"workload-low"},"matchingPrecedence":9000,"distinguisherMethod":{\#
        "type":"ByUser"},"rules":[{"subjects":[{"kind":"Group","group":{\#
        "name":"system:serviceaccounts"}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],\#
        "resources":["*"],"namespaces":["*"],"clusterScope":true}],"nonResourceRules":[{\#
        "verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"global-default","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"global-default"},"matchingPrecedence":9900,"distinguisherMethod":{\#
        "type":"ByUser"},"rules":[{"subjects":[{"kind":"Group","group":{\#
        "name":"system:unauthenticated"}},{"kind":"Group","group":{\#
        "name":"system:authenticated"}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],\#
        "resources":["*"],"namespaces":["*"],"clusterScope":true}],"nonResourceRules":[{\#
        "verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
        #"""
        {"metadata":{"name":"catch-all","annotations":{\#
        "apf.kubernetes.io/autoupdate-spec":"true"}},"spec":{"priorityLevelConfiguration":{\#
        "name":"catch-all"},"matchingPrecedence":10000,"distinguisherMethod":{\#
        "type":"ByUser"},"rules":[{"subjects":[{"kind":"Group","group":{\#
        "name":"system:unauthenticated"}},{"kind":"Group","group":{\#
        "name":"system:authenticated"}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],\#
        "resources":["*"],"namespaces":["*"],"clusterScope":true}],"nonResourceRules":[{\#
        "verbs":["*"],"nonResourceURLs":["*"]}]}]}}
        """#,
    ]
}
