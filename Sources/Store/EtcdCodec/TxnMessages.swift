// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore

/// How deep transactions may be nested in a message, so that reading one is bounded. The store's
/// own limit is lower and has etcd's error.
private let maximumDepth = 100

extension Compare: EtcdMessage {
    /// Numbers of `CompareTarget`.
    private enum Target {
        static let version: Int64 = 0
        static let create: Int64 = 1
        static let mod: Int64 = 2
        static let value: Int64 = 3
        static let lease: Int64 = 4
    }

    private var target: Int64 {
        switch self.operand {
        case .version: Target.version
        case .createRevision: Target.create
        case .modRevision: Target.mod
        case .value: Target.value
        case .lease: Target.lease
        }
    }

    package var wireByteCount: Int {
        let operand =
            switch self.operand {
            case .version(let number), .createRevision(let number), .modRevision(let number),
                .lease(let number):
                Wire.intFieldCount(number)
            case .value(let value): Wire.bytesFieldCount(value.count)
            }
        let end = Wire.bytesFieldCount(self.rangeEnd.count)
        return Wire.intFieldCount(Int64(self.result.rawValue))
            + Wire.intFieldCount(self.target) + Wire.bytesFieldCount(self.key.count) + operand
            + (end == 0 ? 0 : end + 1)
    }

    package func write(to output: inout WireOutput) {
        output.int(0x08, Int64(self.result.rawValue))
        output.int(0x10, self.target)
        output.bytes(0x1A, self.key)
        switch self.operand {
        case .version(let number): output.int(0x20, number)
        case .createRevision(let number): output.int(0x28, number)
        case .modRevision(let number): output.int(0x30, number)
        case .value(let value): output.bytes(0x3A, value)
        case .lease(let number): output.int(0x40, number)
        }
        if !self.rangeEnd.isEmpty {
            // Field 64 has a tag of two bytes: 0x82 0x04.
            output.varint(64 << 3 | 2)
            output.varint(UInt64(self.rangeEnd.count))
            output.raw(self.rangeEnd)
        }
    }

    package init(parsing fields: inout WireFields) throws {
        var result: Int64 = 0
        var target: Int64 = 0
        var key = Bytes()
        var rangeEnd = Bytes()
        var number: (target: Int64, value: Int64) = (0, 0)
        var value = Bytes()
        while let tag = fields.next() {
            switch tag {
            case 0x08: result = try fields.int()
            case 0x10: target = try fields.int()
            case 0x1A: key = try fields.data()
            case 0x20: number = (Target.version, try fields.int())
            case 0x28: number = (Target.create, try fields.int())
            case 0x30: number = (Target.mod, try fields.int())
            case 0x3A:
                number = (Target.value, 0)
                value = try fields.data()
            case 0x40: number = (Target.lease, try fields.int())
            case 64 << 3 | 2: rangeEnd = try fields.data()
            default: try fields.skip(tag)
            }
        }
        // What the union holds counts only if it is what the target says.
        let operand = number.target == target ? number.value : 0
        guard let result = Result(rawValue: Int32(truncatingIfNeeded: result)) else {
            throw StoreError(.invalidArgument, "etcdserver: invalid compare result")
        }
        self.init(key: key, rangeEnd: rangeEnd, operand: .version(operand), result: result)
        switch target {
        case Target.version: self.operand = .version(operand)
        case Target.create: self.operand = .createRevision(operand)
        case Target.mod: self.operand = .modRevision(operand)
        case Target.value: self.operand = .value(number.target == target ? value : Bytes())
        case Target.lease: self.operand = .lease(operand)
        default: throw StoreError(.invalidArgument, "etcdserver: invalid compare target")
        }
    }
}

extension RequestOp: EtcdMessage {
    package var wireByteCount: Int {
        switch self {
        case .range(let request): WireSize.message(request.wireByteCount)
        case .put(let request): WireSize.message(request.wireByteCount)
        case .deleteRange(let request): WireSize.message(request.wireByteCount)
        case .txn(let request): WireSize.message(request.wireByteCount)
        case .empty: 0
        }
    }

