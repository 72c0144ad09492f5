// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import NodeAPI
import Protobuf

/// The name of an image, complete: registry, repository, and tag or digest.
///
/// Source: `github.com/distribution/reference`.
struct ImageReference: Sendable, Equatable {
    /// Such as `docker.io`.
    let registry: String
    /// Such as `library/nginx`.
    let repository: String
    let tag: String?
    let digest: String?

    /// The name as short as it may be written, completed as Docker does.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 1024,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        var rest = text[...]
        var digest: String?
        if let at = rest.lastIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
            guard let digest, digest.contains(":"), digest.utf8.count >= 32 else { return nil }
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
            guard let tag, Self.isTag(tag) else { return nil }
        }
        var registry = "docker.io"
        var repository = String(rest)
        if let slash = rest.firstIndex(of: "/") {
            let first = String(rest[..<slash])
            if first.contains(".") || first.contains(":") || first == "localhost" {
                registry = first
                repository = String(rest[rest.index(after: slash)...])
            }
        }
        guard Self.isRepository(repository) else { return nil }
        if registry == "docker.io" || registry == "index.docker.io" {
            registry = "docker.io"
            if !repository.contains("/") { repository = "library/" + repository }
        }
        self.registry = registry
        self.repository = repository
        self.tag = tag ?? (digest == nil ? "latest" : nil)
        self.digest = digest
    }

    /// The complete name.
    var text: String {
        var text = "\(self.registry)/\(self.repository)"
        if let tag = self.tag { text += ":\(tag)" }
        if let digest = self.digest { text += "@\(digest)" }
        return text
    }

    private static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128, first != 0x2d, first != 0x2e
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
    }

    /// Lower-case parts between slashes, each beginning and ending with a letter or digit.
    private static func isRepository(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last else { return false }
            let isWord = { (byte: UInt8) in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
            }
            return isWord(first) && isWord(last)
                && part.utf8.allSatisfy { isWord($0) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f }
        }
    }
}

/// A name and password for a registry, from a pod's pull secrets.
struct PullCredential: Sendable {
    /// The registry, and maybe the start of a repository.
    let place: String
    let auth: CRI.AuthConfig

    func fits(_ reference: ImageReference) -> Bool {
        var place = self.place[...]
        for scheme in ["https://", "http://"] where place.hasPrefix(scheme) {
            place = place.dropFirst(scheme.count)
        }
        for suffix in ["/v1/", "/v2/", "/v1", "/v2", "/"] where place.hasSuffix(suffix) {
            place = place.dropLast(suffix.count)
            break
        }
        if place == "index.docker.io" { place = "docker.io" }
        let full = "\(reference.registry)/\(reference.repository)"
        if place.hasPrefix("*.") {
            let host = place.dropFirst(1)
            return reference.registry.hasSuffix(host)
                && reference.registry.dropLast(host.count).contains(".") == false
        }
        return full == place || full.hasPrefix(place + "/")
    }

    /// The credentials in a secret of type `kubernetes.io/dockerconfigjson` or
    /// `kubernetes.io/dockercfg`; the longest places first.
    static func list(_ secret: CoreV1.Secret) -> [PullCredential] {
        let entries: DynamicValue?
        if let bytes = secret.data[".dockerconfigjson"] {
            entries = (try? DynamicValue(json: Array(bytes)))?["auths"]
        } else if let bytes = secret.data[".dockercfg"] {
            entries = try? DynamicValue(json: Array(bytes))
        } else {
            entries = nil
        }
        guard let members = entries?.entries else { return [] }
        return members.map { place, entry in
            PullCredential(
                place: place,
                auth: CRI.AuthConfig.with {
                    $0.username = entry["username"]?.string ?? ""
                    $0.password = entry["password"]?.string ?? ""
                    $0.auth = entry["auth"]?.string ?? ""
                    $0.identityToken = entry["identitytoken"]?.string ?? ""
                    if $0.username.isEmpty, let decoded = Self.decoded($0.auth) {
                        $0.username = decoded.user
                        $0.password = decoded.password
                        $0.auth = ""
                    }
                }
            )
        }.sorted { $0.place.utf8.count > $1.place.utf8.count }
    }

    private static func decoded(_ text: String) -> (user: String, password: String)? {
        let encoded = Array(text.utf8)
        guard let bytes = try? encoded.withUnsafeBytes({ try Base64.decode($0) }) else {
            return nil
        }
        let plain = String(decoding: bytes, as: UTF8.self)
        guard let colon = plain.firstIndex(of: ":") else { return nil }
        return (String(plain[..<colon]), String(plain[plain.index(after: colon)...]))
    }
}
