// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import JSON
import YAML

/// Brings a kubeconfig's cluster, user and context into another kubeconfig file.
public enum KubeconfigMerge {
    /// The lists of a kubeconfig whose entries have names.
    private static let lists = ["clusters", "contexts", "users"]

    /// `target` with the entries of `source`, which replace those of the same names, and with its
    /// current context. Everything else in `target` stays.
    static func merge(_ source: DynamicValue, into target: DynamicValue) -> DynamicValue {
        guard target.kind == .object else { return source }
        var result = target
        for list in Self.lists {
            let added = source[list].map { Array($0.items) } ?? []
            let names = added.map { $0["name"]?.string }
            let kept = target[list].map { Array($0.items) } ?? []
            result[list] = DynamicValue(
                kept.filter { !names.contains($0["name"]?.string) } + added
            )
        }
        result["current-context"] = source["current-context"]
        return result
    }

    /// Where kubectl looks: the first file of `KUBECONFIG`, else `.kube/config` at home.
    public static var defaultPath: String {
        let variable = getenv("KUBECONFIG").map { String(cString: $0) } ?? ""
        if let first = variable.split(separator: ":").first { return String(first) }
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        return "\(home)/.kube/config"
    }

    /// Merges the administrator's kubeconfig of a cluster into the file at `path`, which is made
    /// when it is not there. A file that cannot be read stays as it is.
    public static func run(_ layout: ClusterLayout, into path: String) throws {
        let source = try Self.read(Array(layout.readKubeconfig("admin").utf8))
        let target = try ClusterFile.read(path).map(Self.read) ?? .null
        let text = try YAML.text(fromJSON: Self.merge(source, into: target).json())
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try ClusterFile.makeFolder(String(path[..<slash]), mode: 0o700)
        }
        try ClusterFile.write(Array(text), to: path, mode: 0o600)
    }

    private static func read(_ text: [UInt8]) throws -> DynamicValue {
        try DynamicValue(json: YAML.json(from: text, duplicateKeys: .refused))
    }
}
