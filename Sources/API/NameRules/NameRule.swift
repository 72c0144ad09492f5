// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How the objects of a kind may be named.
///
/// Source: the fact table `nameRules`; upstream `pkg/api/validation/generic.go` and the strategies
/// of each kind.
public enum NameRule: Sendable, Hashable {
    /// A DNS subdomain: most kinds, and all custom resources.
    case dnsSubdomain
    /// A DNS label (RFC 1123).
    case dnsLabel
    /// A DNS label that starts with a letter (RFC 1035).
    case dns1035Label
    /// Whatever can stand in a path: RBAC kinds.
    case pathSegment
    /// The alphabet of ConfigMap keys: LeaseCandidate.
    case configMapKey
    /// No rule of its own; a request path still refuses what it cannot hold.
    case none
    /// A DNS subdomain of at most 52 bytes, so that the names of Jobs fit: CronJob.
    case cronJob
    /// The canonical text of an IP address: IPAddress.
    case ipAddress
    /// A DNS subdomain, a dot and a DNS 1035 label: StorageVersion.
    case storageVersion
    /// A DNS subdomain; the strategy also compares it with fields of the object:
    /// CustomResourceDefinition.
    case composed
    /// A DNS subdomain, after the signer's name with `:` for `/` where one is named:
    /// ClusterTrustBundle.
    case clusterTrustBundle

    /// The rule of a kind in a group of the built-in API.
    public init(kind: String, group: String) {
        switch (group, kind) {
        case ("", "Namespace"), ("apps", "StatefulSet"), ("", "Service"):
            self = .dnsLabel
        // An APIService is `<version>.<group>`, which for the core group ends in a dot.
        case ("apiregistration.k8s.io", "APIService"),
            ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding"),
            ("rbac.authorization.k8s.io", "ClusterRole"),
            ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            self = .pathSegment
        case ("coordination.k8s.io", "LeaseCandidate"):
            self = .configMapKey
        case ("certificates.k8s.io", "CertificateSigningRequest"):
            self = .none
        case ("batch", "CronJob"):
            self = .cronJob
        case ("networking.k8s.io", "IPAddress"):
            self = .ipAddress
        case ("internal.apiserver.k8s.io", "StorageVersion"):
            self = .storageVersion
        case ("apiextensions.k8s.io", "CustomResourceDefinition"):
            self = .composed
        case ("certificates.k8s.io", "ClusterTrustBundle"):
            self = .clusterTrustBundle
        default:
            self = .dnsSubdomain
        }
    }

    /// Why the text cannot name an object.
    ///
    /// - Parameter isPrefix: the text is a `generateName`: more follows, so that a hyphen may end
    ///   it.
    public func messages(for name: String, isPrefix: Bool = false) -> [String] {
        switch self {
        case .dnsSubdomain, .composed:
            return Formats.dns1123Subdomain(isPrefix ? Self.maskingDash(name) : name)
        case .dnsLabel:
            return Formats.dns1123Label(isPrefix ? Self.maskingDash(name) : name)
        case .dns1035Label:
            return Formats.dns1035Label(isPrefix ? Self.maskingDash(name) : name)
        case .pathSegment:
            return isPrefix ? Formats.pathSegmentPrefix(name) : Formats.pathSegmentName(name)
        case .configMapKey:
            return Formats.configMapKey(name)
        case .none:
            return []
        case .cronJob:
            return Self.cronJobMessages(isPrefix ? Self.maskingDash(name) : name)
        case .ipAddress:
            return Formats.ip("", name).map(\.detail)
        case .storageVersion:
            return Self.storageVersionMessages(name)
        case .clusterTrustBundle:
            return Self.trustBundleMessages(name, isPrefix: isPrefix)
        }
    }

    /// The name with a letter for the hyphen at its end and for the byte before it: upstream's
    /// form of "more follows".
    private static func maskingDash(_ name: String) -> String {
        guard name.utf8.count > 1, name.utf8.last == UInt8(ascii: "-") else { return name }
        return String(decoding: name.utf8.dropLast(2), as: UTF8.self) + "a"
    }

    private static func cronJobMessages(_ name: String) -> [String] {
        var messages = Formats.dns1123Subdomain(name)
        if name.utf8.count > APILimits.cronJobNameMaxLength {
            messages.append("must be no more than \(APILimits.cronJobNameMaxLength) characters")
        }
        return messages
    }

    /// The faults of `<subdomain>.<label>`, the parts of which are the text before and after the
    /// last dot.
    private static func storageVersionMessages(_ name: String) -> [String] {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else {
            return ["name must be in the form of <group>.<resource>"]
        }
        let group = Formats.dns1123Subdomain(String(name[..<dot]))
        let resource = Formats.dns1035Label(String(name[name.utf8.index(after: dot)...]))
        return group.map { "the group segment: \($0)" }
            + resource.map { "the resource segment: \($0)" }
    }

    /// The faults of a name whose colons stand between the parts of a signer's name.
    private static func trustBundleMessages(_ name: String, isPrefix: Bool) -> [String] {
        guard let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            return Formats.dns1123Subdomain(isPrefix ? self.maskingDash(name) : name)
        }
        let last = String(name[name.utf8.index(after: colon)...])
        return Formats.dns1123Subdomain(isPrefix ? self.maskingDash(last) : last)
    }
}
