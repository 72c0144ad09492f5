// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerKit
import KubernetesAPI
import Protobuf
import Quotas
import Scalars
import Testing

@Suite("Tables of the cluster's controllers")
struct ClusterTableTests {
    static let now = Timestamp(seconds: 1_800_000_000)

    // MARK: Volumes

    /// A volume as `size modes class mode labels`, `-` for nothing.
    private static func volume(_ name: String, _ text: String) -> CoreV1.PersistentVolume {
        let fields = text.split(separator: " ").map { $0 == "-" ? "" : String($0) }
        return CoreV1.PersistentVolume.with {
            $0.metadata.name = name
            $0.status.phase = "Available"
            $0.spec.capacity["storage"] = Self.quantity(fields[0])
            $0.spec.accessModes = RepeatedField(fields[1].split(separator: ",").map(String.init))
            $0.spec.storageClassName = fields[2]
            if !fields[3].isEmpty { $0.spec.volumeMode = fields[3] }
            if !fields[4].isEmpty { $0.metadata.labels["tier"] = fields[4] }
        }
    }

    private static func quantity(_ text: String) -> Resource.Quantity {
        (try? Quantity(parsing: text)).map { Resource.Quantity($0) } ?? Resource.Quantity()
    }

    @Test(
        "which volume a claim gets",
        arguments: [
            // claim as a volume is written, volumes a, b, c; the one that is chosen
            ("5Gi RWO - - -", ["10Gi RWO - - -", "6Gi RWO - - -", "1Gi RWO - - -"], "b"),
            ("5Gi RWO - - -", ["5Gi RWO - - -", "5Gi RWO - - -"], "a"),
            ("5Gi RWO - - -", ["4Gi RWO - - -"], nil),
            ("5Gi RWX - - -", ["5Gi RWO - - -", "50Gi RWO,RWX - - -"], "b"),
            ("5Gi RWO,ROX - - -", ["5Gi RWO - - -"], nil),
            ("5Gi RWO fast - -", ["5Gi RWO - - -", "9Gi RWO fast - -"], "b"),
            ("5Gi RWO - - -", ["5Gi RWO fast - -"], nil),
            ("5Gi RWO - Block -", ["5Gi RWO - - -", "9Gi RWO - Block -"], "b"),
            ("5Gi RWO - Filesystem -", ["5Gi RWO - - -"], "a"),
            ("5Gi RWO - - gold", ["5Gi RWO - - -", "9Gi RWO - - gold"], "b"),
            ("5Gi RWO - - gold", ["5Gi RWO - - tin"], nil),
            ("5Gi RWO - - -", [], nil),
        ] as [(String, [String], String?)]
    )
    func volumes(_ claim: String, _ volumes: [String], _ chosen: String?) {
        let wanted = Self.volume("claim", claim)
        let object = CoreV1.PersistentVolumeClaim.with {
            $0.metadata.name = "data"
            $0.metadata.namespace = "default"
            $0.spec.accessModes = wanted.spec.accessModes
            $0.spec.storageClassName = wanted.spec.storageClassName
            $0.spec.volumeMode = wanted.spec.volumeMode
            $0.spec.resources.requests = wanted.spec.capacity
            if let tier = wanted.metadata.labels["tier"] {
                $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels["tier"] = tier }
            }
        }
        let all = zip(["a", "b", "c"], volumes).map { Self.volume($0, $1) }
        #expect(VolumeMatch.best(for: object, among: all)?.metadata.name == chosen)
    }

    @Test(
        "a volume is reserved for a claim by name, and by UID once it has one",
        arguments: [
            ("default", "data", "", true), ("default", "data", "u", true),
            ("default", "data", "other", false), ("default", "logs", "", false),
            ("kube-system", "data", "", false),
        ]
    )
    func reserved(_ namespace: String, _ name: String, _ uid: String, _ isReserved: Bool) {
        let claim = CoreV1.PersistentVolumeClaim.with {
            $0.metadata.name = "data"
            $0.metadata.namespace = "default"
            $0.metadata.uid = "u"
        }
        var volume = Self.volume("v", "5Gi RWO - - -")
        volume.spec.claimRef = CoreV1.ObjectReference.with {
            $0.namespace = namespace
            $0.name = name
            $0.uid = uid
        }
        #expect(VolumeMatch.isReserved(volume, for: claim) == isReserved)
    }

    // MARK: Quotas

    @Test(
        "what a Service counts for",
        arguments: [
            ("ClusterIP", 2, nil, ["services": 1]),
            ("NodePort", 2, nil, ["services": 1, "services.nodeports": 2]),
            (
                "LoadBalancer", 2, nil,
                ["services": 1, "services.nodeports": 2, "services.loadbalancers": 1]
            ),
            ("LoadBalancer", 2, false, ["services": 1, "services.loadbalancers": 1]),
            ("ExternalName", 0, nil, ["services": 1]),
        ] as [(String, Int, Bool?, [String: Int64])]
    )
    func services(_ type: String, _ ports: Int, _ allocates: Bool?, _ counts: [String: Int64]) {
        let usage = ObjectUsage.usage(
            CoreV1.Service.with {
                $0.spec.type = type
                $0.spec.allocateLoadBalancerNodePorts = allocates
                $0.spec.ports = RepeatedField(
                    (0..<ports).map { number in
                        CoreV1.ServicePort.with { $0.port = Int32(number + 1) }
                    }
                )
            }
        )
        for name in ["services", "services.nodeports", "services.loadbalancers"] {
            #expect(usage[name]?.value ?? 0 == counts[name] ?? 0, "\(name)")
        }
        #expect(usage["count/services"]?.value == 1)
    }

    @Test(
        "what a claim counts for, by its class, too",
        arguments: [("", nil), ("fast", "fast.storageclass.storage.k8s.io")]
            as [(String, String?)]
    )
    func claims(_ storageClass: String, _ prefix: String?) {
        let usage = ObjectUsage.usage(
            CoreV1.PersistentVolumeClaim.with {
                $0.spec.storageClassName = storageClass
                $0.spec.resources.requests["storage"] = Self.quantity("5Gi")
            }
        )
        #expect(usage["requests.storage"]?.value == 5 << 30)
        #expect(usage["persistentvolumeclaims"]?.value == 1)
        guard let prefix else {
            #expect(usage.count == 3)
            return
        }
        #expect(usage["\(prefix)/requests.storage"]?.value == 5 << 30)
        #expect(usage["\(prefix)/persistentvolumeclaims"]?.value == 1)
    }

    @Test(
        "which pods a quota's scopes take in",
        arguments: [
            // scope; deadline, class of service, priority class; in scope
            ("Terminating", 60, "Burstable", "", true),
            ("Terminating", nil, "Burstable", "", false),
            ("Terminating", 0, "Burstable", "", true),
            ("NotTerminating", nil, "Burstable", "", true),
            ("NotTerminating", 60, "Burstable", "", false),
            ("BestEffort", nil, "BestEffort", "", true),
            ("BestEffort", nil, "Burstable", "", false),
            ("NotBestEffort", nil, "Guaranteed", "", true),
            ("NotBestEffort", nil, "BestEffort", "", false),
            ("PriorityClass", nil, "Burstable", "high", true),
            ("PriorityClass", nil, "Burstable", "", false), ("Other", nil, "Burstable", "", false),
        ] as [(String, Int64?, String, String, Bool)]
    )
    func scopes(
        _ scope: String,
        _ deadline: Int64?,
        _ quality: String,
        _ priority: String,
        _ isIn: Bool
    ) {
        let pod = CoreV1.Pod.with {
            $0.spec.activeDeadlineSeconds = deadline
            $0.spec.priorityClassName = priority
            $0.status.qosClass = quality
        }
        let spec = CoreV1.ResourceQuotaSpec.with { $0.scopes = [scope] }
        #expect(ObjectUsage.matches(spec, pod) == isIn)
    }

    @Test(
        "a scope selector picks priority classes",
        arguments: [
            ("In", ["high", "low"], "high", true), ("In", ["low"], "high", false),
            ("NotIn", ["low"], "high", true), ("NotIn", ["high"], "high", false),
            ("Exists", [], "high", true), ("Exists", [], "", false),
            ("DoesNotExist", [], "", true), ("DoesNotExist", [], "high", false),
        ]
    )
    func selector(_ comparison: String, _ values: [String], _ priority: String, _ isIn: Bool) {
        let pod = CoreV1.Pod.with { $0.spec.priorityClassName = priority }
        let spec = CoreV1.ResourceQuotaSpec.with {
            $0.scopeSelector = CoreV1.ScopeSelector.with {
                $0.matchExpressions.append(
                    CoreV1.ScopedResourceSelectorRequirement.with {
                        $0.scopeName = "PriorityClass"
                        $0.operator = comparison
                        $0.values = RepeatedField(values)
                    }
                )
            }
        }
        #expect(ObjectUsage.matches(spec, pod) == isIn)
    }

    // MARK: Nodes

    @Test(
        "which taints a node's conditions and spec call for",
        arguments: [
            ("Ready", "True", false, []), ("Ready", "False", false, ["not-ready"]),
            ("Ready", "Unknown", false, ["unreachable"]),
            ("MemoryPressure", "True", false, ["memory-pressure"]),
            ("MemoryPressure", "False", false, []), ("MemoryPressure", "Unknown", false, []),
            ("DiskPressure", "True", false, ["disk-pressure"]),
            ("PIDPressure", "True", false, ["pid-pressure"]),
            ("NetworkUnavailable", "True", false, ["network-unavailable"]),
            ("NetworkUnavailable", "False", false, []), ("Other", "True", false, []),
            ("Ready", "True", true, ["unschedulable"]),
        ] as [(String, String, Bool, [String])]
    )
    func taints(_ type: String, _ status: String, _ isCordoned: Bool, _ keys: [String]) {
        let node = CoreV1.Node.with {
            $0.spec.unschedulable = isCordoned
            $0.status.conditions.append(
                CoreV1.NodeCondition.with {
                    $0.type = type
                    $0.status = status
                }
            )
        }
        #expect(
            NodeHealth.schedulingTaints(node) == Set(keys.map { "node.kubernetes.io/\($0)" })
        )
    }

    @Test(
        "when a tolerated taint drives a pod away",
        arguments: [
            // seconds of the tolerations in order, nil for ever; seconds until it goes, nil for never
            ([], 0), ([nil], nil), ([300], 300), ([0], 0), ([-5], 0), ([300, nil], 300),
            ([nil, 300], nil), ([60, 300], 60),
        ] as [([Int64?], Int64?)]
    )
    func evictions(_ seconds: [Int64?], _ left: Int64?) {
        let pod = CoreV1.Pod.with {
            for limit in seconds {
                $0.spec.tolerations.append(
                    CoreV1.Toleration.with {
                        $0.key = "down"
                        $0.operator = "Exists"
                        $0.tolerationSeconds = limit
                    }
                )
            }
        }
        let taint = NodeTests.taint("down", "NoExecute", 0)
        let expected = left.map { EvictionTime.at(Timestamp(seconds: Self.now.seconds + $0)) }
        #expect(EvictionTime.of(pod, taints: [taint], now: Self.now) == expected ?? .never)
    }

    // MARK: Namespaces

    @Test(
        "what is said of a namespace that goes",
        arguments: [
            (
                ["pods": 2, "jobs.batch": 1], [:], [], "NamespaceContentRemaining",
                "SomeResourcesRemain",
                "Some resources are remaining: jobs.batch has 1 resource instances,"
                    + " pods has 2 resource instances"
            ),
            (
                ["pods": 1], ["example.com/x": 1], [], "NamespaceFinalizersRemaining",
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining:"
                    + " example.com/x in 1 resource instances"
            ),
            (
                [:], [:], ["b", "a"], "NamespaceDeletionContentFailure", "ContentDeletionFailed",
                "Failed to delete all resource types, 2 remaining: a, b"
            ),
            (
                [:], [:], [], "NamespaceDeletionContentFailure", "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"
            ),
            (
                [:], [:], [], "NamespaceContentRemaining", "ContentRemoved",
                "All content successfully removed"
            ),
            (
                [:], [:], [], "NamespaceFinalizersRemaining", "ContentHasNoFinalizers",
                "All content-preserving finalizers finished"
            ),
            (
                [:], [:], [], "NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered",
                "All resources successfully discovered"
            ),
            (
                [:], [:], [], "NamespaceDeletionGroupVersionParsingFailure",
                "ParsedGroupVersions", "All legacy kube types successfully parsed"
            ),
        ] as [([String: Int], [String: Int], [String], String, String, String)]
    )
    func namespaces(
        _ resources: [String: Int],
        _ finalizers: [String: Int],
        _ failures: [String],
        _ type: String,
        _ reason: String,
        _ message: String
    ) {
        var remains = NamespaceRemains()
        remains.resources = resources
        remains.finalizers = finalizers
        remains.failures = failures
        let conditions = remains.conditions([], now: Self.now)
        let condition = conditions.first { $0.type == type }
        #expect(conditions.count == 5)
        #expect(condition?.reason == reason)
        #expect(condition?.message == message)
        // What is said again is not said anew.
        let later = Timestamp(seconds: Self.now.seconds + 5)
        #expect(remains.conditions(conditions, now: later) == conditions)
    }
}
