// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore

/// What a client sends on a watch stream.
package enum WatchStreamRequest: Hashable, Sendable {
    case create(WatchCreateRequest)
    case cancel(Int64)
    case progress
    /// Nothing that is known.
    case empty
}

extension WatchStreamRequest: EtcdMessage {
    package var wireByteCount: Int {
        switch self {
        case .create(let request): WireSize.message(request.wireByteCount)
        case .cancel(let id): WireSize.message(Wire.intFieldCount(id))
        case .progress: WireSize.message(0)
        case .empty: 0
        }
    }

    package func write(to output: inout WireOutput) {
        switch self {
        case .create(let request): output.message(0x0A, request)
        case .cancel(let id):
            output.begin(0x12, Wire.intFieldCount(id))
            output.int(0x08, id)
        case .progress: output.begin(0x1A, 0)
        case .empty: break
        }
    }

    package init(parsing fields: inout WireFields) throws {
        self = .empty
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self = .create(try fields.message(WatchCreateRequest.self))
            case 0x12:
                var inner = WireFields(try fields.data())
                var id: Int64 = 0
                while let tag = inner.next() {
                    if tag == 0x08 { id = try inner.int() } else { try inner.skip(tag) }
                }
                try inner.checkEnd()
                self = .cancel(id)
            case 0x1A:
                _ = try fields.data()
                self = .progress
            default: try fields.skip(tag)
            }
        }
    }
}

extension WatchCreateRequest: EtcdMessage {
    private var filterNumbers: [UInt64] {
        (self.filters.contains(.noPut) ? [0] : []) + (self.filters.contains(.noDelete) ? [1] : [])
    }

    private mutating func addFilter(_ number: Int64) {
        switch number {
        case 0: self.filters.insert(.noPut)
        case 1: self.filters.insert(.noDelete)
        // Etcd ignores what it does not know.
        default: break
        }
    }

    package var wireByteCount: Int {
        Wire.bytesFieldCount(self.key.count) + Wire.bytesFieldCount(self.rangeEnd.count)
            + Wire.intFieldCount(self.startRevision) + WireSize.flag(self.progressNotify)
            + Wire.bytesFieldCount(self.filterNumbers.count) + WireSize.flag(self.prevKV)
            + Wire.intFieldCount(self.watchID) + WireSize.flag(self.fragment)
    }

    package func write(to output: inout WireOutput) {
        output.bytes(0x0A, self.key)
        output.bytes(0x12, self.rangeEnd)
        output.int(0x18, self.startRevision)
        output.flag(0x20, self.progressNotify)
        let numbers = self.filterNumbers
        if !numbers.isEmpty {
            output.begin(0x2A, numbers.count)
            for number in numbers { output.varint(number) }
        }
        output.flag(0x30, self.prevKV)
        output.int(0x38, self.watchID)
        output.flag(0x40, self.fragment)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init(key: "")
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.key = try fields.data()
            case 0x12: self.rangeEnd = try fields.data()
            case 0x18: self.startRevision = try fields.int()
            case 0x20: self.progressNotify = try fields.flag()
            case 0x28: self.addFilter(try fields.int())
            case 0x2A:
                for byte in try fields.data() { self.addFilter(Int64(byte)) }
            case 0x30: self.prevKV = try fields.flag()
            case 0x38: self.watchID = try fields.int()
            case 0x40: self.fragment = try fields.flag()
            default: try fields.skip(tag)
            }
        }
    }
}

extension WatchResponse: EtcdMessage {
    package var wireByteCount: Int {
        WireSize.message(self.header.wireByteCount) + Wire.intFieldCount(self.watchID)
            + WireSize.flag(self.created) + WireSize.flag(self.canceled)
            + Wire.intFieldCount(self.compactRevision)
            + Wire.bytesFieldCount(self.cancelReason.utf8.count) + WireSize.flag(self.fragment)
            + self.events.encoded.count
    }

    package func write(to output: inout WireOutput) {
        output.message(0x0A, self.header)
        output.int(0x10, self.watchID)
        output.flag(0x18, self.created)
        output.flag(0x20, self.canceled)
        output.int(0x28, self.compactRevision)
        if !self.cancelReason.isEmpty { output.text(0x32, self.cancelReason) }
        output.flag(0x38, self.fragment)
        output.raw(self.events.encoded)
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        var events: [Event] = []
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.header = try fields.message(ResponseHeader.self)
            case 0x10: self.watchID = try fields.int()
            case 0x18: self.created = try fields.flag()
            case 0x20: self.canceled = try fields.flag()
            case 0x28: self.compactRevision = try fields.int()
            case 0x32: self.cancelReason = try fields.text()
            case 0x38: self.fragment = try fields.flag()
            case 0x5A:
                guard let event = Event(encoded: try fields.data()) else {
                    throw MalformedMessage.field
                }
                events.append(event)
            default: try fields.skip(tag)
            }
        }
        if !events.isEmpty { self.events = WatchEvents(events) }
    }
}
