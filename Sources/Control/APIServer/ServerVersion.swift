// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// The version that the server says it has: that of the Kubernetes whose behaviour it has.
enum ServerVersion {
    static let info = Version.Info.with {
        $0.major = "1"
        $0.minor = "36"
        $0.gitVersion = "v1.36.2+apus"
        $0.gitCommit = ""
        $0.gitTreeState = "clean"
        $0.buildDate = "1970-01-01T00:00:00Z"
        $0.goVersion = "none"
        $0.compiler = "swiftc"
        $0.platform = Self.platform
    }

    private static var platform: String {
        #if arch(arm64)
            "linux/arm64"
        #else
            "linux/amd64"
        #endif
    }
}
