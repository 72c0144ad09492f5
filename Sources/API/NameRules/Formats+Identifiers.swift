// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Formats {
    /// Why the text is no identifier of C.
    public static func cIdentifier(_ text: String) -> [String] {
        let matches = self.matches(
            text,
            first: { $0.isLetter || $0 == UInt8(ascii: "_") },
            rest: { $0.isAlphanumeric || $0 == UInt8(ascii: "_") }
        )
        if matches { return [] }
        return [
            self.patternMessage(
                "a valid C identifier must start with alphabetic character or '_', followed by a "
                    + "string of alphanumeric characters or '_'",
                "[A-Za-z_][A-Za-z0-9_]*",
                "my_name",
                "MY_NAME",
                "MyName"
            )
        ]
    }

    /// Why the text is no environment variable name: printable ASCII without `=`.
    ///
    /// The rule since 1.34 (gate RelaxedEnvironmentVariableValidation).
    public static func envVarName(_ text: String) -> [String] {
        if text.isEmpty { return ["environment variable name \(self.emptyMessage)"] }
        let isValid = text.utf8.allSatisfy { byte in
            byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")
        }
        if isValid { return [] }
        return [
            "a valid environment variable name must consist only of printable ASCII characters "
                + "other than '='"
        ]
    }

    /// Why the text is no environment variable name by the older rule: letters, digits, `_`, `-`
    /// and `.`, not starting with a digit.
    public static func strictEnvVarName(_ text: String) -> [String] {
        let matches = self.matches(
            text,
            first: { self.isNameByte($0) && !$0.isDigit },
            rest: self.isNameByte
        )
        let messages =
            matches
            ? []
            : [
                self.patternMessage(
                    "a valid environment variable name must consist of alphabetic characters, "
                        + "digits, '_', '-', or '.', and must not start with a digit",
                    "[-._a-zA-Z][-._a-zA-Z0-9]*",
                    "my.env-name",
                    "MY_ENV.NAME",
                    "MyEnvName1"
                )
            ]
        return messages + self.directoryMessages(text)
    }

    /// Why the text is no key of a ConfigMap or Secret.
    public static func configMapKey(_ text: String) -> [String] {
        var messages: [String] = []
        if text.utf8.count > APILimits.dns1123SubdomainMaxLength {
            messages.append(self.lengthMessage(APILimits.dns1123SubdomainMaxLength))
        }
        if !self.matches(text, first: self.isNameByte, rest: self.isNameByte) {
            messages.append(
                self.patternMessage(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                    "[-._a-zA-Z0-9]+",
                    "key.name",
                    "KEY_NAME",
                    "key-name"
                )
            )
        }
        return messages + self.directoryMessages(text)
    }

    /// Why the text is no HTTP header name, in the narrow sense of probes.
    public static func httpHeaderName(_ text: String) -> [String] {
        let isValid: (UInt8) -> Bool = { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
        if self.matches(text, first: isValid, rest: isValid) { return [] }
        return [
            self.patternMessage(
                "a valid HTTP header must consist of alphanumeric characters or '-'",
                "[-A-Za-z0-9]+",
                "X-Header-Name"
            )
        ]
    }

    /// Why the text is no reason of a condition. The length is checked apart.
    public static func conditionReason(_ text: String) -> [String] {
        let bytes = text.utf8.span
        var matches = !bytes.isEmpty && bytes[0].isLetter
        if matches {
            let last = bytes[bytes.count - 1]
            matches = last.isAlphanumeric || (last == UInt8(ascii: "_") && bytes.count > 1)
        }
        if matches {
            matches = text.utf8.allSatisfy { byte in
                byte.isAlphanumeric || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ",")
                    || byte == UInt8(ascii: ":")
            }
        }
        if matches { return [] }
        return [
            self.patternMessage(
                "a condition reason must start with alphabetic character, optionally followed by "
                    + "a string of alphanumeric characters or '_,:', and must end with an "
                    + "alphanumeric character or '_'",
                "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
                "my_name",
                "MY_NAME",
                "MyName",
                "ReasonA,ReasonB",
                "ReasonA:ReasonB"
            )
        ]
    }

    /// Why the text is no UUID in lower case (RFC 9562).
    public static func uuid(_ text: String) -> [String] {
        let bytes = text.utf8.span
        var matches = bytes.count == 36
        if matches {
            for index in 0..<36 {
                let byte = bytes[index]
                switch index {
                case 8, 13, 18, 23: matches = matches && byte == UInt8(ascii: "-")
                default: matches = matches && (byte.isDigit || byte &- UInt8(ascii: "a") < 6)
                }
            }
        }
        return matches ? [] : ["must be a lowercase UUID in 8-4-4-4-12 format"]
    }

    /// Whether the byte may stand in the key of a ConfigMap.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_")
    }

    /// Whether the text is not empty and its bytes answer to the two rules.
    static func matches(
        _ text: String,
        first: (UInt8) -> Bool,
        rest: (UInt8) -> Bool
    ) -> Bool {
        guard let byte = text.utf8.first, first(byte) else { return false }
        return text.utf8.dropFirst().allSatisfy(rest)
    }
}
