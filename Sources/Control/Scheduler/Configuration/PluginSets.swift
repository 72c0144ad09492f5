// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The points at which plugins can be switched on and off.
package enum ExtensionPoint: String, Sendable, CaseIterable {
    case preEnqueue, queueSort, preFilter, filter, postFilter, preScore, score, reserve, permit
    case preBind, bind, postBind, multiPoint, placementGenerate, placementScore
}

/// Plugins that are switched on, in order, and such that are switched off.
struct PluginSet: Sendable {
    struct Enabled: Sendable, Hashable {
        let name: PluginName
        let weight: Int64
    }

    var enabled: [Enabled] = []
    var disabled: Set<PluginName> = []
    /// Whether `*` switches off all that are on by default.
    var disablesAll = false

    init() {}

    init(_ reader: inout StrictReader) throws(ConfigurationError) {
        let enabled = try reader.objects("enabled") { item throws(ConfigurationError) in
            let name = try Self.name(&item)
            return Enabled(name: try Self.known(name, item.path), weight: try Self.weight(&item))
        }
        let disabled = try reader.objects("disabled") { item throws(ConfigurationError) in
            let name = try Self.name(&item)
            _ = try Self.weight(&item)
            return name == "*" ? nil : try Self.known(name, item.path)
        }
        self.enabled = enabled ?? []
        for name in disabled ?? [] {
            if let name {
                self.disabled.insert(name)
            } else {
                self.disablesAll = true
            }
        }
    }

    private static func name(_ reader: inout StrictReader) throws(ConfigurationError) -> String {
        try reader.string("name") ?? ""
    }

    private static func weight(_ reader: inout StrictReader) throws(ConfigurationError) -> Int64 {
        try reader.integer("weight") ?? 0
    }

    static func known(_ name: String, _ path: String) throws(ConfigurationError) -> PluginName {
        guard let plugin = PluginName(rawValue: name) else {
            throw .invalid(path: path, "\"\(name)\": plugin does not exist")
        }
        return plugin
    }

    /// Whether the set switches a plugin off.
    func disables(_ name: PluginName) -> Bool {
        self.disablesAll || self.disabled.contains(name)
    }

    /// These plugins put over the default ones: replaced in place, or added at the end.
    ///
    /// Source: upstream `pkg/scheduler/apis/config/v1/default_plugins.go`, mergePluginSet.
    func merged(over defaults: [Enabled]) -> [Enabled] {
        var own = self.enabled
        var result: [Enabled] = []
        for plugin in defaults where !self.disables(plugin.name) {
            if let index = own.firstIndex(where: { $0.name == plugin.name }) {
                result.append(own.remove(at: index))
            } else {
                result.append(plugin)
            }
        }
        return result + own
    }
}
