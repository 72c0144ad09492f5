// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree

extension Command {
    /// `apus version`.
    static let version = Command(
        "version",
        summary: "Print the version of Apus and of the Kubernetes it is compatible with",
        usage: ""
    ) { invocation in
        try invocation.expectNoArguments()
        invocation.output.line("apus \(Version.apus)")
        invocation.output.line("kubernetes \(Version.kubernetes)")
        return .success
    }
}

/// Versions, written here and nowhere else.
enum Version {
    /// Apus' own, by semver.
    static let apus = "v0.1.0"
    /// The Kubernetes that the API is compatible with.
    static let kubernetes = "v1.36.0"
}
