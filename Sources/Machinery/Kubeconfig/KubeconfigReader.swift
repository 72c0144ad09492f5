// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON

/// Reads the parts of a kubeconfig's tree.
struct KubeconfigReader {
    /// What relative paths are relative to.
    let folder: String

    /// The named entries of a list, such as `clusters`.
    func entries(
        _ tree: DynamicValue,
        _ list: String,
        _ key: String
    ) throws(KubeconfigError) -> [(String, DynamicValue)] {
        var entries: [(String, DynamicValue)] = []
        guard let items = tree[list], items.kind == .list else { return entries }
        for item in items.items {
            guard let name = item["name"]?.string else {
                throw .malformed("an entry of \(list) has no name")
            }
            entries.append((name, item[key] ?? .emptyObject))
        }
        return entries
    }

    func cluster(_ value: DynamicValue) throws(KubeconfigError) -> Kubeconfig.Cluster {
        Kubeconfig.Cluster(
            server: value["server"]?.string ?? "",
            authority: try self.material(value, "certificate-authority"),
            verifiesServer: value["insecure-skip-tls-verify"]?.bool != true,
            tlsServerName: value["tls-server-name"]?.string
        )
    }

    func user(_ value: DynamicValue) throws(KubeconfigError) -> Kubeconfig.User {
        for unsupported in ["exec", "auth-provider", "username"] where value[unsupported] != nil {
            throw .unsupported("user.\(unsupported)")
        }
        return Kubeconfig.User(
            certificate: try self.material(value, "client-certificate"),
            key: try self.material(value, "client-key"),
            token: value["token"]?.string,
            tokenPath: value["tokenFile"]?.string.map(self.path)
        )
    }

    /// Data in the field `<name>-data`, which wins, or the file that `<name>` names.
    private func material(
        _ value: DynamicValue,
        _ name: String
    ) throws(KubeconfigError) -> Kubeconfig.Material? {
        if let text = value["\(name)-data"]?.string, !text.isEmpty {
            let bytes = Array(text.utf8)
            do throws(Base64.Failure) {
                let decoded = try bytes.withUnsafeBytes { buffer in
                    Result { () throws(Base64.Failure) in try Base64.decode(buffer) }
                }.get()
                return .embedded(decoded)
            } catch {
                throw .malformed("\(name)-data is not base64")
            }
        }
        return value[name]?.string.map { .file(self.path($0)) }
    }

    private func path(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(self.folder)/\(path)"
    }
}
