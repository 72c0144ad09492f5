// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Kubeconfig
import NFTables
public import PKI

/// Looks for what keeps a cluster from working on this machine.
public struct Doctor: Sendable {
    private let options: ClusterOptions

    public init(_ options: ClusterOptions) {
        self.options = options
    }

    private var layout: ClusterLayout { self.options.layout }

    /// How long the API server may take to say how the node is.
    private static let timeout = Duration.seconds(3)
    /// Who restarts more often than this has a problem.
    private static let usualRestarts = 3

    /// What was found, about the host first, then about the cluster if there is one.
    public func run(at now: CertificateTime) async throws(FileError) -> [Finding] {
        let status = try ClusterStatus.read(self.layout)
        var facts = HostFacts.gather(self.layout, isRunning: status.isSupervised)
        if facts.isRoot {
            do throws(NFTables.Failure) {
                _ = try NFTables().run("list tables")
            } catch {
                facts.packetFilterProblem = "\(error)"
            }
        }
        let authority = try ClusterFile.read(self.layout.certificate("ca"))
            .flatMap { try? Certificate.all(pem: $0).first }
        facts.authorityBegins = authority?.notBefore.secondsSinceEpoch
        var findings = HostChecks(facts: facts, layout: self.layout).findings
        guard authority != nil else { return findings }
        findings += self.certificates(at: now)
        findings += self.components(status)
        if status.isSupervised, !self.options.controlPlaneOnly {
            findings.append(await self.node())
        }
        return findings
    }

    private func components(_ status: ClusterStatus) -> [Finding] {
        guard status.isSupervised else {
            return [.warning("cluster", "it is not running", fix: "apus up")]
        }
        return status.rows.map { row in
            let log = self.layout.log(row.name)
            guard row.state == "ready" else {
                let end = row.lastExit.isEmpty ? "" : "; its last end: \(row.lastExit)"
                return .failure(row.name, "\(row.state)\(end)", fix: "see \(log)")
            }
            return row.restarts <= Self.usualRestarts
                ? .ok(row.name, "ready")
                : .warning(
                    row.name,
                    "ready, but it was started \(row.restarts) times again (\(row.lastExit))",
                    fix: "see \(log)"
                )
        }
    }

    private func certificates(at now: CertificateTime) -> [Finding] {
        let listing: CertificateListing
        do throws(PKIError) {
            listing = try CertificateListing(folder: self.layout.pki)
        } catch {
            return [.failure("certificates", "\(error)", fix: "apus up makes what is missing")]
        }
        return listing.entries.compactMap { entry in
            switch entry.result {
            case .failure(let error):
                .failure(
                    "certificate \(entry.path)",
                    "\(error)",
                    fix: "see docs/troubleshooting.md"
                )
            case .success(let certificate):
                certificate.notAfter >= now.advanced(by: Self.soon)
                    ? nil
                    : .failure(
                        "certificate \(entry.path)",
                        "ends within 30 days, or has ended: \(certificate.notAfter)",
                        fix: "apus certs renew --all \(self.layout.pki), then apus down, apus up"
                    )
            }
        }
    }

    private static let soon = Duration.seconds(30 * 86_400)

    private func node() async -> Finding {
        do throws(KubeconfigError) {
            guard let reason = try await NodeReadiness(self.options).wait(timeout: Self.timeout)
            else { return .ok("node \(self.options.nodeName)", "ready") }
            return .failure(
                "node \(self.options.nodeName)",
                "not ready: \(reason)",
                fix: "see \(self.layout.log("kubelet"))"
            )
        } catch {
            return .failure("node", "\(error)", fix: "apus up writes the kubeconfigs anew")
        }
    }
}
