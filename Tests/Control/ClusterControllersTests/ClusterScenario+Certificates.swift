// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Clocks
import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import PKI
import Protobuf
import ResourceClient
import Scalars
import Testing

extension ClusterScenario {
    /// Kubelets and people ask for certificates, people approve and deny, and permissions come late.
    /// In the end each request has what its requester may have and its signer grants; on the way
    /// nothing was approved that nobody was permitted to have, nothing was signed that was not
    /// approved, and no certificate was ever replaced.
    static let certificates = ClusterScenario(
        name: "certificates",
        resources: ["certificatesigningrequests.certificates.k8s.io"],
        controllers: { harness, _ in
            [
                CertificateApprover(harness.context()),
                CertificateSigner(
                    harness.context(),
                    authority: Self.authority,
                    duration: .seconds(365 * 86_400)
                ),
            ]
        },
        disturb: { harness, storm in
            let number = storm.random(below: Self.asks.count)
            switch storm.random(below: 5) {
            case 0: Self.permit(harness, number)
            case 1: await Self.decide(harness, storm, "Approved")
            case 2: await Self.decide(harness, storm, "Denied")
            default:
                let csr = Self.asks[number].csr
                _ = try? await harness.client(CertificatesV1.CertificateSigningRequest.self)
                    .create(csr)
            }
        },
        settle: { harness in
            for number in Self.asks.indices { Self.permit(harness, number) }
        },
        isDone: { harness in
            let requests = harness.client(CertificatesV1.CertificateSigningRequest.self)
            return try await requests.list().items.allSatisfy(Self.isSettled)
        },
        problems: { cluster in
            var problems: [String] = []
            var certificates: [String: Bytes] = [:]
            for (version, _, csr) in cluster.history(
                of: CertificatesV1.CertificateSigningRequest.self
            ) {
                for problem in Self.problems(csr, cluster, version) {
                    problems.append("\(csr.metadata.name) at \(version): \(problem)")
                }
                let certificate = csr.status.certificate ?? Bytes()
                let known = certificates.updateValue(certificate, forKey: csr.metadata.uid)
                if let known, !known.isEmpty, known != certificate {
                    problems.append("\(csr.metadata.name) at \(version): another certificate")
                }
            }
            return problems
        }
    )

    /// What somebody asks for, and what becomes of it at best.
    private struct Ask {
        var csr: CertificatesV1.CertificateSigningRequest
        /// A kubelet asks, so that nobody has to approve.
        var isAutomatic = false
        var isGranted = true
        /// Nobody signs for this signer.
        var isSigned = true
    }

    private static let asks: [Ask] = {
        let client = ["digital signature", "client auth"]
        let serving = ["digital signature", "key encipherment", "server auth"]
        let node = "system:node:a"
        let nodes = "system:nodes"
        return [
            Ask(
                csr: Self.csr(CertificateRules.kubeletClientSigner, node, node, nodes, client),
                isAutomatic: true
            ),
            Ask(
                csr: Self.csr(
                    CertificateRules.kubeletClientSigner,
                    "system:bootstrap:abcdef",
                    node,
                    nodes,
                    client
                ),
                isAutomatic: true
            ),
            Ask(
                csr: Self.csr(CertificateRules.kubeletClientSigner, node, node, "devs", client),
                isGranted: false
            ),
            Ask(
                csr: Self.csr(
                    CertificateRules.kubeletServingSigner,
                    node,
                    node,
                    nodes,
                    serving,
                    hosts: ["a.example.com", "10.0.0.1"]
                )
            ),
            Ask(
                csr: Self.csr(CertificateRules.kubeletServingSigner, node, node, nodes, serving),
                isGranted: false
            ),
            Ask(csr: Self.csr(CertificateRules.clientSigner, "jane", "jane", "devs", client)),
            Ask(
                csr: Self.csr(CertificateRules.clientSigner, "jane", "jane", "devs", serving),
                isGranted: false
            ),
            Ask(
                csr: Self.csr("example.com/own", "jane", "jane", "devs", client),
                isSigned: false
            ),
        ]
    }()

    private static let authority: CertificateAuthority? = {
        guard let key = try? PrivateKey(generating: .p256) else { return nil }
        return try? CertificateAuthority.root(
            .authority("kubernetes"),
            key: key,
            at: CertificateTime(secondsSinceEpoch: 1_800_000_000)
        )
    }()

