// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// A short name for a pod template: equal templates have equal names.
///
/// 32 bits of FNV-1a over the template's canonical bytes, and over the count of collisions seen so
/// far, in letters that spell no words. Upstream hashes Go's own print of the template, which only
/// Go can make; nothing depends on the two being equal, since a template is recognised by comparing
/// it (``TemplateComparison``), not by its name.
package enum TemplateHash {
    package static func of(_ template: CoreV1.PodTemplateSpec, collisions: Int32?) -> String {
        var hash: UInt32 = 2_166_136_261
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        template.withSerializedBytes { bytes in for byte in bytes { add(byte) } }
        if let collisions {
            for shift in [0, 8, 16, 24] { add(UInt8(truncatingIfNeeded: collisions >> shift)) }
        }
        return Self.safe(String(hash))
    }

    /// Digits as consonants and digits, so that no bad word comes out.
    ///
    /// Source: upstream apimachinery `pkg/util/rand`, SafeEncodeString.
    package static func safe(_ text: String) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        let bytes = text.utf8.map { alphabet[Int($0) % alphabet.count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A random suffix in the same letters.
    package static func randomSuffix(_ count: Int) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        var bytes: [UInt8] = []
        for _ in 0..<count { bytes.append(alphabet[Int.random(in: alphabet.indices)]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
