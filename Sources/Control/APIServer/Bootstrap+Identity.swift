// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Crypto
import Glibc
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import Scalars

extension Bootstrap {
    /// Tells extension API servers whose client certificates are trusted here.
    ///
    /// Source: upstream `pkg/controlplane/controller/clusterauthenticationtrust`.
    func ensureClientAuthority() async throws(StatusError) {
        let authority = self.configuration.clientAuthority
        guard !authority.isEmpty else { return }
        let map = CoreV1.ConfigMap.with {
            $0.metadata.name = "extension-apiserver-authentication"
            $0.metadata.namespace = "kube-system"
            $0.data["client-ca-file"] = authority
        }
        try await self.write(APIObject(map)) { (old: inout CoreV1.ConfigMap) in
            old.data["client-ca-file"] = authority
        }
    }
}

/// The Lease in `kube-system` that says that this server is there.
///
/// Upstream renews it every ten seconds; it is good for an hour, and here it is renewed so rarely
/// that an idle server stays idle.
///
/// Source: upstream `pkg/controlplane/apiserver/server.go`, KEP-1965.
struct IdentityLease: Sendable {
    let registry: Registry
    let hostName: String
    private let holder: String

    /// How long the lease is good, in seconds.
    static let seconds: Int32 = 3600
    private static let renewal: Duration = .seconds(600)

    init(registry: Registry, hostName: String = IdentityLease.hostName()) {
        self.registry = registry
        self.hostName = hostName
        self.holder = "\(Self.name(of: hostName))_\(Identifiers.uid())"
    }

    /// The name of a host's server: `apiserver-` and half of the host name's SHA-256 in base 32.
    static func name(of hostName: String) -> String {
        let digits = Array("abcdefghijklmnopqrstuvwxyz234567")
        var text = "apiserver-"
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in SHA256.hash(data: Array(hostName.utf8)).prefix(16) {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(digits[Int(bits >> count & 31)])
            }
        }
        if count > 0 { text.append(digits[Int(bits << (5 - count) & 31)]) }
        return text
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// Renews the lease until the task is cancelled. A failure waits for the next time.
    func run() async {
        while !Task.isCancelled {
            try? await self.renew(.current())
            try? await Task.sleep(for: Self.renewal)
        }
    }

    /// Makes the lease, or renews it.
    func renew(_ now: Timestamp) async throws(StatusError) {
        let resource = GroupResource(group: "coordination.k8s.io", resource: "leases")
        guard let store = self.registry.store(resource) else { return }
        let name = Self.name(of: self.hostName)
        _ = try await store.update(
            "kube-system",
            name,
            scope: .object,
            createsMissing: true,
            WriteContext(now: now)
        ) { (old) throws(StatusError) -> APIObject in
            var lease = old?.message(as: CoordinationV1.Lease.self) ?? CoordinationV1.Lease()
            lease.metadata.name = name
            lease.metadata.namespace = "kube-system"
            lease.metadata.labels["apiserver.kubernetes.io/identity"] = "kube-apiserver"
            lease.metadata.labels["kubernetes.io/hostname"] = self.hostName
            lease.spec.holderIdentity = self.holder
            lease.spec.leaseDurationSeconds = Self.seconds
            lease.spec.renewTime = MetaV1.MicroTime(now)
            return APIObject(lease)
        }
    }
}
