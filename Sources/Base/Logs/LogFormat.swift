// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How a line of a log looks.
public enum LogFormat: String, Sendable, CaseIterable {
    /// klog's lines, as upstream's components write them:
    ///
    ///     I1128 12:26:57.123456    4711 Server.swift:12] "Listening" logger="etcd" port=2379
    case text
    /// One JSON object a line, with the keys of upstream's JSON logs.
    case json
}
