// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
public import NIOSSL
import Synchronization

/// Gives each new connection the TLS context of the files as they are now.
///
/// The files' stamps are looked at when a connection asks, at most once a second; a context is made
/// anew when one has changed. When the new files cannot be used the old context stays, and the
/// failure is reported once per change. Nothing happens while no connection asks.
public final class TLSContextSource: Sendable {
    private struct State {
        var context: NIOSSLContext
        var stamps: [FileStamp?]
        var checkedAtSeconds: Int
        var generation = 1
    }

    /// What is left to check of a server's certificate after its chain.
    public let serverNameCheck: ServerNameCheck
    private let paths: [String]
    private let make: @Sendable () throws(TLSConfigurationError) -> NIOSSLContext
    private let onReload: @Sendable (TLSConfigurationError?) -> Void
    private let state: Mutex<State>

    /// - Parameter onReload: hears of each reload: nil, or why it failed.
    /// - Throws: when the files cannot be used at the start.
    private init(
        paths: [String],
        serverNameCheck: ServerNameCheck,
        onReload: @escaping @Sendable (TLSConfigurationError?) -> Void,
        make: @escaping @Sendable () throws(TLSConfigurationError) -> NIOSSLContext,
    ) throws(TLSConfigurationError) {
        self.paths = paths
        self.serverNameCheck = serverNameCheck
        self.make = make
        self.onReload = onReload
        let stamps = paths.map(FileStamp.init(path:))
        let context = try make()
        self.state = Mutex(
            State(context: context, stamps: stamps, checkedAtSeconds: Self.nowSeconds())
        )
    }

    /// The source for a listener.
    public convenience init(
        server configuration: TLSServerConfiguration,
        onReload: @escaping @Sendable (TLSConfigurationError?) -> Void = { _ in },
    ) throws(TLSConfigurationError) {
        let identities = [configuration.identity] + configuration.identitiesByName.values
        let paths =
            identities.flatMap { [$0.certificatePath, $0.privateKeyPath] }
            + [configuration.clientAuthorityPath].compactMap(\.self)
        try self.init(
            paths: paths,
            serverNameCheck: .none,
            onReload: onReload
        ) { () throws(TLSConfigurationError) in
            try TLSContextFactory.serverContext(configuration)
        }
    }

    /// The source for a client.
    public convenience init(
        client configuration: TLSClientConfiguration,
        onReload: @escaping @Sendable (TLSConfigurationError?) -> Void = { _ in },
    ) throws(TLSConfigurationError) {
        var paths = [configuration.authorityPath].compactMap(\.self)
        if let identity = configuration.identity {
            paths += [identity.certificatePath, identity.privateKeyPath]
        }
        try self.init(
            paths: paths,
            serverNameCheck: configuration.verifiesServer ? .exact : .none,
            onReload: onReload
        ) { () throws(TLSConfigurationError) in
            try TLSContextFactory.clientContext(configuration)
        }
    }

    /// The context for a new connection.
    ///
    /// Reads files when one has changed: a millisecond or so on the calling thread.
    public func context() -> NIOSSLContext {
        let now = Self.nowSeconds()
        let stale = self.state.withLock { state -> [FileStamp?]? in
            guard now != state.checkedAtSeconds else { return nil }
            state.checkedAtSeconds = now
            return state.stamps
        }
        if let stale {
            let stamps = self.paths.map(FileStamp.init(path:))
            if stamps != stale { self.reload(stamps) }
        }
        return self.state.withLock { $0.context }
    }

    /// How many contexts were made, the first included.
    public var generation: Int { self.state.withLock { $0.generation } }

    private func reload(_ stamps: [FileStamp?]) {
        do throws(TLSConfigurationError) {
            let context = try self.make()
            self.state.withLock { state in
                state.context = context
                state.stamps = stamps
                state.generation += 1
            }
            self.onReload(nil)
        } catch {
            // Certificate and key are two files: between the two writes they do not fit. The
            // stamps are kept only so that the failure is said once; the next change is tried.
            self.state.withLock { $0.stamps = stamps }
            self.onReload(error)
        }
    }

    private static func nowSeconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}
