// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Formats {
    /// The faults of a name that must be a domain of at least three labels, without a dot at the
    /// end: signer names, scheduler and driver names of old.
    public static func fullyQualifiedName(_ path: FieldPath, _ name: String) -> [FieldError] {
        if name.isEmpty { return [.required(path)] }
        let reasons = self.dns1123Subdomain(name)
        if !reasons.isEmpty {
            return [.invalid(path, .string(name), reasons.joined(separator: ","))]
        }
        if name.split(at: UInt8(ascii: ".")).count < 3 {
            return [
                .invalid(
                    path,
                    .string(name),
                    "should be a domain with at least three segments separated by dots"
                )
            ]
        }
        return []
    }

    /// The faults of a name that must be a domain of at least two labels; a dot may end it.
    public static func fullyQualifiedDomainName(_ path: FieldPath, _ name: String) -> [FieldError] {
        if name.isEmpty { return [.required(path)] }
        var domain = name
        if domain.utf8.last == UInt8(ascii: ".") { domain.removeLast() }
        let reasons = self.dns1123Subdomain(domain)
        if !reasons.isEmpty {
            return [.invalid(path, .string(domain), reasons.joined(separator: ","))]
        }
        let labels = domain.split(at: UInt8(ascii: "."))
        if labels.count < 2 {
            return [
                .invalid(
                    path,
                    .string(domain),
                    "should be a domain with at least two segments separated by dots"
                )
            ]
        }
        var errors: [FieldError] = []
        for label in labels {
            let reasons = self.dns1123Label(String(label))
            if !reasons.isEmpty {
                errors.append(
                    .invalid(path, .string(String(label)), reasons.joined(separator: ","))
                )
            }
        }
        return errors
    }

    /// The faults of a path after a domain, such as `acme.io/foo/bar`.
    public static func domainPrefixedPath(_ path: FieldPath, _ text: String) -> [FieldError] {
        if text.isEmpty { return [.required(path)] }
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")), slash != text.startIndex,
            text.utf8.index(after: slash) != text.endIndex
        else {
            return [
                .invalid(
                    path,
                    .string(text),
                    "must be a domain-prefixed path (such as \"acme.io/foo\")"
                )
            ]
        }
        let host = String(text[..<slash])
        let rest = text[text.utf8.index(after: slash)...]
        var errors = self.dns1123Subdomain(host).map {
            FieldError.invalid(path, .string(host), $0)
        }
        if !self.isHTTPPath(rest) {
            errors.append(
                .invalid(
                    path,
                    .string(String(rest)),
                    self.patternMessage("Invalid path", self.httpPathPattern)
                )
            )
        }
        return errors
    }

    /// The faults of a label key that must have a domain, such as `acme.io/foo`.
    public static func domainPrefixedKey(_ path: FieldPath, _ key: String) -> [FieldError] {
        if key.isEmpty { return [.required(path)] }
        let errors = self.labelKey(key).map { FieldError.invalid(path, .string(key), $0) }
        if !errors.isEmpty || key.contains(byte: UInt8(ascii: "/")) { return errors }
        return [
            .invalid(path, .string(key), "must be a domain-prefixed key (such as \"acme.io/foo\")")
        ]
    }

    /// The faults of the name of an extended resource, such as `acme.io/gpu`.
    public static func extendedResourceName(_ path: FieldPath, _ name: String) -> [FieldError] {
        var errors: [FieldError] = []
        if !name.contains(byte: UInt8(ascii: "/")) {
            errors.append(
                .invalid(
                    path,
                    .string(name),
                    "a name must be a domain-prefixed path, such as 'example.com/my-prop'"
                )
            )
        } else if self.contains(name, "kubernetes.io/") {
            errors.append(
                .invalid(path, .string(name), "must not have \"kubernetes.io/\" domain")
            )
        }
        if name.utf8.starts(with: "requests.".utf8) {
            errors.append(.invalid(path, .string(name), "must not have \"requests.\" prefix"))
        }
        for reason in self.labelKey("requests." + name) {
            errors.append(.invalid(path, .string(name), reason))
        }
        return errors
    }

    /// Whether the bytes of `part`, which is short, stand somewhere in the text.
    private static func contains(_ text: String, _ part: String) -> Bool {
        let bytes = text.utf8.span
        let wanted = part.utf8.span
        guard bytes.count >= wanted.count else { return false }
        for start in 0...(bytes.count - wanted.count) {
            var offset = 0
            while offset < wanted.count, bytes[start + offset] == wanted[offset] { offset += 1 }
            if offset == wanted.count { return true }
        }
        return false
    }
}
