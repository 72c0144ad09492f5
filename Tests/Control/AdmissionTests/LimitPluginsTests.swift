// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Scalars
import Testing

@Suite("LimitRanger")
struct LimitRangerTests {
    static func quantity(_ text: String) -> Resource.Quantity { .with { $0.string = text } }

    static func cluster(_ item: (inout CoreV1.LimitRangeItem) -> Void) -> LimitRanger {
        let objects = MemoryObjects()
        objects.put(
            "limitranges",
            CoreV1.LimitRange.with {
                $0.metadata.name = "limits"
                $0.metadata.namespace = "a"
                $0.spec.limits.append(CoreV1.LimitRangeItem.with(item))
            }
        )
        return LimitRanger(objects)
    }

    static func pod(request: String? = nil, limit: String? = nil) -> CoreV1.Pod {
        AdmissionCase.pod {
            if let request {
                $0.spec.containers[0].resources.requests["cpu"] = Self.quantity(request)
            }
            if let limit { $0.spec.containers[0].resources.limits["cpu"] = Self.quantity(limit) }
        }
    }

    @Test("gives defaults and says so")
    func defaults() async {
        let plugin = Self.cluster {
            $0.type = "Container"
            $0.default["cpu"] = Self.quantity("500m")
            $0.default["memory"] = Self.quantity("1Gi")
            $0.defaultRequest["cpu"] = Self.quantity("100m")
        }
        let (attributes, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", Self.pod(request: "200m")),
            plugin
        )
        #expect(refusal == nil)
        let pod = attributes.object?.message(as: CoreV1.Pod.self)
        let resources = pod?.spec.containers[0].resources
        #expect(resources?.requests["cpu"]?.string == "200m")
        #expect(resources?.limits["cpu"]?.string == "500m")
        #expect(
            pod?.metadata.annotations["kubernetes.io/limit-ranger"]
                == "LimitRanger plugin set: cpu, memory limit for container c"
        )
    }

    @Test(
        "holds containers to limits",
        arguments: [
            ("100m", "500m", nil),
            (
                "50m", "200m",
                "minimum cpu usage per Container is 100m, but request is 50m"
            ),
            (nil, nil, nil),
            (
                "100m", "2",
                "[maximum cpu usage per Container is 1, but limit is 2, cpu max limit to request "
                    + "ratio per Container is 5, but provided ratio is 20.000000]"
            ),
            (
                "100m", "600m",
                "cpu max limit to request ratio per Container is 5, but provided ratio is "
                    + "6.000000"
            ),
        ] as [(String?, String?, String?)]
    )
    func containers(_ request: String?, _ limit: String?, _ why: String?) async {
        let plugin = Self.cluster {
            $0.type = "Container"
            $0.min["cpu"] = Self.quantity("100m")
            $0.max["cpu"] = Self.quantity("1")
            $0.maxLimitRequestRatio["cpu"] = Self.quantity("5")
        }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", Self.pod(request: request, limit: limit)),
            plugin
        )
        if request == nil {
            #expect(
                refusal?.message == """
                    pods "p" is forbidden: [minimum cpu usage per Container is 100m.  No request \
                    is specified, maximum cpu usage per Container is 1.  No limit is specified, \
                    cpu max limit to request ratio per Container is 5, but no request is specified \
                    or request is 0]
                    """
            )
        } else {
            #expect(refusal?.message == why.map { "pods \"p\" is forbidden: \($0)" })
        }
    }
}

@Suite("ResourceQuotaAdmission")
struct ResourceQuotaAdmissionTests {
    static let quotas = GroupResource(group: "", resource: "resourcequotas")

