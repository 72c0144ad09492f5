// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

// MARK: - Host names

extension CertificateVerifier.Name: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dns(let name): name
        case .address(let address): address.description
        }
    }
}

extension Certificate {
    /// All names that a server could be called by, as text.
    var certifiedNames: [String] {
        self.alternativeNames.dnsNames + self.alternativeNames.addresses.map(\.description)
    }

    /// Throws `nameMismatch` unless the certificate vouches for the name.
    public func check(name: CertificateVerifier.Name) throws(VerificationError) {
        guard self.vouches(for: name) else {
            throw .nameMismatch(name: name.description, certified: self.certifiedNames)
        }
    }

    /// Whether the alternative names have this name (RFC 6125 section 6.4, RFC 2818).
    public func vouches(for name: CertificateVerifier.Name) -> Bool {
        switch name {
        case .address(let address):
            self.alternativeNames.addresses.contains(address)
        case .dns(let name):
            self.alternativeNames.dnsNames.contains { dnsName(name, matches: $0) }
        }
    }
}

/// The labels of a DNS name in lower case, without the root's final dot; nil when it is no name.
private func labels(_ name: String) -> [Substring.UTF8View]? {
    var text = name.lowercasedASCII()[...]
    if text.utf8.last == UInt8(ascii: ".") { text = text.dropLast() }
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        .map { Substring($0).utf8 }
    guard labels.allSatisfy({ !$0.isEmpty }) else { return nil }
    return labels
}

/// Whether `name` is the pattern, or the pattern with its first label `*` replaced by one label.
private func dnsName(_ name: String, matches pattern: String) -> Bool {
    guard let name = labels(name), let pattern = labels(pattern), name.count == pattern.count
    else { return false }
    // A wildcard stands for one whole label and not for a name of the top level.
    let wildcard = pattern.first?.elementsEqual("*".utf8) == true && pattern.count > 2
    let start = wildcard ? 1 : 0
    return zip(name[start...], pattern[start...]).allSatisfy { $0.elementsEqual($1) }
}

extension String {
    /// A to Z replaced by a to z; nothing else changed.
    fileprivate func lowercasedASCII() -> String {
        String(
            decoding: self.utf8.map {
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0
            },
            as: UTF8.self
        )
    }
}

// MARK: - Name constraints

extension Certificate {
    /// Whether this CA's name constraints (RFC 5280 section 4.2.1.10) let it, or a CA below it,
    /// certify the names of `certificate`.
    ///
    /// DNS names and IP addresses are compared. A constraint on any other kind of name forbids
    /// certificates that have such a name, as its meaning is not known here; a leaf's subject
    /// counts as a directory name.
    func checkNameConstraints(
        on certificate: Certificate,
        isLeaf: Bool
    ) throws(VerificationError) {
        guard let constraints = self.nameConstraints else { return }
        // Not for self-issued certificates, unless the last (RFC 5280 section 6.1.4 (b)).
        if certificate.isSelfIssued && !isLeaf { return }
        let names = certificate.alternativeNames
        let permittedNames = Array(constraints.permittedDNSDomains)
        let excludedNames = Array(constraints.excludedDNSDomains)
        for name in names.dnsNames {
            let permitted =
                permittedNames.isEmpty
                || permittedNames.contains { dnsName(name, isWithin: $0) }
            guard permitted, !excludedNames.contains(where: { dnsName(name, isWithin: $0) })
            else { throw self.notPermitted(name) }
        }
        let permittedRanges = Array(constraints.permittedIPRanges)
        let excludedRanges = Array(constraints.excludedIPRanges)
        for address in names.addresses {
            let permitted =
                permittedRanges.isEmpty || permittedRanges.contains { address.isWithin($0) }
            guard permitted, !excludedRanges.contains(where: { address.isWithin($0) })
            else { throw self.notPermitted(address.description) }
        }
        let mail =
            !constraints.permittedEmailAddresses.isEmpty
            || !constraints.excludedEmailAddresses.isEmpty
        if mail, let name = names.emailAddresses.first { throw self.notPermitted(name) }
        let uri =
            !constraints.permittedURIDomains.isEmpty
            || !constraints.forbiddenURIDomains.isEmpty
        if uri, let name = names.uris.first { throw self.notPermitted(name) }
        if !certificate.x509.subject.isEmpty, constraints.mentionsOtherKinds {
            throw self.notPermitted(certificate.subject.description)
        }
    }

    private func notPermitted(_ name: String) -> VerificationError {
        .nameNotPermitted(name: name, authority: self.subject.description)
    }
}

extension X509.NameConstraints {
    /// Whether there is a constraint on directory names or on stranger kinds.
    fileprivate var mentionsOtherKinds: Bool {
        (self.permittedSubtrees + self.excludedSubtrees).contains { subtree in
            switch subtree {
            case .dnsName, .ipAddress, .rfc822Name, .uniformResourceIdentifier: false
            case .directoryName, .otherName, .x400Address, .ediPartyName, .registeredID: true
            }
        }
    }
}

/// Whether `name` is `domain` or lies below it. A leading dot leaves out the domain itself, and
/// the empty domain is everything.
private func dnsName(_ name: String, isWithin domain: String) -> Bool {
    if domain.isEmpty { return true }
    let strict = domain.utf8.first == UInt8(ascii: ".")
    guard let name = labels(name), let domain = labels(strict ? String(domain.dropFirst()) : domain)
    else { return false }
    guard name.count >= domain.count + (strict ? 1 : 0) else { return false }
    return zip(name.reversed(), domain.reversed()).allSatisfy { $0.elementsEqual($1) }
}

extension HostAddress {
    /// Whether the address lies in a range: an address and a mask of the same length after it.
    fileprivate func isWithin(_ range: ASN1OctetString) -> Bool {
        guard range.bytes.count == 2 * self.bytes.count else { return false }
        let network = range.bytes.prefix(self.bytes.count)
        let mask = range.bytes.suffix(self.bytes.count)
        return zip(self.bytes, zip(network, mask)).allSatisfy { $0 & $1.1 == $1.0 & $1.1 }
    }
}
