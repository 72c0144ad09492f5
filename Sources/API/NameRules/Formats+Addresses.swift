// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Formats {
    // MARK: - Addresses

    /// The faults of a text that must be an IP address in canonical form. For new fields.
    public static func ip(_ path: FieldPath, _ text: String) -> [FieldError] {
        let (address, errors) = self.readIP(path, text, strict: true)
        guard errors.isEmpty, let address else { return errors }
        let canonical = address.description
        if canonical == text { return [] }
        return [.invalid(path, .string(text), "must be in canonical form (\"\(canonical)\")")]
    }

    /// The faults of a text in a field that has always taken addresses in other than canonical
    /// form.
    ///
    /// - Parameters:
    ///   - strict: whether leading zeros and mapped addresses are faults (gate
    ///     StrictIPCIDRValidation, on by default).
    ///   - oldValues: values that an object already has and may keep.
    public static func ipInLegacyField(
        _ path: FieldPath,
        _ text: String,
        strict: Bool = true,
        oldValues: [String] = []
    ) -> [FieldError] {
        if oldValues.contains(text) { return [] }
        return self.readIP(path, text, strict: strict).errors
    }

    private static func readIP(
        _ path: FieldPath,
        _ text: String,
        strict: Bool
    ) -> (address: IPAddress?, errors: [FieldError]) {
        guard let address = IPAddress(parsing: text, .sloppy) else {
            let message = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            return (nil, [.invalid(path, .string(text), message)])
        }
        var errors: [FieldError] = []
        if strict {
            if let strictAddress = IPAddress(parsing: text, .strict) {
                if strictAddress.isIPv4MappedIPv6 {
                    errors.append(
                        .invalid(
                            path,
                            .string(text),
                            "must not be an IPv4-mapped IPv6 address"
                        )
                    )
                }
            } else {
                errors.append(.invalid(path, .string(text), "must not have leading 0s"))
            }
        }
        return (address, errors)
    }

    /// Warnings about an address in a form that is read but not standard.
    public static func ipWarnings(_ path: FieldPath, _ text: String) -> [String] {
        guard let address = IPAddress(parsing: text, .sloppy) else { return [] }
        guard let strict = IPAddress(parsing: text, .strict), !strict.isIPv4MappedIPv6 else {
            return [
                "\(path): non-standard IP address \(GoText.quoted(text)) is invalid: "
                    + "use \"\(address)\""
            ]
        }
        if strict.isIPv4 || strict.description == text { return [] }
        return [
            "\(path): IPv6 address \(GoText.quoted(text)) should be in RFC 5952 canonical format "
                + "(\"\(strict)\")"
        ]
    }

    // MARK: - Prefixes

    /// The faults of a text that must be an address prefix in canonical form. For new fields.
    public static func cidr(_ path: FieldPath, _ text: String) -> [FieldError] {
        let (prefix, errors) = self.readCIDR(path, text, strict: true)
        guard errors.isEmpty, let prefix else { return errors }
        let canonical = prefix.description
        if canonical == text { return [] }
        return [.invalid(path, .string(text), "must be in canonical form (\"\(canonical)\")")]
    }

    /// The faults of a text in a field that has always taken prefixes in other than canonical form.
    public static func cidrInLegacyField(
        _ path: FieldPath,
        _ text: String,
        strict: Bool = true,
        oldValues: [String] = []
    ) -> [FieldError] {
        if oldValues.contains(text) { return [] }
        return self.readCIDR(path, text, strict: strict).errors
    }

    private static func readCIDR(
        _ path: FieldPath,
        _ text: String,
        strict: Bool
    ) -> (prefix: IPPrefix?, errors: [FieldError]) {
        guard let prefix = IPPrefix(parsing: text, .sloppy) else {
            let message = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            return (nil, [.invalid(path, .string(text), message)])
        }
        guard strict else { return (prefix, []) }
        let message: String
        if let strictPrefix = IPPrefix(parsing: text, .strict) {
            if strictPrefix.address.isIPv4MappedIPv6 {
                message = "must not have an IPv4-mapped IPv6 address"
            } else if strictPrefix.address != strictPrefix.network {
                message = "must not have bits set beyond the prefix length"
            } else {
                return (prefix, [])
            }
        } else {
            message = "must not have leading 0s in IP or prefix length"
        }
        return (prefix, [.invalid(path, .string(text), message)])
    }

    /// Warnings about a prefix in a form that is read but not standard.
    public static func cidrWarnings(_ path: FieldPath, _ text: String) -> [String] {
        guard let prefix = IPPrefix(parsing: text, .sloppy) else { return [] }
        let value = GoText.quoted(text)
        var warnings: [String] = []
        if prefix.address.description != prefix.network.description {
            let single = "\(prefix.address)/\(prefix.address.bitCount)"
            warnings.append(
                "\(path): CIDR value \(value) is ambiguous in this context (should be "
                    + "\"\(prefix)\" or \"\(single)\"?)"
            )
        }
        let strict = IPPrefix(parsing: text, .strict)
        if strict.map({ $0.address.isIPv4MappedIPv6 }) ?? true {
            warnings.append(
                "\(path): non-standard CIDR value \(value) is invalid: use \"\(prefix)\""
            )
        } else if warnings.isEmpty, let strict, !strict.address.isIPv4 {
            let canonical = "\(strict.address)/\(strict.length)"
            if canonical != text {
                warnings.append(
                    "\(path): IPv6 CIDR value \(value) should be in RFC 5952 canonical format "
                        + "(\"\(canonical)\")"
                )
            }
        }
        return warnings
    }

    /// The faults of a text that must be an address with the prefix length of its network:
    /// `10.9.8.7/24`.
    public static func interfaceAddress(_ path: FieldPath, _ text: String) -> [FieldError] {
        guard let prefix = IPPrefix(parsing: text, .sloppy) else {
            let message =
                "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
            return [.invalid(path, .string(text), message)]
        }
        let isMapped = prefix.address.isIPv4MappedIPv6 && prefix.length > 32
        let canonical = "\(prefix.address)/\(isMapped ? prefix.length - 96 : prefix.length)"
        if canonical == text { return [] }
        return [.invalid(path, .string(text), "must be in canonical form (\"\(canonical)\")")]
    }
}
