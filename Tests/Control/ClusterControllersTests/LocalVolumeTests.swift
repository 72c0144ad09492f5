// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import ResourceClient
import Testing

@Suite("Local volumes and classes")
struct LocalVolumeTests {
    private static func claim(
        _ change: (inout CoreV1.PersistentVolumeClaim) -> Void = { _ in }
    ) -> CoreV1.PersistentVolumeClaim {
        CoreV1.PersistentVolumeClaim.with {
            $0.metadata.name = "data"
            $0.metadata.namespace = "default"
            $0.metadata.uid = "1"
            $0.spec.accessModes = ["ReadWriteOnce"]
            $0.spec.storageClassName = "local"
            change(&$0)
        }
    }

    private static func storageClass(
        _ mode: String = "Immediate",
        _ change: (inout StorageV1.StorageClass) -> Void = { _ in }
    ) -> StorageV1.StorageClass {
        StorageV1.StorageClass.with {
            $0.metadata.name = "local"
            $0.provisioner = LocalVolumePlan.provisioner
            $0.volumeBindingMode = mode
            change(&$0)
        }
    }

    private static func node(_ name: String, isReady: Bool = true) -> CoreV1.Node {
        CoreV1.Node.with {
            $0.metadata.name = name
            $0.metadata.labels[LocalVolumePlan.hostname] = name
            $0.status.conditions = [
                CoreV1.NodeCondition.with {
                    $0.type = "Ready"
                    $0.status = isReady ? "True" : "False"
                }
            ]
        }
    }

    private static let selected: @Sendable (inout CoreV1.PersistentVolumeClaim) -> Void = {
        $0.metadata.annotations[LocalVolumePlan.selectedNode] = "b"
    }

    @Test(
        "what becomes of a claim",
        arguments: [
            // claim, class, ready nodes, the volume's node or what is said
            (claim(), storageClass(), ["a", "b"], "a"),
            (claim(), storageClass(), [], "refused: no node is ready"),
            (claim(selected), storageClass("WaitForFirstConsumer"), ["a", "b"], "b"),
            (claim(selected), storageClass("WaitForFirstConsumer"), ["a"], "anew"),
            (claim(), storageClass("WaitForFirstConsumer"), ["a"], "nothing"),
            (claim { $0.spec.volumeName = "other" }, storageClass(), ["a"], "nothing"),
            (claim { $0.metadata.deletionTimestamp = .init() }, storageClass(), ["a"], "nothing"),
            (claim(), storageClass { $0.provisioner = "example.com/x" }, ["a"], "nothing"),
            (
                claim { $0.spec.volumeMode = "Block" }, storageClass(), ["a"],
                "refused: block volumes are not supported"
            ),
            (
                claim { $0.spec.selector = .init() }, storageClass(), ["a"],
                "refused: claim.Spec.Selector is not supported"
            ),
            (
                claim { $0.spec.dataSource = .init() }, storageClass(), ["a"],
                "refused: data sources are not supported"
            ),
            (
                claim { $0.spec.accessModes = ["ReadWriteMany"] }, storageClass(), ["a"],
                "refused: volumes on a node's disk are not ReadWriteMany"
            ),
            (
                claim(), storageClass { $0.parameters["path"] = "/data/../etc" }, ["a"],
                "refused: the class' parameter path is no absolute path: /data/../etc"
            ),
            (
                claim(), storageClass { $0.parameters["path"] = "data" }, ["a"],
                "refused: the class' parameter path is no absolute path: data"
            ),
        ] as [(CoreV1.PersistentVolumeClaim, StorageV1.StorageClass, [String], String)]
    )
    func plans(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ storageClass: StorageV1.StorageClass,
        _ ready: [String],
        _ outcome: String
    ) {
        let nodes = ready.map { Self.node($0) } + [Self.node("0", isReady: false)]
        let plan = LocalVolumePlan(for: claim, of: storageClass, nodes: nodes, volumes: [])
        switch plan {
        case .nothing: #expect(outcome == "nothing")
        case .refuse(let problem): #expect(outcome == "refused: \(problem)")
        case .selectAnew: #expect(outcome == "anew")
        case .create(let volume):
            #expect(LocalVolumePlan.hostname(of: volume) == outcome)
            #expect(volume.metadata.name == "pvc-1")
            #expect(volume.spec.persistentVolumeSource.local?.path == "/var/lib/apus/volumes/pvc-1")
        }
    }

    @Test("the node with the fewest volumes is taken")
    func spread() {
        let nodes = ["a", "b"].map { Self.node($0) }
        guard
            case .create(let first) = LocalVolumePlan(
                for: Self.claim(),
                of: Self.storageClass(),
                nodes: nodes,
                volumes: []
            ),
            case .create(let second) = LocalVolumePlan(
                for: Self.claim { $0.metadata.uid = "2" },
                of: Self.storageClass(),
                nodes: nodes,
                volumes: [first]
            )
        else {
            Issue.record("no volume")
            return
        }
        #expect(LocalVolumePlan.hostname(of: first) == "a")
        #expect(LocalVolumePlan.hostname(of: second) == "b")
    }

