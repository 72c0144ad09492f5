// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import NIOSSL

/// Makes NIOSSL contexts from configurations.
enum TLSContextFactory {
    static func serverContext(
        _ configuration: TLSServerConfiguration
    ) throws(TLSConfigurationError) -> NIOSSLContext {
        let (chain, key) = try self.load(configuration.identity)
        var tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        tls.minimumTLSVersion = configuration.allowsTLS12 ? .tlsv12 : .tlsv13
        tls.applicationProtocols = configuration.applicationProtocols
        tls.shutdownTimeout = .seconds(1)
        switch configuration.clientCertificates {
        case .none: tls.certificateVerification = .none
        case .optional: tls.certificateVerification = .optionalVerification
        case .required: tls.certificateVerification = .noHostnameVerification
        }
        if configuration.clientCertificates != .none {
            guard let path = configuration.clientAuthorityPath else {
                throw .invalid("client certificates without an authority file")
            }
            tls.trustRoots = .certificates(try self.certificates(path))
            tls.sendCANameList = true
        }
        if !configuration.identitiesByName.isEmpty {
            try self.addNames(configuration.identitiesByName, to: &tls)
        }
        return try self.context(tls)
    }

    static func clientContext(
        _ configuration: TLSClientConfiguration
    ) throws(TLSConfigurationError) -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = configuration.allowsTLS12 ? .tlsv12 : .tlsv13
        tls.applicationProtocols = configuration.applicationProtocols
        tls.shutdownTimeout = .seconds(1)
        if let path = configuration.authorityPath {
            tls.trustRoots = .certificates(try self.certificates(path))
        }
        // The chain only: the name is ours to check, see ServerNameCheck.
        tls.certificateVerification =
            configuration.verifiesServer ? .noHostnameVerification : .none
        if let identity = configuration.identity {
            let (chain, key) = try self.load(identity)
            tls.certificateChain = chain
            tls.privateKey = key
        }
        return try self.context(tls)
    }

    private static func context(
        _ tls: TLSConfiguration
    ) throws(TLSConfigurationError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw .invalid(String(describing: error))
        }
    }

    private static func certificates(
        _ path: String
    ) throws(TLSConfigurationError) -> [NIOSSLCertificate] {
        do {
            let all = try NIOSSLCertificate.fromPEMFile(path)
            if !all.isEmpty { return all }
        } catch {
            throw .file(path, String(describing: error))
        }
        throw .file(path, "no certificate in it")
    }

    private static func load(
        _ identity: TLSServerConfiguration.Identity
    ) throws(TLSConfigurationError) -> ([NIOSSLCertificateSource], NIOSSLPrivateKeySource) {
        let chain = try self.certificates(identity.certificatePath)
        do {
            let key = try NIOSSLPrivateKey(file: identity.privateKeyPath, format: .pem)
            return (chain.map { .certificate($0) }, .privateKey(key))
        } catch {
            throw .file(identity.privateKeyPath, String(describing: error))
        }
    }

    /// Chooses the identity by the name in SNI: the exact name, then the one whose "*." stands for
    /// the first label.
    private static func addNames(
        _ identities: [String: TLSServerConfiguration.Identity],
        to tls: inout TLSConfiguration,
    ) throws(TLSConfigurationError) {
        var overrides: [String: NIOSSLContextConfigurationOverride] = [:]
        for (name, identity) in identities {
            let (chain, key) = try self.load(identity)
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = chain
            override.privateKey = key
            overrides[name.lowercased()] = override
        }
        let table = overrides
        tls.sslContextCallback = { values, promise in
            let name = values.serverHostname?.lowercased() ?? ""
            if let exact = table[name] {
                promise.succeed(exact)
            } else if let dot = name.firstIndex(of: "."), let wild = table["*" + name[dot...]] {
                promise.succeed(wild)
            } else {
                promise.succeed(.noChanges)
            }
        }
    }
}
