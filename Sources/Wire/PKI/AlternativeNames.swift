// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

/// The names that a certificate vouches for, beside its subject (RFC 5280 section 4.2.1.6).
public struct AlternativeNames: Hashable, Sendable {
    /// DNS names; the leftmost label may be `*`.
    public var dnsNames: [String]
    /// IP addresses.
    public var addresses: [HostAddress]
    /// E-mail addresses.
    public var emailAddresses: [String]
    /// URIs, such as SPIFFE identities.
    public var uris: [String]

    /// Most names in one certificate or request.
    public static let maximumCount = 1_000

    /// These names; all lists may be empty.
    public init(
        dnsNames: [String] = [],
        addresses: [HostAddress] = [],
        emailAddresses: [String] = [],
        uris: [String] = []
    ) {
        self.dnsNames = dnsNames
        self.addresses = addresses
        self.emailAddresses = emailAddresses
        self.uris = uris
    }

    /// Sorts host names: what reads as an IP address is one, the rest are DNS names.
    ///
    /// Repeated names are kept once.
    public init(hosts: some Sequence<String>) {
        self.init()
        for host in hosts {
            if let address = HostAddress(host) {
                if !self.addresses.contains(address) { self.addresses.append(address) }
            } else if !self.dnsNames.contains(host) {
                self.dnsNames.append(host)
            }
        }
    }

    /// Whether there is no name at all.
    public var isEmpty: Bool { self.count == 0 }

    /// The number of names of all kinds.
    public var count: Int {
        self.dnsNames.count + self.addresses.count + self.emailAddresses.count + self.uris.count
    }

    /// Whether every name of `other` is here too.
    public func covers(_ other: AlternativeNames) -> Bool {
        Set(self.dnsNames).isSuperset(of: other.dnsNames)
            && Set(self.addresses).isSuperset(of: other.addresses)
            && Set(self.emailAddresses).isSuperset(of: other.emailAddresses)
            && Set(self.uris).isSuperset(of: other.uris)
    }
}

// MARK: - X.509

extension AlternativeNames {
    /// The names of an extension; kinds without a use in TLS are left out.
    init(_ names: SubjectAlternativeNames) throws(PKIError) {
        self.init()
        guard names.count <= AlternativeNames.maximumCount else {
            throw .malformedCertificate("more than \(AlternativeNames.maximumCount) names")
        }
        for name in names {
            switch name {
            case .dnsName(let name):
                self.dnsNames.append(name)
            case .ipAddress(let octets):
                guard let address = HostAddress(bytes: octets.bytes) else {
                    throw .malformedCertificate("an IP address of \(octets.bytes.count) bytes")
                }
                self.addresses.append(address)
            case .rfc822Name(let name):
                self.emailAddresses.append(name)
            case .uniformResourceIdentifier(let name):
                self.uris.append(name)
            case .otherName, .x400Address, .directoryName, .ediPartyName, .registeredID:
                continue
            }
        }
    }

    /// The names as an extension writes them, in Go's order of kinds.
    var x509: SubjectAlternativeNames {
        var names: [GeneralName] = self.dnsNames.map { .dnsName($0) }
        names += self.emailAddresses.map { .rfc822Name($0) }
        names += self.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) }
        names += self.uris.map { .uniformResourceIdentifier($0) }
        return SubjectAlternativeNames(names)
    }

    /// Throws when a name cannot stand in a certificate (they are IA5 strings, not empty).
    func validate() throws(PKIError) {
        guard self.count <= AlternativeNames.maximumCount else {
            throw .invalidTemplate("more than \(AlternativeNames.maximumCount) names")
        }
        for name in self.dnsNames + self.emailAddresses + self.uris {
            let printable = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            guard printable, !name.isEmpty else {
                throw .invalidTemplate("'\(name)' is no name: printable ASCII is needed")
            }
        }
    }
}
