// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension ResourceTable {
    /// Why a setting of `--runtime-config` means nothing.
    public enum RuntimeConfigError: Error, Sendable, Equatable {
        /// Neither `true` nor `false`.
        case invalidValue(String)
        /// No such group, version or resource.
        case unknown(String)
    }

    /// The resources that are served with the settings of `--runtime-config`.
    ///
    /// A setting is `KEY=true`, `KEY=false` or `KEY`, where the key is `api/all`, `api/ga`,
    /// `api/beta`, `api/alpha`, a version (`v1`, `apps/v1`) or a resource of one
    /// (`batch/v1/cronjobs`). What says more wins over what says less, whatever the order.
    ///
    /// Source: upstream k8s.io/apiserver `pkg/server/resourceconfig/helpers.go`.
    public static func served(
        runtimeConfig settings: [String]
    ) throws(RuntimeConfigError) -> ResourceTable {
        var values: [String: Bool] = [:]
        for setting in settings {
            let (key, value) = try Self.parse(setting)
            guard Self.isKnown(key) else { throw .unknown(key) }
            values[key] = value
        }
        let resources = self.builtin.resources.filter { resource in
            var isServed = values["api/all"] ?? resource.isServedByDefault
            if let value = values["api/\(Self.maturity(of: resource.version))"] { isServed = value }
            if let value = values[resource.apiVersion] { isServed = value }
            if let value = values["\(resource.apiVersion)/\(resource.plural)"] { isServed = value }
            return isServed
        }
        let groups = self.builtin.groups.filter { group in
            resources.contains { $0.group == group.name }
        }
        return ResourceTable(groups: groups, resources: resources)
    }

    private static func parse(
        _ setting: String
    ) throws(RuntimeConfigError) -> (key: String, value: Bool) {
        let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        var key = String(parts[0])
        // The core group has two names.
        if key == "api/v1" { key = "v1" }
        if key.hasPrefix("api/v1/") { key.removeFirst(4) }
        guard parts.count == 2 else { return (key, true) }
        switch parts[1] {
        case "true", "": return (key, true)
        case "false": return (key, false)
        default: throw .invalidValue(setting)
        }
    }

    private static func isKnown(_ key: String) -> Bool {
        if ["api/all", "api/ga", "api/beta", "api/alpha"].contains(key) { return true }
        return self.builtin.resources.contains { resource in
            key == resource.apiVersion || key == "\(resource.apiVersion)/\(resource.plural)"
        }
    }

    /// `alpha`, `beta` or `ga`.
    private static func maturity(of version: String) -> String {
        if version.contains("alpha") { return "alpha" }
        return version.contains("beta") ? "beta" : "ga"
    }
}