    package func write(to output: inout WireOutput) {
        switch self {
        case .range(let request): output.message(0x0A, request)
        case .put(let request): output.message(0x12, request)
        case .deleteRange(let request): output.message(0x1A, request)
        case .txn(let request): output.message(0x22, request)
        case .empty: break
        }
    }

    package init(parsing fields: inout WireFields) throws {
        self = .empty
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self = .range(try fields.message(RangeRequest.self))
            case 0x12: self = .put(try fields.message(PutRequest.self))
            case 0x1A: self = .deleteRange(try fields.message(DeleteRangeRequest.self))
            case 0x22: self = .txn(try fields.message(TxnRequest.self))
            default: try fields.skip(tag)
            }
        }
    }
}

extension TxnRequest: EtcdMessage {
    package var wireByteCount: Int {
        var total = 0
        for compare in self.compare { total += WireSize.message(compare.wireByteCount) }
        for operation in self.success { total += WireSize.message(operation.wireByteCount) }
        for operation in self.failure { total += WireSize.message(operation.wireByteCount) }
        return total
    }

    package func write(to output: inout WireOutput) {
        for compare in self.compare { output.message(0x0A, compare) }
        for operation in self.success { output.message(0x12, operation) }
        for operation in self.failure { output.message(0x1A, operation) }
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        fields.depth += 1
        if fields.depth > maximumDepth { throw MalformedMessage.depth }
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.compare.append(try fields.message(Compare.self))
            case 0x12: self.success.append(try fields.message(RequestOp.self))
            case 0x1A: self.failure.append(try fields.message(RequestOp.self))
            default: try fields.skip(tag)
            }
        }
    }
}

extension ResponseOp: EtcdMessage {
    package var wireByteCount: Int {
        switch self {
        case .range(let response): WireSize.message(response.wireByteCount)
        case .put(let response): WireSize.message(response.wireByteCount)
        case .deleteRange(let response): WireSize.message(response.wireByteCount)
        case .txn(let response): WireSize.message(response.wireByteCount)
        }
    }

    package func write(to output: inout WireOutput) {
        switch self {
        case .range(let response): output.message(0x0A, response)
        case .put(let response): output.message(0x12, response)
        case .deleteRange(let response): output.message(0x1A, response)
        case .txn(let response): output.message(0x22, response)
        }
    }

    package init(parsing fields: inout WireFields) throws {
        var found: ResponseOp?
        while let tag = fields.next() {
            switch tag {
            case 0x0A: found = .range(try fields.message(RangeResponse.self))
            case 0x12: found = .put(try fields.message(PutResponse.self))
            case 0x1A: found = .deleteRange(try fields.message(DeleteRangeResponse.self))
            case 0x22: found = .txn(try fields.message(TxnResponse.self))
            default: try fields.skip(tag)
            }
        }
        guard let found else { throw MalformedMessage.field }
        self = found
    }
}

extension TxnResponse: EtcdMessage {
    package var wireByteCount: Int {
        WireSize.message(self.header.wireByteCount) + WireSize.flag(self.succeeded)
            + self.responses.reduce(0) { $0 + WireSize.message($1.wireByteCount) }
    }

    package func write(to output: inout WireOutput) {
        output.message(0x0A, self.header)
        output.flag(0x10, self.succeeded)
        for response in self.responses { output.message(0x1A, response) }
    }

    package init(parsing fields: inout WireFields) throws {
        self.init()
        fields.depth += 1
        if fields.depth > maximumDepth { throw MalformedMessage.depth }
        while let tag = fields.next() {
            switch tag {
            case 0x0A: self.header = try fields.message(ResponseHeader.self)
            case 0x10: self.succeeded = try fields.flag()
            case 0x1A: self.responses.append(try fields.message(ResponseOp.self))
            default: try fields.skip(tag)
            }
        }
    }
}
