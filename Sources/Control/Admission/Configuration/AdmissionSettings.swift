// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import YAML

/// What a file for `--admission-control-config-file` says: settings of plugins.
///
/// Source: upstream `apiserver.config.k8s.io/v1`, AdmissionConfiguration;
/// k8s.io/apiserver `pkg/admission/config.go`.
public struct AdmissionSettings: Sendable, Equatable {
    public var podSecurity = PodSecuritySettings()
    public var resourceQuota = ResourceQuotaSettings()

    public init() {}

    /// Plugins that have settings here.
    private static let configurable = ["PodSecurity", "ResourceQuota"]

    private static let versions = [
        "apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1",
    ]

    /// Reads a file.
    ///
    /// - Parameter read: reads a file that the settings of a plugin are in, by its path as it is
    ///   written.
    public init(
        parsing text: [UInt8],
        _ read: (String) throws -> [UInt8]
    ) throws {
        var document = try SettingsReader.document(text)
        try document.expect("AdmissionConfiguration", Self.versions)
        for var plugin in try document.objects("plugins") {
            let name = try plugin.string("name")
            let path = try plugin.string("path")
            let embedded = try plugin.object("configuration")
            try plugin.finish()
            guard Self.configurable.contains(name) else {
                guard path.isEmpty, embedded == nil else {
                    throw AdmissionSettingsError.noSettings(name)
                }
                continue
            }
            let settings: SettingsReader
            if let embedded {
                settings = embedded
            } else if !path.isEmpty {
                settings = try SettingsReader.document(try read(path))
            } else {
                continue
            }
            if name == "PodSecurity" {
                self.podSecurity = try PodSecuritySettings(settings)
            } else {
                self.resourceQuota = try ResourceQuotaSettings(settings)
            }
        }
        try document.finish()
    }
}

/// Why settings of admission cannot be used.
public enum AdmissionSettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is no YAML, or has a key twice.
    case malformed(String)
    case unknownField(String)
    case wrongType(String, expected: String)
    case wrongKind(apiVersion: String, kind: String)
    case invalid(String, String)
    /// A plugin that takes no settings, or that there is not.
    case noSettings(String)

    public var description: String {
        switch self {
        case .malformed(let why): why
        case .unknownField(let path): "strict decoding error: unknown field \"\(path)\""
        case .wrongType(let path, let expected): "\(path): expected \(expected)"
        case .wrongKind(let apiVersion, let kind):
            "no kind \"\(kind)\" is registered for version \"\(apiVersion)\""
        case .invalid(let path, let why): "\(path): Invalid value: \(why)"
        case .noSettings(let name): "the admission plugin '\(name)' takes no configuration"
        }
    }
}

/// Reads the fields of an object, and refuses those that nobody asked for.
struct SettingsReader {
    private let path: String
    private let value: DynamicValue
    private var known: Set<String> = []

    private init(_ value: DynamicValue, _ path: String) throws(AdmissionSettingsError) {
        guard value.kind == .object else {
            throw .wrongType(path.isEmpty ? "document" : path, expected: "object")
        }
        self.value = value
        self.path = path
    }

    /// The first document of a text.
    static func document(_ text: [UInt8]) throws(AdmissionSettingsError) -> SettingsReader {
        let value: DynamicValue
        do {
            value = try DynamicValue(json: try YAML.json(from: text, duplicateKeys: .refused))
        } catch {
            throw .malformed("\(error)")
        }
        return try SettingsReader(value, "")
    }

    func name(_ key: String) -> String { self.path.isEmpty ? key : "\(self.path).\(key)" }

    /// Checks what the object says that it is.
    mutating func expect(_ kind: String, _ versions: [String]) throws(AdmissionSettingsError) {
        let apiVersion = try self.string("apiVersion")
        let found = try self.string("kind")
        guard found == kind, versions.contains(apiVersion) else {
            throw .wrongKind(apiVersion: apiVersion, kind: found)
        }
    }

    private mutating func field(_ key: String) -> DynamicValue? {
        self.known.insert(key)
        guard let value = self.value[key], !value.isNull else { return nil }
        return value
    }

    /// A text; empty when there is none.
    mutating func string(_ key: String) throws(AdmissionSettingsError) -> String {
        guard let value = self.field(key) else { return "" }
        guard let text = value.string else {
            throw .wrongType(self.name(key), expected: "string")
        }
        return text
    }

    mutating func strings(_ key: String) throws(AdmissionSettingsError) -> [String] {
        var texts: [String] = []
        for item in try self.items(key) {
            guard let text = item.string else {
                throw .wrongType(self.name(key), expected: "list of strings")
            }
            texts.append(text)
        }
        return texts
    }

    mutating func object(_ key: String) throws(AdmissionSettingsError) -> SettingsReader? {
        guard let value = self.field(key) else { return nil }
        return try SettingsReader(value, self.name(key))
    }

    mutating func objects(_ key: String) throws(AdmissionSettingsError) -> [SettingsReader] {
        var readers: [SettingsReader] = []
        for (index, item) in try self.items(key).enumerated() {
            readers.append(try SettingsReader(item, "\(self.name(key))[\(index)]"))
        }
        return readers
    }

    private mutating func items(_ key: String) throws(AdmissionSettingsError) -> [DynamicValue] {
        guard let value = self.field(key) else { return [] }
        guard value.kind == .list else { throw .wrongType(self.name(key), expected: "list") }
        return Array(value.items)
    }

    /// Refuses the fields that were not asked for.
    func finish() throws(AdmissionSettingsError) {
        for (key, _) in self.value.entries where !self.known.contains(key) {
            throw .unknownField(self.name(key))
        }
    }
}
