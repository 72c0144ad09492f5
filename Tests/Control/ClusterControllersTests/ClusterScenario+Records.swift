// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Scalars

extension ClusterScenario {
    private static let system = "kube-system"
    private static let part = "example.com/part"

    /// Roles and their parts, quotas and what counts, bootstrap tokens, certificate requests, pods with
    /// volumes of their own: in the end each record says what is there, and nothing is left that had
    /// its time.
    static let records = ClusterScenario(
        name: "records",
        resources: [
            "clusterroles.rbac.authorization.k8s.io", "secrets", "configmaps", "pods",
            "persistentvolumeclaims", "resourcequotas",
            "certificatesigningrequests.certificates.k8s.io",
        ],
        controllers: { harness, monitor in
            [
                ClusterRoleAggregationController(harness.context()),
                ResourceQuotaController(harness.context(), monitor: monitor),
                BootstrapSigner(harness.context()), TokenCleaner(harness.context()),
                CertificateCleaner(harness.context()),
                EphemeralVolumeController(harness.context()),
            ]
        },
        disturb: { harness, storm in
            let number = storm.random(below: 5)
            switch storm.random(below: 5) {
            case 0: try await Self.changeRole(harness, storm, number)
            case 1: try await Self.changeToken(harness, storm, number)
            case 2:
                _ = try? await harness.client(CoreV1.ResourceQuota.self).create(
                    CoreV1.ResourceQuota.with {
                        $0.metadata.name = "team"
                        $0.metadata.namespace = "default"
                        $0.spec.hard["pods"] = Resource.Quantity(Quantity(Int64(50)))
                    }
                )
            case 3:
                _ = try? await harness.client(CertificatesV1.CertificateSigningRequest.self).create(
                    CertificatesV1.CertificateSigningRequest.with {
                        $0.metadata.generateName = "csr-"
                    }
                )
            default: try await Self.changePod(harness, storm)
            }
        },
        settle: { harness in harness.advance(by: .seconds(25 * 3600)) },
        isDone: { harness in
            let requests = harness.client(CertificatesV1.CertificateSigningRequest.self)
            guard try await requests.list().items.isEmpty else { return false }
            guard try await Self.areRolesRight(harness) else { return false }
            guard try await Self.areTokensRight(harness) else { return false }
            return try await Self.arePodsRight(harness)
        },
        problems: { cluster in
            // A claim that a pod's volume was made for never changed hands.
            var owners: [String: String] = [:]
            return cluster.history(of: CoreV1.PersistentVolumeClaim.self).compactMap {
                version,
                _,
                claim in
                let owner = claim.metadata.ownerReferences.first?.uid ?? ""
                let known = owners.updateValue(owner, forKey: claim.metadata.uid)
                return known == nil || known == owner
                    ? nil : "\(claim.metadata.name) changed hands at \(version)"
            }
        }
    )

    // MARK: Roles

    private static func changeRole(
        _ harness: ControllerHarness,
        _ storm: Storm,
        _ number: Int
    ) async throws {
        let roles = harness.client(RbacV1.ClusterRole.self)
        switch storm.random(below: 3) {
        case 0: _ = try? await roles.delete("part-\(number)")
        case 1:
            _ = try? await roles.create(
                RbacV1.ClusterRole.with {
                    $0.metadata.name = "all"
                    $0.aggregationRule = RbacV1.AggregationRule.with {
                        $0.clusterRoleSelectors = [
                            MetaV1.LabelSelector.with { $0.matchLabels[self.part] = "true" }
                        ]
                    }
                }
            )
        default:
            _ = try? await roles.create(
                RbacV1.ClusterRole.with {
                    $0.metadata.name = "part-\(number)"
                    $0.metadata.labels[self.part] = "true"
                    $0.rules = [RbacV1.PolicyRule.with { $0.verbs = ["verb-\(number)"] }]
                }
            )
        }
    }

