// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Bounds on what the compiler accepts and reports.
public enum SchemaLimits {
    /// Largest schema file in bytes. Upstream's largest is a tenth of this.
    public static let fileBytes = 4 << 20
    /// Files in one compilation, imports included.
    public static let fileCount = 10_000
    /// Length of the longest chain of imports.
    public static let importDepth = 200
    /// Depth of messages inside messages, groups among them; protoc's own number.
    public static let messageNesting = 32
    /// Depth of aggregates inside aggregates in option values.
    public static let valueNesting = 32
    /// Errors reported before the compiler gives up.
    public static let errorCount = 100
    /// Characters of a token that a message quotes before it cuts it off.
    public static let quotedTokenBytes = 40
}
