// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Scheduler

@Suite("Volume plugins") struct VolumePluginTests {
    static let zone = "topology.kubernetes.io/zone"

    static func claim(
        _ name: String,
        volume: String = "",
        storageClass: String? = nil,
        modes: [String] = ["ReadWriteOnce"],
        size: String = "1Gi"
    ) -> CoreV1.PersistentVolumeClaim {
        .with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.spec.volumeName = volume
            $0.spec.storageClassName = storageClass
            $0.spec.accessModes = RepeatedField(modes)
            $0.spec.resources.requests["storage"] = quantity(size)
            if !volume.isEmpty {
                $0.metadata.annotations["pv.kubernetes.io/bind-completed"] = "yes"
            }
        }
    }

    static func volume(
        _ name: String,
        size: String = "1Gi",
        storageClass: String = "",
        node: String? = nil,
        labels: [String: String] = [:],
        driver: String? = nil
    ) -> CoreV1.PersistentVolume {
        .with {
            $0.metadata.name = name
            $0.metadata.labels = MapField(labels)
            $0.spec.capacity["storage"] = quantity(size)
            $0.spec.accessModes = ["ReadWriteOnce"]
            $0.spec.storageClassName = storageClass
            $0.status.phase = "Available"
            if let driver {
                $0.spec.persistentVolumeSource.csi = .with {
                    $0.driver = driver
                    $0.volumeHandle = name
                }
            }
            guard let node else { return }
            let term = CoreV1.NodeSelectorTerm.with {
                $0.matchExpressions.append(
                    .with {
                        $0.key = Cluster.hostnameLabel
                        $0.operator = "In"
                        $0.values = [node]
                    }
                )
            }
            $0.spec.nodeAffinity = .with {
                $0.required = .with { $0.nodeSelectorTerms.append(term) }
            }
        }
    }

    static func storageClass(_ name: String, provisioner: String) -> StorageV1.StorageClass {
        .with {
            $0.metadata.name = name
            $0.provisioner = provisioner
            $0.volumeBindingMode = "WaitForFirstConsumer"
        }
    }

    static func using(
        _ claims: String...,
        name: String = "p",
        on node: String = ""
    )
        -> CoreV1.Pod
    {
        pod(name, on: node) { pod in
            for claim in claims {
                pod.spec.volumes.append(
                    .with {
                        $0.name = claim
                        $0.volumeSource.persistentVolumeClaim = .with { $0.claimName = claim }
                    }
                )
            }
        }
    }

    static func add(_ claims: [CoreV1.PersistentVolumeClaim], to cluster: Cluster) {
        for claim in claims {
            cluster.volumes.setClaim("default/\(claim.metadata.name)", claim)
        }
    }

    static func add(_ volumes: [CoreV1.PersistentVolume], to cluster: Cluster) {
        for volume in volumes { cluster.volumes.setVolume(volume.metadata.name, volume) }
    }

    @Test("wait for claims that are not bound yet")
    func unbound() {
        let cluster = cluster([node("a")])
        let plugin = VolumeBindingPlugin()
        #expect(
            verdicts(plugin, Self.using("c"), cluster)
                == ["a": ["persistentvolumeclaim \"c\" not found"]]
        )
        Self.add([Self.claim("c")], to: cluster)
        #expect(
            verdicts(plugin, Self.using("c"), cluster)
                == ["a": ["pod has unbound immediate PersistentVolumeClaims"]]
        )
    }

    @Test("follow bound volumes to where they can be reached")
    func bound() {
        let cluster = cluster([node("a"), node("b")])
        Self.add([Self.claim("c", volume: "v")], to: cluster)
        let plugin = VolumeBindingPlugin()
        let missing = [
            "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
        ]
        #expect(verdicts(plugin, Self.using("c"), cluster) == ["a": missing, "b": missing])
        Self.add([Self.volume("v", node: "a")], to: cluster)
        #expect(
            verdicts(plugin, Self.using("c"), cluster)
                == ["b": ["node(s) didn't match PersistentVolume's node affinity"]]
        )
    }

    @Test("find the smallest volume for a claim that waits for its pod, and keep it")
    func delayed() throws {
        let core = scheduler([node("a"), node("b")])
        core.setVolumeObject(
            .storageClass(
                Self.storageClass("local", provisioner: "kubernetes.io/no-provisioner")
            ),
            now: .zero
        )
        for name in ["c", "d"] {
            core.setVolumeObject(.claim(Self.claim(name, storageClass: "local")), now: .zero)
        }
        for (name, size) in [("small", "1Gi"), ("tiny", "512Mi"), ("large", "9Gi")] {
            core.setVolumeObject(
                .volume(Self.volume(name, size: size, storageClass: "local", node: "b")),
                now: .zero
            )
        }
        core.setPod(Self.using("c", name: "1"), now: .zero)
        core.setPod(Self.using("d", name: "2"), now: .zero)
        var chosen: [String] = []
        while case .bind(_, let node, let plan)? = core.decide(now: .zero) {
            #expect(node == "b")
            chosen += plan?.bindings.map(\.volume.metadata.name) ?? []
        }
        #expect(chosen == ["small", "large"])
        core.bindingFailed("default/1", now: .zero)
        #expect(core.cluster.volumes.reserved == ["large": "default/d"])
    }

    @Test("have volumes made where the class can make them")
    func provisioned() throws {
        let cluster = cluster([node("a", labels: ["zone": "1"]), node("b")])
        var storage = Self.storageClass("fast", provisioner: "csi.example.com")
        storage.allowedTopologies.append(
            .with {
                $0.matchLabelExpressions.append(
                    .with {
                        $0.key = "zone"
                        $0.values = ["1"]
                    }
                )
            }
        )
        cluster.volumes.classes["fast"] = storage
        Self.add([Self.claim("c", storageClass: "fast")], to: cluster)
        #expect(
            verdicts(VolumeBindingPlugin(), Self.using("c"), cluster)
                == ["b": ["node(s) didn't find available persistent volumes to bind"]]
        )
        let row = try #require(cluster.row("a"))
        let plan = try #require(VolumePlan(PodInfo(Self.using("c")), row: row, cluster))
        #expect(plan.provisions.map(\.metadata.name) == ["c"])
    }

    @Test(
        "have volumes made only where the driver has space",
        arguments: [
            ("1Gi", nil, true), ("512Mi", nil, false), ("9Gi", "512Mi", false), (nil, nil, false),
        ]
    )
    func capacity(_ space: String?, _ largest: String?, _ isEnough: Bool) {
        let core = scheduler([node("a", labels: ["rack": "1"])])
        core.setVolumeObject(
            .storageClass(Self.storageClass("fast", provisioner: "csi.example.com")),
            now: .zero
        )
        core.setVolumeObject(.claim(Self.claim("c", storageClass: "fast")), now: .zero)
        let pod = Self.using("c")
        #expect(verdicts(VolumeBindingPlugin(), pod, core.cluster) == [:])
        core.setVolumeObject(
            .csiDriver(
                .with {
                    $0.metadata.name = "csi.example.com"
                    $0.spec.storageCapacity = true
                }
            ),
            now: .zero
        )
        core.setVolumeObject(
            .capacity(
                .with {
                    $0.metadata.name = "1"
                    $0.storageClassName = "fast"
                    $0.capacity = space.map(quantity)
                    $0.maximumVolumeSize = largest.map(quantity)
                    $0.nodeTopology = selector(["rack": "1"])
                }
            ),
            now: .zero
        )
        #expect(
            verdicts(VolumeBindingPlugin(), pod, core.cluster)
                == (isEnough ? [:] : ["a": ["node(s) did not have enough free storage"]])
        )
    }

    @Test("keep what was decided for a claim, for all pods that use it")
    func shared() throws {
        let core = scheduler([node("a"), node("b")])
        core.setVolumeObject(
            .storageClass(Self.storageClass("fast", provisioner: "csi.example.com")),
            now: .zero
        )
        core.setVolumeObject(.claim(Self.claim("c", storageClass: "fast")), now: .zero)
        core.setPod(Self.using("c", name: "1"), now: .zero)
        let first = try #require(core.decide(now: .zero)?.node)
        let other = try #require(["a", "b"].first { $0 != first })
        #expect(
            verdicts(VolumeBindingPlugin(), Self.using("c", name: "2"), core.cluster)
                == [other: ["node(s) didn't find available persistent volumes to bind"]]
        )
        core.bindingFailed("default/1", now: .zero)
        #expect(
            verdicts(VolumeBindingPlugin(), Self.using("c", name: "2"), core.cluster) == [:]
        )
    }

    @Test("take the volume that was made for the claim by hand")
    func prebound() throws {
        let cluster = cluster([node("a")])
        cluster.volumes.classes["local"] = Self.storageClass(
            "local",
            provisioner: "kubernetes.io/no-provisioner"
        )
        Self.add([Self.claim("c", storageClass: "local")], to: cluster)
        var own = Self.volume("own", size: "9Gi", storageClass: "local")
        own.spec.claimRef = .with {
            $0.namespace = "default"
            $0.name = "c"
        }
        var others = Self.volume("others", size: "1Gi", storageClass: "local")
        others.spec.claimRef = .with {
            $0.namespace = "default"
            $0.name = "d"
        }
        Self.add([own, others, Self.volume("small", storageClass: "local")], to: cluster)
        let row = try #require(cluster.row("a"))
        let plan = try #require(VolumePlan(PodInfo(Self.using("c")), row: row, cluster))
        #expect(plan.bindings.map(\.volume.metadata.name) == ["own"])
    }

    @Test("refuse claims that are of no use", arguments: Self.problems)
    func problem(_ test: Problem) {
        let cluster = cluster([node("a")])
        var claim = Self.claim("p-c", volume: "v")
        test.change(&claim)
        Self.add([claim], to: cluster)
        let pod = pod("p") { pod in
            pod.spec.volumes.append(
                .with {
                    $0.name = "c"
                    if test.isEphemeral {
                        $0.volumeSource.ephemeral = CoreV1.EphemeralVolumeSource()
                    } else {
                        $0.volumeSource.persistentVolumeClaim = .with { $0.claimName = "p-c" }
                    }
                }
            )
        }
        #expect(verdicts(VolumeBindingPlugin(), pod, cluster) == ["a": [test.reason]])
    }

    struct Problem: Sendable, CustomTestStringConvertible {
        var isEphemeral = false
        let change: @Sendable (inout CoreV1.PersistentVolumeClaim) -> Void
        let reason: String

        var testDescription: String { self.reason }
    }

    static let problems = [
        Problem(
            change: { $0.status.phase = "Lost" },
            reason: "persistentvolumeclaim \"p-c\" bound to non-existent persistentvolume \"v\""
        ),
        Problem(
            change: { $0.metadata.deletionTimestamp = .with { $0.seconds = 1 } },
            reason: "persistentvolumeclaim \"p-c\" is being deleted"
        ),
        Problem(
            isEphemeral: true,
            change: { _ in },
            reason: "PVC default/p-c was not created for pod default/p (pod is not owner)"
        ),
        Problem(
            isEphemeral: true,
            change: { $0.metadata.name = "other" },
            reason: "waiting for ephemeral volume controller to create the "
                + "persistentvolumeclaim \"p-c\""
        ),
    ]

    @Test("count what is attached for nobody, too")
    func attachments() {
        let core = scheduler([node("a")])
        core.setVolumeObject(.claim(Self.claim("1", volume: "v1")), now: .zero)
        for name in ["v1", "v2"] {
            core.setVolumeObject(.volume(Self.volume(name, driver: "d")), now: .zero)
        }
        core.setVolumeObject(
            .csiNode(
                .with {
                    $0.metadata.name = "a"
                    $0.spec.drivers.append(
                        .with {
                            $0.name = "d"
                            $0.allocatable = .with { $0.count = 1 }
                        }
                    )
                }
            ),
            now: .zero
        )
        let pod = Self.using("1")
        #expect(verdicts(NodeVolumeLimitsPlugin(), pod, core.cluster) == [:])
        let attachment = StorageV1.VolumeAttachment.with {
            $0.metadata.name = "x"
            $0.spec.nodeName = "a"
            $0.spec.source.persistentVolumeName = "v2"
        }
        core.setVolumeObject(.attachment(attachment), now: .zero)
        #expect(
            verdicts(NodeVolumeLimitsPlugin(), pod, core.cluster)
                == ["a": ["node(s) exceed max volume count"]]
        )
        core.setPod(pod, now: .zero)
        #expect(core.decide(now: .zero)?.node == nil)
        core.setVolumeObject(.attachment(attachment), isGone: true, now: .seconds(60))
        #expect(core.decide(now: .seconds(60))?.node == "a")
    }

    @Test("keep to the zones of volumes")
    func zones() {
        let cluster = cluster([
            node("a", labels: [Self.zone: "1"]), node("b", labels: [Self.zone: "2"]), node("c"),
            node("d", labels: ["topology.kubernetes.io/region": "1"]),
            node("e", labels: ["failure-domain.beta.kubernetes.io/zone": "1"]),
        ])
        Self.add([Self.claim("c", volume: "v")], to: cluster)
        Self.add([Self.volume("v", labels: [Self.zone: "1__3"])], to: cluster)
        #expect(
            verdicts(VolumeZonePlugin(), Self.using("c"), cluster) == [
                "b": ["node(s) had no available volume zone"],
                "d": ["node(s) had no available volume zone"],
                "e": ["node(s) had no available volume zone"],
            ]
        )
        Self.add([Self.claim("lost", volume: "gone")], to: cluster)
        #expect(
            verdicts(VolumeZonePlugin(), Self.using("lost"), cluster)["a"]
                == ["persistentvolume \"gone\" not found"]
        )
    }

    @Test("attach no more than the driver takes")
    func limits() {
        let cluster = cluster([node("a"), node("b")])
        Self.add(
            [Self.claim("1", volume: "v1"), Self.claim("2", volume: "v2")],
            to: cluster
        )
        Self.add([Self.volume("v1", driver: "d"), Self.volume("v2", driver: "d")], to: cluster)
        cluster.volumes.nodes["a"] = .with {
            $0.spec.drivers.append(
                .with {
                    $0.name = "d"
                    $0.allocatable = .with { $0.count = 1 }
                }
            )
        }
        cluster.setPod(PodInfo(Self.using("1", name: "x", on: "a")), on: "a")
        #expect(
            verdicts(NodeVolumeLimitsPlugin(), Self.using("2"), cluster)
                == ["a": ["node(s) exceed max volume count"]]
        )
        #expect(verdicts(NodeVolumeLimitsPlugin(), Self.using("1"), cluster) == [:])
    }

    @Test("give a claim for one pod to one pod")
    func exclusive() {
        let cluster = cluster([node("a")])
        Self.add([Self.claim("c", volume: "v", modes: ["ReadWriteOncePod"])], to: cluster)
        let plugin = VolumeRestrictionsPlugin()
        #expect(verdicts(plugin, Self.using("c"), cluster) == [:])
        cluster.setPod(PodInfo(Self.using("c", name: "x", on: "a")), on: "a")
        #expect(
            verdicts(plugin, Self.using("c"), cluster) == [
                "a": [
                    "node has pod using PersistentVolumeClaim with the same name and "
                        + "ReadWriteOncePod access mode"
                ]
            ]
        )
        cluster.removePod(uid: "default/x")
        #expect(verdicts(plugin, Self.using("c"), cluster) == [:])
    }

    @Test("share disks only for reading", arguments: [(true, true), (false, false)])
    func disks(_ isReadOnly: Bool, _ isShared: Bool) {
        func withDisk(_ name: String, on node: String = "") -> CoreV1.Pod {
            pod(name, on: node) {
                $0.spec.volumes.append(
                    .with {
                        $0.name = "disk"
                        $0.volumeSource.gcePersistentDisk = .with {
                            $0.pdName = "d"
                            $0.readOnly = isReadOnly
                        }
                    }
                )
            }
        }
        let cluster = cluster([node("a"), node("b")], [withDisk("x", on: "a")])
        let expected = isShared ? [:] : ["a": ["node(s) had no available disk"]]
        #expect(verdicts(VolumeRestrictionsPlugin(), withDisk("p"), cluster) == expected)
    }

    @Test("share Ceph images by their monitors", arguments: [("m1", true), ("m3", false)])
    func ceph(_ monitor: String, _ isShared: Bool) {
        func withImage(_ name: String, _ monitors: [String], on node: String = "") -> CoreV1.Pod {
            pod(name, on: node) {
                $0.spec.volumes.append(
                    .with {
                        $0.name = "disk"
                        $0.volumeSource.rbd = .with {
                            $0.monitors = RepeatedField(monitors)
                            $0.pool = "p"
                            $0.image = "i"
                        }
                    }
                )
            }
        }
        let cluster = cluster([node("a")], [withImage("x", ["m1", "m2"], on: "a")])
        #expect(
            verdicts(VolumeRestrictionsPlugin(), withImage("p", [monitor]), cluster)
                == (isShared ? ["a": ["node(s) had no available disk"]] : [:])
        )
    }
}