    private static func areRolesRight(_ harness: ControllerHarness) async throws -> Bool {
        let roles = try await harness.client(RbacV1.ClusterRole.self).list().items
        guard let all = roles.first(where: { $0.metadata.name == "all" }) else { return true }
        let parts = roles.filter { $0.metadata.labels[self.part] == "true" }
            .sorted { $0.metadata.name < $1.metadata.name }
        return all.rules.flatMap { Array($0.verbs) }
            == parts.flatMap { $0.rules.flatMap { Array($0.verbs) } }
    }

    // MARK: Bootstrap tokens

    private static func changeToken(
        _ harness: ControllerHarness,
        _ storm: Storm,
        _ number: Int
    ) async throws {
        let secrets = harness.client(CoreV1.Secret.self)
        _ = try? await harness.client(CoreV1.ConfigMap.self).create(
            CoreV1.ConfigMap.with {
                $0.metadata.name = "cluster-info"
                $0.metadata.namespace = "kube-public"
                $0.data["kubeconfig"] = "content"
            }
        )
        let id = "abcde\(number)"
        let name = "bootstrap-token-\(id)"
        if storm.random(below: 3) == 0 {
            _ = try? await secrets.delete(name, in: self.system)
            return
        }
        let ends = harness.clock.now.advanced(by: .seconds(100)).text(as: .time)
        let isShort = storm.random(below: 2) == 0
        _ = try? await secrets.create(
            BootstrapTokenTests.secret(id, isShort ? ["expiration": ends] : [:])
        )
    }

    private static func areTokensRight(_ harness: ControllerHarness) async throws -> Bool {
        let secrets = try await harness.client(CoreV1.Secret.self).list(in: self.system).items
        guard secrets.allSatisfy({ $0.data["expiration"] == nil }) else { return false }
        let maps = harness.client(CoreV1.ConfigMap.self)
        guard let map = try? await maps.get("cluster-info", in: "kube-public") else { return true }
        let signed = Set(map.data.keys.filter { $0 != "kubeconfig" })
        return signed
            == Set(secrets.map { "jws-kubeconfig-\($0.metadata.name.split(separator: "-")[2])" })
    }

    // MARK: Pods, their claims, and the quota

    private static func changePod(_ harness: ControllerHarness, _ storm: Storm) async throws {
        let pods = harness.client(CoreV1.Pod.self)
        let present = try await pods.list(in: "default").items
            .sorted { $0.metadata.name < $1.metadata.name }
        if storm.random(below: 3) == 0, !present.isEmpty {
            let name = present[storm.random(below: present.count)].metadata.name
            _ = try? await pods.delete(name, in: "default")
            return
        }
        _ = try? await pods.create(
            CoreV1.Pod.with { pod in
                pod.metadata.generateName = "pod-"
                pod.metadata.namespace = "default"
                pod.spec.volumes = [
                    CoreV1.Volume.with {
                        $0.name = "scratch"
                        $0.volumeSource.ephemeral = CoreV1.EphemeralVolumeSource.with {
                            $0.volumeClaimTemplate = CoreV1.PersistentVolumeClaimTemplate.with {
                                $0.spec.accessModes = ["ReadWriteOnce"]
                            }
                        }
                    }
                ]
            }
        )
    }

    private static func arePodsRight(_ harness: ControllerHarness) async throws -> Bool {
        let pods = try await harness.client(CoreV1.Pod.self).list(in: "default").items
        let claims = try await harness.client(CoreV1.PersistentVolumeClaim.self).list().items
        let quotas = harness.client(CoreV1.ResourceQuota.self)
        if let quota = try? await quotas.get("team", in: "default"),
            quota.status.used["pods"]?.string != "\(pods.count)"
        {
            return false
        }
        return pods.allSatisfy { pod in
            claims.contains { claim in
                claim.metadata.name == "\(pod.metadata.name)-scratch"
                    && claim.metadata.ownerReferences.contains { $0.uid == pod.metadata.uid }
            }
        }
    }
}