    static func cluster(
        hard: [String: String],
        used: [String: String],
        _ change: (inout CoreV1.ResourceQuota) -> Void = { _ in }
    ) -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put(
            "resourcequotas",
            CoreV1.ResourceQuota.with {
                $0.metadata.name = "q"
                $0.metadata.namespace = "a"
                for (name, amount) in hard {
                    $0.spec.hard[name] = LimitRangerTests.quantity(amount)
                    $0.status.hard[name] = LimitRangerTests.quantity(amount)
                }
                for (name, amount) in used {
                    $0.status.used[name] = LimitRangerTests.quantity(amount)
                }
                change(&$0)
            }
        )
        return objects
    }

    @Test("counts what it lets in")
    func counts() async {
        let objects = Self.cluster(
            hard: ["pods": "2", "requests.cpu": "1", "count/pods": "9"],
            used: ["pods": "1", "requests.cpu": "200m"]
        )
        let plugin = ResourceQuotaAdmission(objects)
        let pod = LimitRangerTests.pod(request: "300m")
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            plugin
        )
        #expect(refusal == nil)
        let quota = objects.get(Self.quotas, namespace: "a", name: "q")?
            .message(as: CoreV1.ResourceQuota.self)
        #expect(quota?.status.used["pods"]?.string == "2")
        #expect(quota?.status.used["requests.cpu"]?.string == "500m")
        #expect(quota?.status.used["count/pods"]?.string == "1")
        let (_, second) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", pod),
            plugin
        )
        #expect(
            second?.message == """
                pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, \
                limited: pods=2
                """
        )
    }

    @Test("wants to know what it counts")
    func unsaid() async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            ResourceQuotaAdmission(
                Self.cluster(hard: ["limits.cpu": "2", "requests.memory": "2Gi"], used: [:])
            )
        )
        #expect(
            refusal?.message == """
                pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c; \
                requests.memory for: c
                """
        )
    }

    @Test("a quota that the cache does not have yet is asked for, and not each time")
    func late() async {
        let objects = Self.cluster(hard: ["pods": "0"], used: ["pods": "0"])
        objects.setLate(Self.quotas, true)
        let plugin = ResourceQuotaAdmission(objects)
        let attributes = AdmissionCase.attributes(.create, "pods", AdmissionCase.pod())
        let (_, refusal) = await AdmissionCase.run(attributes, plugin)
        #expect(refusal?.message.contains("exceeded quota: q") == true)
        // Where there is none, the store is not asked for a while.
        objects.remove(Self.quotas, namespace: "a", name: "q")
        let before = objects.currentLists
        for _ in 0..<5 {
            let (_, refusal) = await AdmissionCase.run(attributes, plugin)
            #expect(refusal == nil)
        }
        #expect(objects.currentLists == before + 1)
        var later = attributes
        later.now = Timestamp(seconds: attributes.now.seconds + 31)
        _ = await AdmissionCase.run(later, plugin)
        #expect(objects.currentLists == before + 2)
    }

    @Test("waits for the first count")
    func unknown() async {
        let objects = Self.cluster(hard: ["pods": "2"], used: [:]) { $0.status.hard = [:] }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            ResourceQuotaAdmission(objects)
        )
        #expect(
            refusal?.message
                == "pods \"p\" is forbidden: status unknown for quota: q, resources: pods"
        )
    }

    @Test(
        "counts in its scopes alone",
        arguments: [
            ("BestEffort", true), ("NotBestEffort", false), ("Terminating", false),
            ("NotTerminating", true), ("PriorityClass", false),
        ]
    )
    func scopes(_ scope: String, _ isCounted: Bool) async {
        let objects = Self.cluster(hard: ["pods": "0"], used: [:]) { $0.spec.scopes = [scope] }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            ResourceQuotaAdmission(objects)
        )
        #expect((refusal != nil) == isCounted)
    }

    @Test("counts other objects by their names")
    func others() async {
        let deployment = AppsV1.Deployment.with {
            $0.metadata.name = "d"
            $0.metadata.namespace = "a"
        }
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "deployments", group: "apps", deployment),
            ResourceQuotaAdmission(
                Self.cluster(hard: ["count/deployments.apps": "0"], used: [:])
            )
        )
        #expect(
            refusal?.message == """
                deployments.apps "d" is forbidden: exceeded quota: q, requested: \
                count/deployments.apps=1, used: count/deployments.apps=0, limited: \
                count/deployments.apps=0
                """
        )
    }
}
