// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What something other than the command line says a flag is: an environment variable, a line of a
/// configuration file.
public struct FlagSetting: Sendable, Hashable {
    /// The flag's name, without dashes.
    public var name: String
    /// Its occurrences: one for a single value, any number for a list.
    public var values: [String]
    /// Where it stands, for messages: `environment variable APUS_DATA_DIR`.
    public var source: String

    public init(_ name: String, _ values: [String], source: String) {
        self.name = name
        self.values = values
        self.source = source
    }
}

/// A setting that does not fit its flag.
public struct FlagSettingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let setting: FlagSetting
    public let reason: FlagError

    public var description: String { "\(self.setting.source): \(self.reason)" }
}

extension FlagSet {
    /// The names of the flags, in the order they were given.
    public var names: [String] { self.flags.map(\.name) }

    /// The flags that a command line says, and for those that it does not say, the settings.
    public func filling(
        _ parsed: ParsedFlags,
        from settings: [FlagSetting]
    ) throws(FlagSettingError) -> ParsedFlags {
        var result = parsed
        for setting in settings {
            guard let flag = self.flag(named: setting.name) else {
                throw FlagSettingError(setting: setting, reason: .unknownFlag(setting.name))
            }
            guard parsed.values[flag.name] == nil else { continue }
            var value: (any FlagValue)?
            for text in setting.values {
                guard let next = flag.value(text, after: value) else {
                    throw FlagSettingError(
                        setting: setting,
                        reason: .invalidValue(
                            text,
                            flag: "--\(flag.name)",
                            typeName: flag.typeName
                        )
                    )
                }
                value = next
            }
            result.values[flag.name] = value
        }
        return result
    }
}
