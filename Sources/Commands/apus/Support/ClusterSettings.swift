// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
import Glibc
internal import JSON
internal import YAML

/// Where the commands about a whole cluster find flags that their command line does not say: first
/// in the environment (`APUS_DATA_DIR` is `--data-dir`), then in the file that `--config` names,
/// whose keys are the flags.
enum ClusterSettings {
    static let file = Flag(
        "config",
        default: "",
        help: "a YAML `file` whose keys are flags of apus up; those given here win"
    )

    static let apply: Command.Settings = { (parsed, flags) throws(UsageError) in
        let named = try Self.fill(parsed, flags, from: Self.environment(of: flags))
        let path = named[Self.file]
        guard !path.isEmpty else { return named }
        return try Self.fill(named, flags, from: Self.read(path, for: flags))
    }

    private static func fill(
        _ parsed: ParsedFlags,
        _ flags: FlagSet,
        from settings: [FlagSetting]
    ) throws(UsageError) -> ParsedFlags {
        do throws(FlagSettingError) {
            return try flags.filling(parsed, from: settings)
        } catch {
            throw UsageError(error.description)
        }
    }

    // MARK: - The environment

    /// The variable that stands for a flag.
    static func variable(_ flag: String) -> String {
        "APUS_" + flag.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    private static func environment(of flags: FlagSet) -> [FlagSetting] {
        flags.names.compactMap { name in
            let variable = Self.variable(name)
            return getenv(variable).map { value in
                FlagSetting(
                    name,
                    [String(cString: value)],
                    source: "environment variable \(variable)"
                )
            }
        }
    }

    // MARK: - The file

    private static func read(
        _ path: String,
        for flags: FlagSet
    ) throws(UsageError) -> [FlagSetting] {
        let content: DynamicValue
        do {
            let bytes = try FileContent.read(path)
            content = try DynamicValue(json: YAML.json(from: bytes, duplicateKeys: .refused))
        } catch {
            throw UsageError("\(path): \(error)")
        }
        let own = Set(flags.names)
        // A file holds the flags of all commands about the cluster; each takes its own.
        let known = own.union(ClusterFlags.all.map(\.name))
        guard content.isNull || content.kind == .object else {
            throw UsageError("\(path): expected keys and values")
        }
        var settings: [FlagSetting] = []
        for (key, value) in content.entries {
            guard known.contains(key), key != Self.file.name else {
                throw UsageError("\(path): unknown key '\(key)'; the keys are flags of apus up")
            }
            guard let values = Self.values(value) else {
                throw UsageError("\(path): \(key): expected a value or a list of values")
            }
            if own.contains(key) {
                settings.append(FlagSetting(key, values, source: "\(path): \(key)"))
            }
        }
        return settings
    }

    /// The words that a value stands for; nil for one that no flag can have.
    private static func values(_ value: DynamicValue) -> [String]? {
        switch value.kind {
        case .list:
            let words = value.items.map(Self.word)
            return words.contains(nil) ? nil : words.compactMap(\.self)
        case .null, .object:
            return nil
        case .bool, .integer, .double, .string:
            return Self.word(value).map { [$0] }
        }
    }

    private static func word(_ value: DynamicValue) -> String? {
        switch value.kind {
        case .string: value.string
        case .bool, .integer, .double: value.jsonText
        case .null, .list, .object: nil
        }
    }
}