    private static func csr(
        _ signer: String,
        _ user: String,
        _ name: String,
        _ organization: String,
        _ usages: [String],
        hosts: [String] = []
    ) -> CertificatesV1.CertificateSigningRequest {
        var template = CertificateTemplate(
            subject: Subject(commonName: name, organizations: [organization])
        )
        template.alternativeNames = AlternativeNames(hosts: hosts)
        let request = (try? PrivateKey(generating: .p256)).flatMap {
            try? CertificateRequest(template, key: $0)
        }
        return CertificatesV1.CertificateSigningRequest.with {
            $0.metadata.generateName = "csr-"
            $0.spec.signerName = signer
            $0.spec.username = user
            $0.spec.usages = RepeatedField(usages)
            $0.spec.request = Bytes(utf8: request?.pem ?? "")
        }
    }

    private static func ask(_ csr: CertificatesV1.CertificateSigningRequest) -> Ask? {
        self.asks.first { $0.csr.spec == csr.spec }
    }

    // MARK: People

    private static let actions = ["selfnodeclient", "nodeclient"].map {
        "create certificatesigningrequests/\($0)"
    }

    private static func permit(_ harness: ControllerHarness, _ number: Int) {
        let user = self.asks[number].csr.spec.username
        guard self.asks[number].isAutomatic else { return }
        // Only who is a node already may ask for itself.
        harness.cluster.permit(user, self.actions[user.hasPrefix("system:node:") ? 0 : 1])
    }

    /// Somebody approves or denies a request that nobody has decided about.
    private static func decide(
        _ harness: ControllerHarness,
        _ storm: Storm,
        _ decision: String
    ) async {
        let requests = harness.client(CertificatesV1.CertificateSigningRequest.self)
        let open = ((try? await requests.list().items) ?? [])
            .filter { !$0.has("Approved") && !$0.has("Denied") }
            .sorted { $0.metadata.name < $1.metadata.name }
        guard !open.isEmpty else { return }
        var csr = open[storm.random(below: open.count)]
        csr.status.conditions.append(
            CertificatesV1.CertificateSigningRequestCondition.with {
                $0.type = decision
                $0.status = "True"
                $0.reason = "Decided"
            }
        )
        // The controllers may be faster.
        _ = try? await requests.update(csr, subresource: "approval")
    }

    // MARK: What must be true

    private static func isSettled(_ csr: CertificatesV1.CertificateSigningRequest) -> Bool {
        guard let ask = self.ask(csr) else { return false }
        let isIssued = !(csr.status.certificate?.isEmpty ?? true)
        if csr.has("Denied") { return !isIssued }
        guard csr.has("Approved") else { return !ask.isAutomatic && !isIssued }
        guard ask.isSigned else { return !isIssued && !csr.has("Failed") }
        return ask.isGranted ? isIssued : csr.has("Failed")
    }

    private static func problems(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ cluster: MemoryCluster,
        _ version: Int
    ) -> [String] {
        guard let ask = self.ask(csr) else { return ["it is not what was asked for"] }
        var problems: [String] = []
        if Set(csr.status.conditions.map(\.type)).count != csr.status.conditions.count {
            problems.append("a condition twice")
        }
        if csr.has("Approved"), csr.has("Denied") { problems.append("approved and denied") }
        if csr.status.conditions.contains(where: { $0.reason == "AutoApproved" }) {
            let since = self.actions.compactMap { cluster.permitted(csr.spec.username, $0) }.min()
            if !ask.isAutomatic || (since ?? .max) > version {
                problems.append("approved without permission")
            }
        }
        guard let pem = csr.status.certificate, !pem.isEmpty else { return problems }
        if !csr.has("Approved") || csr.has("Failed") { problems.append("signed all the same") }
        if !ask.isGranted || !ask.isSigned { problems.append("signed against the rules") }
        guard let certificate = try? Certificate(pem: Array(pem)),
            let request = try? CertificateRequest(pem: Array(csr.spec.request ?? Bytes())),
            let authority = self.authority
        else { return problems + ["no certificate"] }
        let uses = CertificateRules.uses(csr)
        if !authority.hasIssued(certificate) { problems.append("another CA's certificate") }
        if certificate.subject != request.subject || certificate.publicKey != request.publicKey
            || certificate.alternativeNames != request.alternativeNames
        {
            problems.append("somebody else's certificate")
        }
        if certificate.keyUsage != uses.key || certificate.extendedKeyUsages != uses.extended
            || certificate.authority != nil
        {
            problems.append("a certificate for more than was asked")
        }
        if certificate.notAfter > authority.certificate.notAfter {
            problems.append("longer valid than its CA")
        }
        return problems
    }
}
