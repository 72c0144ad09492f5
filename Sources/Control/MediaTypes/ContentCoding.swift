// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The compression of answers.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/responsewriters/writers.go`.
public enum ContentCoding {
    /// An answer is compressed when its first write is longer than this many bytes.
    public static let gzipThresholdBytes = 128 * 1024

    /// The level of compression: the least work.
    public static let gzipLevel = 1

    /// Whether the client takes gzip. Weights are not read: `gzip;q=0.5` is not `gzip`, as upstream
    /// has it.
    public static func acceptsGzip(_ acceptEncoding: String?) -> Bool {
        guard var rest = acceptEncoding.map({ $0[...] }) else { return false }
        while !rest.isEmpty {
            let end = rest.utf8.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            var token = rest[..<end].drop(while: \.isWhitespace)
            while token.last?.isWhitespace == true { token.removeLast() }
            if token == "gzip" { return true }
            rest = end == rest.endIndex ? "" : rest[rest.utf8.index(after: end)...]
        }
        return false
    }
}
