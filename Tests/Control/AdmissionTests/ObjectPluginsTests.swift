// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import Bytes
import KubernetesAPI
import ObjectModel
import PKI
import Protobuf
import Scalars
import Testing

@Suite("Storage plugins")
struct StoragePluginsTests {
    static func claim(
        _ size: Int64,
        storageClass: String? = "growing",
        phase: String = "Bound"
    ) -> CoreV1.PersistentVolumeClaim {
        .with {
            $0.metadata.name = "c"
            $0.metadata.namespace = "a"
            $0.spec.storageClassName = storageClass
            $0.spec.resources.requests["storage"] = .init(Quantity(size))
            $0.status.phase = phase
        }
    }

    static func cluster() -> MemoryObjects {
        let objects = MemoryObjects()
        for (name, second, isDefault) in [
            ("old", 1, true), ("new", 2, true), ("growing", 3, false),
        ]
            as [(String, Int64, Bool)]
        {
            objects.put(
                "storageclasses",
                group: "storage.k8s.io",
                StorageV1.StorageClass.with {
                    $0.metadata.name = name
                    $0.metadata.creationTimestamp = MetaV1.Time(Timestamp(seconds: second))
                    $0.allowVolumeExpansion = name == "growing"
                    if isDefault {
                        $0.metadata.annotations["storageclass.kubernetes.io/is-default-class"] =
                            "true"
                    }
                }
            )
        }
        return objects
    }

    @Test("gives the newest default class to claims without one")
    func defaultClass() async {
        for (given, expected) in [(nil, "new"), ("", ""), ("old", "old")] as [(String?, String)] {
            let (attributes, _) = await AdmissionCase.run(
                AdmissionCase.attributes(
                    .create,
                    "persistentvolumeclaims",
                    Self.claim(1, storageClass: given)
                ),
                DefaultStorageClass(Self.cluster())
            )
            let claim = attributes.object?.message(as: CoreV1.PersistentVolumeClaim.self)
            #expect(claim?.spec.storageClassName == expected)
        }
    }

    @Test("keeps claims until nobody uses them")
    func protection() async {
        let (attributes, _) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "persistentvolumeclaims", Self.claim(1)),
            StorageObjectInUseProtection()
        )
        #expect(attributes.object?.metadata.finalizers == ["kubernetes.io/pvc-protection"])
    }

    @Test(
        "lets claims grow whose class allows it",
        arguments: [
            (2, "growing", "Bound", nil), (1, "old", "Bound", nil),
            (2, "growing", "Pending", "Only bound persistent volume claims can be expanded"),
            (
                2, "old", "Bound",
                "only dynamically provisioned pvc can be resized and the storageclass that "
                    + "provisions the pvc must support resize"
            ),
        ] as [(Int64, String, String, String?)]
    )
    func resize(_ size: Int64, _ name: String, _ phase: String, _ why: String?) async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .update,
                "persistentvolumeclaims",
                Self.claim(size, storageClass: name, phase: phase),
                old: Self.claim(1, storageClass: name, phase: phase)
            ),
            PersistentVolumeClaimResize(Self.cluster())
        )
        #expect(
            refusal?.message == why.map { "persistentvolumeclaims \"c\" is forbidden: \($0)" }
        )
    }
}

@Suite("TaintNodesByCondition")
struct TaintNodesByConditionTests {
    @Test("taints a new node once")
    func taints() async {
        var node = CoreV1.Node.with { $0.metadata.name = "n" }
        for _ in 0..<2 {
            let (attributes, _) = await AdmissionCase.run(
                AdmissionCase.attributes(.create, "nodes", node),
                TaintNodesByCondition()
            )
            node = attributes.object?.message(as: CoreV1.Node.self) ?? node
            #expect(node.spec.taints.map(\.key) == ["node.kubernetes.io/not-ready"])
        }
    }
}

@Suite("Certificate plugins")
struct CertificatePluginsTests {
    /// Allows to approve for one signer alone.
    struct Approver: Authorizer {
        func authorize(
            _ attributes: AuthorizationAttributes
        ) async -> AuthorizationDecision {
            attributes.verb == "approve" && attributes.name == "example.com/*"
                && attributes.resource == "signers"
                ? .allow(reason: "") : .noOpinion(reason: "")
        }
    }

    static func request(
        _ signer: String,
        _ content: [UInt8] = [],
        certificate: String? = nil
    ) -> CertificatesV1.CertificateSigningRequest {
        .with {
            $0.metadata.name = "r"
            $0.spec.signerName = signer
            $0.spec.request = Bytes(content)
            $0.status.certificate = certificate.map { Bytes(utf8: $0) }
        }
    }

    @Test("approves for signers that one may approve for")
    func approval() async {
        for (signer, why) in [
            ("example.com/a", nil),
            (
                "kubernetes.io/kubelet-serving",
                "user not permitted to approve requests with signerName "
                    + "\"kubernetes.io/kubelet-serving\""
            ),
        ] as [(String, String?)] {
            let (_, refusal) = await AdmissionCase.run(
                AdmissionCase.attributes(
                    .update,
                    "certificatesigningrequests",
                    group: "certificates.k8s.io",
                    subresource: "approval",
                    Self.request(signer),
                    old: Self.request(signer)
                ),
                CertificateApproval(Approver())
            )
            #expect(
                refusal?.message
                    == why.map {
                        "certificatesigningrequests.certificates.k8s.io \"r\" is forbidden: \($0)"
                    }
            )
        }
    }

    @Test("signs for nobody who may not")
    func signing() async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                .update,
                "certificatesigningrequests",
                group: "certificates.k8s.io",
                subresource: "status",
                Self.request("example.com/a", certificate: "x"),
                old: Self.request("example.com/a")
            ),
            CertificateSigning(Approver())
        )
        #expect(refusal?.code == 403)
    }

    @Test("makes no masters")
    func subjects() async throws {
        for (group, isRefused) in [("system:masters", true), ("team", false)] {
            let template = CertificateTemplate.client("a", organizations: [group])
            let key = try PrivateKey(generating: .p256)
            let content = try CertificateRequest(template, key: key).pem
            let (_, refusal) = await AdmissionCase.run(
                AdmissionCase.attributes(
                    .create,
                    "certificatesigningrequests",
                    group: "certificates.k8s.io",
                    Self.request("kubernetes.io/kube-apiserver-client", Array(content.utf8))
                ),
                CertificateSubjectRestriction()
            )
            #expect((refusal != nil) == isRefused)
        }
    }
}
