// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore

extension ResponseHeader: EtcdMessage {
    package var wireByteCount: Int {
        Wire.intFieldCount(Int64(bitPattern: self.clusterID))
            + Wire.intFieldCount(Int64(bitPattern: self.memberID))
            + Wire.intFieldCount(self.revision)
            + Wire.intFieldCount(Int64(bitPattern: self.raftTerm))
    }

    package func write(to output: inout WireOutput) {
        output.int(0x08, Int64(bitPattern: self.clusterID))
        output.int(0x10, Int64(bitPattern: self.memberID))
        output.int(0x18, self.revision)
        output.int(0x20, Int64(bitPattern: self.raftTerm))
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        while let tag = fields.next() {
            switch tag {
            case 0x08: self.clusterID = UInt64(bitPattern: try fields.int())
            case 0x10: self.memberID = UInt64(bitPattern: try fields.int())
            case 0x18: self.revision = try fields.int()
            case 0x20: self.raftTerm = UInt64(bitPattern: try fields.int())
            default: try fields.skip(tag)
            }
        }
    }
}

// MARK: - Range

extension RangeRequest: EtcdMessage {
    package var wireByteCount: Int {
        Wire.bytesFieldCount(self.key.count) + Wire.bytesFieldCount(self.rangeEnd.count)
            + Wire.intFieldCount(self.limit) + Wire.intFieldCount(self.revision)
            + Wire.intFieldCount(Int64(self.sortOrder.rawValue))
            + Wire.intFieldCount(Int64(self.sortTarget.rawValue))
            + WireSize.flag(self.serializable) + WireSize.flag(self.keysOnly)
            + WireSize.flag(self.countOnly) + Wire.intFieldCount(self.minModRevision)
            + Wire.intFieldCount(self.maxModRevision)
            + Wire.intFieldCount(self.minCreateRevision)
            + Wire.intFieldCount(self.maxCreateRevision)
    }

    package func write(to output: inout WireOutput) {
        output.bytes(0x0A, self.key)
        output.bytes(0x12, self.rangeEnd)
        output.int(0x18, self.limit)
        output.int(0x20, self.revision)
        output.int(0x28, Int64(self.sortOrder.rawValue))
        output.int(0x30, Int64(self.sortTarget.rawValue))
        output.flag(0x38, self.serializable)
        output.flag(0x40, self.keysOnly)
        output.flag(0x48, self.countOnly)
        output.int(0x50, self.minModRevision)
        output.int(0x58, self.maxModRevision)
        output.int(0x60, self.minCreateRevision)
        output.int(0x68, self.maxCreateRevision)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init(key: "")
        var hasUnknownOrder = false
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.key = try fields.data()
            case 0x12: self.rangeEnd = try fields.data()
            case 0x18: self.limit = try fields.int()
            case 0x20: self.revision = try fields.int()
            case 0x28:
                let order = SortOrder(rawValue: Int32(truncatingIfNeeded: try fields.int()))
                if order == nil { hasUnknownOrder = true }
                self.sortOrder = order ?? .none
            case 0x30:
                let target = SortTarget(rawValue: Int32(truncatingIfNeeded: try fields.int()))
                if target == nil { hasUnknownOrder = true }
                self.sortTarget = target ?? .key
            case 0x38: self.serializable = try fields.flag()
            case 0x40: self.keysOnly = try fields.flag()
            case 0x48: self.countOnly = try fields.flag()
            case 0x50: self.minModRevision = try fields.int()
            case 0x58: self.maxModRevision = try fields.int()
            case 0x60: self.minCreateRevision = try fields.int()
            case 0x68: self.maxCreateRevision = try fields.int()
            default: try fields.skip(tag)
            }
        }
        // A missing key comes first, as in etcd.
        if hasUnknownOrder {
            throw self.key.isEmpty ? StoreError.emptyKey : StoreError.invalidSortOption
        }
    }
}

extension RangeResponse: EtcdMessage {
    package var wireByteCount: Int {
        WireSize.message(self.header.wireByteCount)
            + self.kvs.reduce(0) { $0 + WireSize.message($1.encodedByteCount) }
            + WireSize.flag(self.more) + Wire.intFieldCount(self.count)
    }

