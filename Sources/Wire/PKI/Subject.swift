// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

/// Whom a certificate is about, as Kubernetes reads it: the common name is the user, the
/// organizations are the groups.
public struct Subject: Hashable, Sendable {
    /// CN; empty when there is none.
    public var commonName: String
    /// All O, in order.
    public var organizations: [String]
    /// All OU, in order.
    public var organizationalUnits: [String]

    /// Longest single value, in bytes (the bounds of RFC 5280 appendix A are lower and nobody
    /// keeps to them: `system:node:` and a node's name may take 265).
    public static let maximumValueBytes = 1_024

    /// A subject of these.
    public init(
        commonName: String,
        organizations: [String] = [],
        organizationalUnits: [String] = []
    ) {
        self.commonName = commonName
        self.organizations = organizations
        self.organizationalUnits = organizationalUnits
    }
}

// MARK: - X.509

extension Subject {
    /// The parts of a distinguished name that have a place here; of several CN the last counts,
    /// as in Go.
    init(_ name: X509.DistinguishedName) {
        self.init(commonName: "")
        for attribute in name.joined() {
            guard let value = String(attribute.value) else { continue }
            switch attribute.type {
            case .RDNAttributeType.commonName: self.commonName = value
            case .RDNAttributeType.organizationName: self.organizations.append(value)
            case .RDNAttributeType.organizationalUnitName: self.organizationalUnits.append(value)
            default: continue
            }
        }
    }

    /// The distinguished name, in Go's order: O, OU, CN; each value its own set, so that a
    /// reader keeps the order.
    func distinguishedName() throws(PKIError) -> X509.DistinguishedName {
        var attributes: [X509.RelativeDistinguishedName] = []
        for value in self.organizations {
            attributes.append(try Subject.attribute(.RDNAttributeType.organizationName, value))
        }
        for value in self.organizationalUnits {
            attributes.append(
                try Subject.attribute(.RDNAttributeType.organizationalUnitName, value)
            )
        }
        if !self.commonName.isEmpty {
            attributes.append(
                try Subject.attribute(.RDNAttributeType.commonName, self.commonName)
            )
        }
        return X509.DistinguishedName(attributes)
    }

    private static func attribute(
        _ type: ASN1ObjectIdentifier,
        _ value: String
    ) throws(PKIError) -> X509.RelativeDistinguishedName {
        guard !value.isEmpty, value.utf8.count <= self.maximumValueBytes,
            !value.utf8.contains(0)
        else { throw .invalidTemplate("a subject's value of \(value.utf8.count) bytes") }
        // What fits is written as PrintableString, as Go does, so that names compare equal
        // byte for byte across implementations.
        let attribute =
            (try? X509.RelativeDistinguishedName.Attribute(type: type, printableString: value))
            ?? X509.RelativeDistinguishedName.Attribute(type: type, utf8String: value)
        return X509.RelativeDistinguishedName(attribute)
    }
}

// MARK: - Text

extension Subject: CustomStringConvertible {
    /// Such as `CN=admin,O=system:masters`.
    public var description: String {
        var parts: [String] = []
        if !self.commonName.isEmpty { parts.append("CN=\(self.commonName)") }
        parts += self.organizations.map { "O=\($0)" }
        parts += self.organizationalUnits.map { "OU=\($0)" }
        return parts.joined(separator: ",")
    }
}
