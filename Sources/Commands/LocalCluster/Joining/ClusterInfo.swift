// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Kubeconfig
package import KubernetesAPI
public import PKI
import Protobuf

/// What everybody may read about a cluster, checked by those who know a token or the authority's key:
/// where its API server is, and whom to trust. Pure.
///
/// Source: upstream `cmd/kubeadm/app/discovery/token/token.go`.
public struct ClusterInfo: Sendable, Hashable {
    /// The ConfigMap that it is in.
    public static let namespace = "kube-public"
    public static let name = "cluster-info"

    /// Such as `https://192.0.2.1:6443`.
    public let server: String
    /// PEM.
    public let authority: [UInt8]

    public init(server: String, authority: [UInt8]) {
        self.server = server
        self.authority = authority
    }

    /// The server's address and port.
    public var address: String {
        String(self.server.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" })
    }

    /// The hashes of the authorities' keys, as `--discovery-token-ca-cert-hash` takes them.
    public func pins() throws(PKIError) -> [String] {
        try Certificate.all(pem: self.authority).map { Self.pin($0) }
    }

    static func pin(_ authority: Certificate) -> String {
        let digits = authority.publicKey.fingerprint.map { byte in
            byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
        }
        return "sha256:" + digits.joined()
    }

    /// Whether a text has the form of a pin.
    public static func isPin(_ text: String) -> Bool {
        let digits = text.dropFirst("sha256:".count)
        return text.hasPrefix("sha256:") && digits.count == 64
            && digits.allSatisfy { $0.isHexDigit }
    }

    /// Why what a server says of itself is not believed.
    public enum Doubt: Error, Sendable, Equatable, CustomStringConvertible {
        /// It says nothing that could be checked yet.
        case unsigned(String)
        /// Who signed it does not know the token.
        case wrongSignature(String)
        case unreadable(String)
        /// Its authority is none of those that are trusted.
        case wrongAuthority(found: [String])

        public var description: String {
            switch self {
            case .unsigned(let id):
                "the cluster has no signature by token ID \"\(id)\": it has ended, may not sign, "
                    + "or was never made"
            case .wrongSignature(let id):
                "the signature by token ID \"\(id)\" is wrong: the server does not know the token"
            case .unreadable(let reason):
                "the cluster's description cannot be understood: \(reason)"
            case .wrongAuthority(let found):
                "the cluster has another authority than --discovery-token-ca-cert-hash says: "
                    + found.joined(separator: ", ")
            }
        }
    }

    /// Checks what an unknown server says.
    ///
    /// - Parameter pins: of authorities that are trusted; empty to trust the signature alone.
    package init(
        _ map: CoreV1.ConfigMap,
        token: JoinToken,
        pins: [String]
    ) throws(Doubt) {
        guard let text = map.data["kubeconfig"], !text.isEmpty,
            let signature = map.data["jws-kubeconfig-\(token.id)"], !signature.isEmpty
        else { throw .unsigned(token.id) }
        guard token.signature(of: text) == signature else { throw .wrongSignature(token.id) }
        let cluster: Kubeconfig.Cluster?
        do throws(KubeconfigError) {
            cluster = try Kubeconfig(yaml: Array(text.utf8)).clusters.values.first
        } catch {
            throw .unreadable("\(error)")
        }
        guard let cluster, cluster.server.hasPrefix("https://"),
            case .embedded(let authority) = cluster.authority
        else { throw .unreadable("it names no server and authority") }
        self.init(server: cluster.server, authority: authority)
        let found: [String]
        do throws(PKIError) {
            found = try self.pins()
        } catch {
            throw .unreadable("\(error)")
        }
        guard !found.isEmpty else { throw .unreadable("it has no certificate of an authority") }
        let wanted = Set(pins.map { $0.lowercased() })
        // Each has to be trusted, as each may sign a server's certificate.
        guard wanted.isEmpty || found.allSatisfy({ wanted.contains($0) }) else {
            throw .wrongAuthority(found: found)
        }
    }

    /// The text that is signed.
    var kubeconfig: String {
        KubeconfigText(
            cluster: "",
            server: self.server,
            authority: self.authority,
            user: "",
            credentials: .none
        ).text
    }
}
