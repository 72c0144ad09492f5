// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// The numbers and the places of key and value of an encoded `mvccpb.KeyValue`.
///
/// Records, snapshots and watch events all hold keys in this one encoding, so that none of them
/// has to be encoded again on its way out. Fields are written in order of their numbers (1 key,
/// 2 create revision, 3 mod revision, 4 version, 5 value, 6 lease) and left out when empty or 0.
public struct EncodedKeyValue {
    /// The key, inside the parsed bytes.
    public private(set) var key = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The value, inside the parsed bytes.
    public private(set) var value = UnsafeRawBufferPointer(start: nil, count: 0)
    public private(set) var createRevision: Int64 = 0
    public private(set) var modRevision: Int64 = 0
    public private(set) var version: Int64 = 0
    public private(set) var lease: Int64 = 0

    /// Parses a message; nil if it is malformed. Unknown fields are skipped, the last of a repeated
    /// one counts.
    public init?(parsing bytes: UnsafeRawBufferPointer) {
        var reader = FieldReader(bytes)
        while let tag = reader.tag() {
            switch tag {
            case 0x0A:
                guard let key = reader.lengthDelimited() else { return nil }
                self.key = key
            case 0x10:
                guard let number = reader.varint() else { return nil }
                self.createRevision = Int64(bitPattern: number)
            case 0x18:
                guard let number = reader.varint() else { return nil }
                self.modRevision = Int64(bitPattern: number)
            case 0x20:
                guard let number = reader.varint() else { return nil }
                self.version = Int64(bitPattern: number)
            case 0x2A:
                guard let value = reader.lengthDelimited() else { return nil }
                self.value = value
            case 0x30:
                guard let number = reader.varint() else { return nil }
                self.lease = Int64(bitPattern: number)
            default:
                guard reader.skip(tag) else { return nil }
            }
        }
        if reader.failed { return nil }
    }

    /// The size of a message with these fields.
    @inline(__always)
    public static func byteCount(
        keyBytes: Int,
        valueBytes: Int,
        createRevision: Int64,
        modRevision: Int64,
        version: Int64,
        lease: Int64
    ) -> Int {
        Wire.bytesFieldCount(keyBytes)
            + Wire.intFieldCount(createRevision)
            + Wire.intFieldCount(modRevision)
            + Wire.intFieldCount(version)
            + Wire.bytesFieldCount(valueBytes)
            + Wire.intFieldCount(lease)
    }

    /// Writes a message with these fields to `target`, which has room for it; answers its end.
    @inline(__always)
    public static func write(
        to target: UnsafeMutableRawPointer,
        key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        createRevision: Int64,
        modRevision: Int64,
        version: Int64,
        lease: Int64
    ) -> UnsafeMutableRawPointer {
        var at = target
        at = Wire.writeBytes(at, tag: 0x0A, key)
        at = Wire.writeInt(at, tag: 0x10, createRevision)
        at = Wire.writeInt(at, tag: 0x18, modRevision)
        at = Wire.writeInt(at, tag: 0x20, version)
        at = Wire.writeBytes(at, tag: 0x2A, value)
        at = Wire.writeInt(at, tag: 0x30, lease)
        return at
    }
}

extension KeyValue {
    /// Reads a key from its encoding, sharing its memory; nil if it is malformed.
    public init?(encoded: Bytes) {
        let parsed: KeyValue? = encoded.withUnsafeBytes { raw in
            guard let view = EncodedKeyValue(parsing: raw) else { return nil }
            func shared(_ part: UnsafeRawBufferPointer) -> Bytes {
                guard let base = raw.baseAddress, let start = part.baseAddress, part.count > 0
                else { return Bytes() }
                let offset = start - base
                return encoded.slice(offset..<(offset + part.count))
            }
            return KeyValue(
                key: shared(view.key),
                createRevision: view.createRevision,
                modRevision: view.modRevision,
                version: view.version,
                value: shared(view.value),
                lease: view.lease
            )
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The size of the encoding in bytes.
    public var encodedByteCount: Int {
        EncodedKeyValue.byteCount(
            keyBytes: self.key.count,
            valueBytes: self.value.count,
            createRevision: self.createRevision,
            modRevision: self.modRevision,
            version: self.version,
            lease: self.lease
        )
    }

    /// Writes the encoding to `target`, which has room for it; answers its end.
    public func encode(to target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        self.key.withUnsafeBytes { key in
            self.value.withUnsafeBytes { value in
                EncodedKeyValue.write(
                    to: target,
                    key: key,
                    value: value,
                    createRevision: self.createRevision,
                    modRevision: self.modRevision,
                    version: self.version,
                    lease: self.lease
                )
            }
        }
    }
}