    package func write(to output: inout WireOutput) {
        output.message(0x0A, self.header)
        for kv in self.kvs { output.keyValue(0x12, kv) }
        output.flag(0x18, self.more)
        output.int(0x20, self.count)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.header = try fields.message(ResponseHeader.self)
            case 0x12: self.kvs.append(try fields.keyValue())
            case 0x18: self.more = try fields.flag()
            case 0x20: self.count = try fields.int()
            default: try fields.skip(tag)
            }
        }
    }
}

// MARK: - Put and delete

extension PutRequest: EtcdMessage {
    package var wireByteCount: Int {
        Wire.bytesFieldCount(self.key.count) + Wire.bytesFieldCount(self.value.count)
            + Wire.intFieldCount(self.lease) + WireSize.flag(self.prevKV)
            + WireSize.flag(self.ignoreValue) + WireSize.flag(self.ignoreLease)
    }

    package func write(to output: inout WireOutput) {
        output.bytes(0x0A, self.key)
        output.bytes(0x12, self.value)
        output.int(0x18, self.lease)
        output.flag(0x20, self.prevKV)
        output.flag(0x28, self.ignoreValue)
        output.flag(0x30, self.ignoreLease)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init(key: "")
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.key = try fields.data()
            case 0x12: self.value = try fields.data()
            case 0x18: self.lease = try fields.int()
            case 0x20: self.prevKV = try fields.flag()
            case 0x28: self.ignoreValue = try fields.flag()
            case 0x30: self.ignoreLease = try fields.flag()
            default: try fields.skip(tag)
            }
        }
    }
}

extension PutResponse: EtcdMessage {
    package var wireByteCount: Int {
        WireSize.message(self.header.wireByteCount)
            + (self.prevKV.map { WireSize.message($0.encodedByteCount) } ?? 0)
    }

    package func write(to output: inout WireOutput) {
        output.message(0x0A, self.header)
        if let prevKV = self.prevKV { output.keyValue(0x12, prevKV) }
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.header = try fields.message(ResponseHeader.self)
            case 0x12: self.prevKV = try fields.keyValue()
            default: try fields.skip(tag)
            }
        }
    }
}

extension DeleteRangeRequest: EtcdMessage {
    package var wireByteCount: Int {
        Wire.bytesFieldCount(self.key.count) + Wire.bytesFieldCount(self.rangeEnd.count)
            + WireSize.flag(self.prevKV)
    }

    package func write(to output: inout WireOutput) {
        output.bytes(0x0A, self.key)
        output.bytes(0x12, self.rangeEnd)
        output.flag(0x18, self.prevKV)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init(key: "")
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.key = try fields.data()
            case 0x12: self.rangeEnd = try fields.data()
            case 0x18: self.prevKV = try fields.flag()
            default: try fields.skip(tag)
            }
        }
    }
}

extension DeleteRangeResponse: EtcdMessage {
    package var wireByteCount: Int {
        WireSize.message(self.header.wireByteCount) + Wire.intFieldCount(self.deleted)
            + self.prevKVs.reduce(0) { $0 + WireSize.message($1.encodedByteCount) }
    }

    package func write(to output: inout WireOutput) {
        output.message(0x0A, self.header)
        output.int(0x10, self.deleted)
        for kv in self.prevKVs { output.keyValue(0x1A, kv) }
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.header = try fields.message(ResponseHeader.self)
            case 0x10: self.deleted = try fields.int()
            case 0x1A: self.prevKVs.append(try fields.keyValue())
            default: try fields.skip(tag)
            }
        }
    }
}

extension CompactionRequest: EtcdMessage {
    package var wireByteCount: Int {
        Wire.intFieldCount(self.revision) + WireSize.flag(self.physical)
    }

    package func write(to output: inout WireOutput) {
        output.int(0x08, self.revision)
        output.flag(0x10, self.physical)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init(revision: 0)
        while let tag = fields.next() {
            switch tag {
            case 0x08: self.revision = try fields.int()
            case 0x10: self.physical = try fields.flag()
            default: try fields.skip(tag)
            }
        }
    }
}

extension CompactionResponse: EtcdMessage {
    package var wireByteCount: Int { WireSize.message(self.header.wireByteCount) }

    package func write(to output: inout WireOutput) {
        output.message(0x0A, self.header)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.header = try fields.message(ResponseHeader.self)
            default: try fields.skip(tag)
            }
        }
    }
}
