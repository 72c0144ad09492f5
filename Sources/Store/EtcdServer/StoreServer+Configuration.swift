// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
internal import KeyValueStore

extension StoreServer {
    /// How a store is served.
    package struct Configuration: Sendable {
        /// The name of the member.
        package var name = "default"
        /// Where the data lies.
        package var dataDirectory = "default.etcd"
        /// Where clients are served.
        package var clientURLs: [String] = ["http://localhost:2379"]
        /// Where only health and metrics are served, besides.
        package var metricsURLs: [String] = []
        /// What other members and clients are told; `clientURLs` if empty.
        package var advertisedClientURLs: [String] = []
        package var advertisedPeerURLs: [String] = ["http://localhost:2380"]
        /// PEM files of the certificate and its key; needed for `https`.
        package var certificatePath = ""
        package var privateKeyPath = ""
        /// PEM file of the authorities for client certificates. With it, clients need one.
        package var trustedAuthorityPath = ""
        /// Whether clients need a certificate.
        package var requiresClientCertificates = false
        /// Whether TLS 1.2 is spoken beside 1.3.
        package var allowsTLS12 = true
        /// Calls that a connection may have at once.
        package var maximumConcurrentStreams = Int(Int32.max)
        /// How often a quiet connection is asked whether it is there, and how long it may take.
        package var keepaliveInterval: Duration = .seconds(7_200)
        package var keepaliveTimeout: Duration = .seconds(20)
        /// How history is given up by itself; nil for not at all.
        package var compaction: CompactionSchedule.Mode?
        /// Limits and engine settings.
        package var store = StoreOptions()
        package var backend = DirectoryBackend.Options()
        /// How long requests that run may take when the server stops.
        package var drainTimeout: Duration = .seconds(5)

        package init() {}
    }

    /// Why a server cannot run.
    package enum Failure: Error, CustomStringConvertible {
        /// The configuration does not fit together.
        case configuration(String)
        /// The data cannot be served.
        case storage(BackendError)
        /// The disk failed; nothing that was not acknowledged may be assumed.
        case disk(String)

        package var description: String {
            switch self {
            case .configuration(let text): text
            case .storage(let error): error.description
            case .disk(let text): "the disk failed: \(text)"
            }
        }
    }
}
