// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Logging
import NodeHost
import PKI
import RPCInterface

/// Keeps one certificate of the kubelet valid: asks for it when there is none, before its end, and
/// when the node has other names.
///
/// Programs find it at the path of its store; connections take the newest.
final class CertificateManager: Sendable {
    private static let firstPause = Duration.seconds(2)
    private static let longestPause = Duration.seconds(128)
    /// After a certificate: a signer may give such that are due at once.
    private static let rest = Duration.seconds(10)
    /// The clock may jump: the certificate is looked at anew at least this often.
    private static let longestSleep = Duration.seconds(3600)

    let store: CertificateStore
    private let client: CertificateSigningClient
    /// What it shall say; nil while that is not known.
    private let template: @Sendable () -> CertificateTemplate?
    private let logger: Logger
    private let nudge = Wakeup()
    private let obtained = Wakeup()

    init(
        store: CertificateStore,
        purpose: CertificateSigningClient.Purpose,
        channel: any RPCChannel,
        logger: Logger,
        template: @escaping @Sendable () -> CertificateTemplate?
    ) {
        self.store = store
        self.client = CertificateSigningClient(channel, for: purpose)
        self.template = template
        self.logger = logger
    }

    /// What the certificate shall say may have changed.
    func wake() { self.nudge.wake() }

    /// Waits until there is a certificate that can be used, or the task is cancelled.
    func waitForCertificate() async {
        while !Task.isCancelled {
            let current = await HostThreads.run { [store] in store.current() }
            if let current, .now() <= current.certificate.notAfter { return }
            await self.obtained.wait()
        }
    }

    /// Runs until the task is cancelled.
    func run() async {
        var jitter = Double.random(in: 0...1)
        var pause = Self.firstPause
        while !Task.isCancelled {
            guard let template = self.template() else {
                await self.nudge.wait(for: Self.firstPause)
                continue
            }
            let current = await HostThreads.run { [store] in store.current()?.certificate }
            let now = CertificateTime.now()
            let reason = CertificateRotation.reason(
                current: current,
                template: template,
                jitter: jitter,
                at: now
            )
            guard let reason else {
                let deadline = current.map { CertificateRotation.deadline(of: $0, jitter: jitter) }
                let left = deadline.map { now.duration(to: $0) } ?? .zero
                await self.nudge.wait(for: min(max(left, .seconds(1)), Self.longestSleep))
                continue
            }
            do throws(CertificateFailure) {
                let end = try await self.request(template)
                self.logger.notice(
                    "the certificate is replaced",
                    metadata: [
                        "file": "\(self.store.currentPath)", "because": "\(reason.rawValue)",
                        "until": "\(end)",
                    ]
                )
                jitter = Double.random(in: 0...1)
                pause = Self.firstPause
                self.obtained.wake()
                await self.nudge.wait(for: Self.rest)
            } catch {
                self.logger.warning(
                    "no certificate from the cluster",
                    metadata: ["file": "\(self.store.currentPath)", "error": "\(error)"]
                )
                await self.nudge.wait(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// - Returns: when the new certificate ends.
    private func request(
        _ template: CertificateTemplate
    ) async throws(CertificateFailure) -> CertificateTime {
        let key: PrivateKey
        let request: CertificateRequest
        do throws(PKIError) {
            key = try PrivateKey(generating: .p256)
            request = try CertificateRequest(template, key: key)
        } catch {
            throw .certificate(error)
        }
        let chain = try await self.client.obtain(request)
        return try await self.store.keep(chain, of: key)
    }
}

extension CertificateStore {
    /// Saves what the cluster issued.
    ///
    /// - Returns: when it ends.
    func keep(
        _ chain: [Certificate],
        of key: PrivateKey
    ) async throws(CertificateFailure) -> CertificateTime {
        let pair: KeyPair
        do throws(PKIError) {
            pair = try KeyPair(chain: chain, key: key)
        } catch {
            throw .certificate(error)
        }
        do throws(HostError) {
            try await HostThreads.run { () throws(HostError) in try self.save(pair, at: .now()) }
        } catch {
            throw .file(error)
        }
        return pair.certificate.notAfter
    }
}
