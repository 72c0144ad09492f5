// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a client needs for TLS. Files are read again when they change.
public struct TLSClientConfiguration: Sendable, Equatable {
    /// PEM file of the authorities to trust; nil for the system's.
    public var authorityPath: String?
    /// The identity to show when the server asks.
    public var identity: TLSServerConfiguration.Identity?
    /// False verifies nothing; for `--insecure-skip-tls-verify` only.
    public var verifiesServer = true
    /// What ALPN offers, best first.
    public var applicationProtocols = ["h2", "http/1.1"]
    public var allowsTLS12 = true

    public init(authorityPath: String? = nil) {
        self.authorityPath = authorityPath
    }
}

/// Why a TLS configuration cannot be used.
public enum TLSConfigurationError: Error, Sendable, Equatable {
    /// A file could not be read or parsed; path and the reason, for people.
    case file(String, String)
    /// The parts do not fit together; the reason, for people.
    case invalid(String)
}
