// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Small text files that flags name, such as certificates. Blocks.
public enum ConfigText {
    /// The text of the file at `path`.
    public static func read(_ path: String) throws(KubeconfigError) -> String {
        String(decoding: try ConfigFile.read(path), as: UTF8.self)
    }
}
