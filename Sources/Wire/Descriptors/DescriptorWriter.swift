// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Appends protobuf fields to a byte array.
struct DescriptorWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ number: Int32, _ value: String) {
        self.write(number, value.utf8)
    }

    mutating func write(_ number: Int32, _ value: some Collection<UInt8>) {
        self.writeTag(number, wireType: 2)
        self.writeVarint(UInt64(value.count))
        self.bytes.append(contentsOf: value)
    }

    mutating func write(_ number: Int32, _ value: Int32) {
        self.writeTag(number, wireType: 0)
        self.writeVarint(UInt64(bitPattern: Int64(value)))
    }

    mutating func write(_ number: Int32, _ value: Bool) {
        self.write(number, Int32(value ? 1 : 0))
    }

    mutating func write(_ number: Int32, _ messages: [some DescriptorMessage]) {
        for message in messages {
            var inner = DescriptorWriter()
            message.write(to: &inner)
            self.write(number, inner.bytes)
        }
    }

    mutating func write(_ number: Int32, _ options: DescriptorOptions) {
        if options.isPresent { self.write(number, options.bytes) }
    }

    mutating func write(_ number: Int32, _ values: [String]) {
        for value in values { self.write(number, value) }
    }

    mutating func write(_ number: Int32, unpacked values: [Int32]) {
        for value in values { self.write(number, value) }
    }

    mutating func write(_ number: Int32, packed values: [Int32]) {
        guard !values.isEmpty else { return }
        var inner = DescriptorWriter()
        for value in values { inner.writeVarint(UInt64(bitPattern: Int64(value))) }
        self.write(number, inner.bytes)
    }

    /// Writes `value` unless it is empty.
    mutating func writeNonempty(_ number: Int32, _ value: String) {
        if !value.isEmpty { self.write(number, value) }
    }

    private mutating func writeTag(_ number: Int32, wireType: UInt8) {
        self.writeVarint(UInt64(UInt32(bitPattern: number) << 3 | UInt32(wireType)))
    }

    private mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