    @Test("a claim that names no class gets the default one when there is one, however late")
    func lateDefaultClass() async throws {
        let harness = ControllerHarness()
        let claims = harness.client(CoreV1.PersistentVolumeClaim.self)
        let classes = harness.client(StorageV1.StorageClass.self)
        let controllers: [any Controller] = [
            VolumeBinder(harness.context()), LocalVolumeProvisioner(harness.context()),
        ]
        try await harness.run(controllers) {
            // Empty is no class, and stays so.
            for (name, storageClass) in [("none", ""), ("any", nil)] as [(String, String?)] {
                _ = try await claims.create(
                    Self.claim {
                        $0.metadata.name = name
                        $0.spec.storageClassName = storageClass
                    }
                )
            }
            let isWaiting = try await harness.poll {
                try await claims.list().items.allSatisfy { $0.status.phase == "Pending" }
            }
            #expect(isWaiting)
            _ = try await classes.create(
                Self.storageClass {
                    $0.metadata.annotations["storageclass.kubernetes.io/is-default-class"] = "true"
                }
            )
            // Nothing can be made while no node is ready.
            let hasClass = try await harness.poll {
                try await claims.get("any", in: "default").spec.storageClassName == "local"
            }
            #expect(hasClass)
            let nodes = harness.client(CoreV1.Node.self)
            _ = try await nodes.create(Self.node("a", isReady: false))
            _ = try await nodes.updateStatus(Self.node("a"))
            let isBound = try await harness.poll {
                try await claims.get("any", in: "default").status.phase == "Bound"
            }
            #expect(isBound)
            let other = try await claims.get("none", in: "default")
            #expect(other.spec.storageClassName == "" && other.spec.volumeName.isEmpty)
        }
    }

    @Test(
        "of several default classes the newest counts",
        arguments: [
            ([("a", 1, true), ("b", 2, true), ("c", 3, false)], "b"),
            ([("b", 1, true), ("a", 1, true)], "a"),
            ([("a", 1, false)], nil),
            ([], nil),
        ] as [([(String, Int64, Bool)], String?)]
    )
    func defaultClass(_ classes: [(String, Int64, Bool)], _ name: String?) {
        let chosen = DefaultClass.choose(
            classes.map { name, seconds, isDefault in
                Self.storageClass {
                    $0.metadata.name = name
                    $0.metadata.creationTimestamp = MetaV1.Time.with { $0.seconds = seconds }
                    $0.metadata.annotations["storageclass.kubernetes.io/is-default-class"] =
                        isDefault ? "true" : "false"
                }
            }
        )
        #expect(chosen?.metadata.name == name)
    }

    @Test(
        "what cannot be done with a volume whose claim is gone",
        arguments: [
            // policy, provisioner, path on the host, reason and message
            ("Retain", nil, nil, nil), ("Delete", "apus.dev/local", nil, nil),
            ("Delete", nil, "/tmp/data", nil),
            (
                "Delete", nil, "/data",
                "VolumeFailedDelete: host_path deleter only supports /tmp/.+ but received provided"
                    + " /data"
            ),
            (
                "Delete", nil, nil,
                "VolumeFailedDelete: error getting deleter volume plugin for volume \"disk\":"
                    + " no deletable volume plugin matched"
            ),
            (
                "Delete", "kubernetes.io/old", nil,
                "VolumeFailedDelete: error getting deleter volume plugin for volume \"disk\":"
                    + " no deletable volume plugin matched"
            ),
            ("Recycle", nil, nil, "VolumeFailedRecycle: No recycler plugin found for the volume!"),
        ] as [(String, String?, String?, String?)]
    )
    func reclaim(_ policy: String, _ provisioner: String?, _ path: String?, _ failure: String?) {
        let volume = CoreV1.PersistentVolume.with {
            $0.metadata.name = "disk"
            $0.metadata.annotations["pv.kubernetes.io/provisioned-by"] = provisioner
            $0.spec.persistentVolumeReclaimPolicy = policy
            if let path {
                $0.spec.persistentVolumeSource.hostPath = .with { $0.path = path }
            } else {
                $0.spec.persistentVolumeSource.nfs = .with { $0.path = "/share" }
            }
        }
        #expect(VolumeReclaim.failure(of: volume).map { "\($0.reason): \($0.message)" } == failure)
    }

    @Test("a volume that nobody can delete fails when its claim is gone")
    func failedVolume() async throws {
        let harness = ControllerHarness()
        let claims = harness.client(CoreV1.PersistentVolumeClaim.self)
        let volumes = harness.client(CoreV1.PersistentVolume.self)
        try await harness.run([VolumeBinder(harness.context())]) {
            _ = try await volumes.create(
                CoreV1.PersistentVolume.with {
                    $0.metadata.name = "disk"
                    $0.spec.accessModes = ["ReadWriteOnce"]
                    $0.spec.storageClassName = "none"
                    $0.spec.persistentVolumeReclaimPolicy = "Delete"
                    $0.spec.persistentVolumeSource.hostPath = .with { $0.path = "/data" }
                }
            )
            _ = try await claims.create(Self.claim { $0.spec.storageClassName = "none" })
            let isBound = try await harness.poll {
                try await claims.get("data", in: "default").status.phase == "Bound"
            }
            #expect(isBound)
            try await claims.delete("data", in: "default")
            let hasFailed = try await harness.poll {
                try await volumes.get("disk").status.phase == "Failed"
            }
            #expect(hasFailed)
            let message = try await volumes.get("disk").status.message
            #expect(message.hasPrefix("host_path deleter only supports /tmp/.+"))
        }
    }
}
