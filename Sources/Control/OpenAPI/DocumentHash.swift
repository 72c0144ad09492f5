// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf
import ResourceTable

/// Tells versions of a document apart; nobody is kept from making two with one hash.
///
/// Two runs of FNV-1a with different beginnings.
struct DocumentHash {
    private var high: UInt64 = 0xCBF2_9CE4_8422_2325
    private var low: UInt64 = 0x6C62_272E_07BB_0142
    private var files = Set<String>()

    init(of parts: [Bytes]) {
        for part in parts { part.withUnsafeBytes { self.add($0) } }
    }

    private mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            self.high = (self.high ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            self.low = (self.low ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
    }

    /// Adds what is known of a resource and its types.
    mutating func add(_ resource: APIResource) {
        self.add("\(resource.apiVersion) \(resource.plural) \(resource.verbs.names)".utf8)
        self.add(resource.schema.file)
        for subresource in resource.subresources {
            self.add("\(subresource.name) \(subresource.verbs.names)".utf8)
            self.add(subresource.schema.file)
        }
    }

    private mutating func add(_ file: FileSchema) {
        guard self.files.insert(file.name).inserted else { return }
        self.add(file.descriptorBytes)
        for dependency in file.dependencies { self.add(dependency) }
    }

    var text: String { (Self.hex(self.high) + Self.hex(self.low)).uppercased() }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
