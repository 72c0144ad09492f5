// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A frame as it was read.
///
/// ```
/// control: 1 | version 15 bits | type 16 | flags 8 | length 24 | payload
/// data:    0 | stream 31 bits            | flags 8 | length 24 | payload
/// ```
struct Frame {
    enum Kind {
        case data(UInt32)
        case control(UInt16)
    }

    let kind: Kind
    let isLast: Bool
    let payload: ArraySlice<UInt8>

    private static let headBytes = 8

    var byteCount: Int { Self.headBytes + self.payload.count }

    /// The frame at the start of bytes; nil when it is not whole yet.
    init?(_ bytes: ArraySlice<UInt8>) throws(SPDYError) {
        guard bytes.count >= Self.headBytes else { return nil }
        let start = bytes.startIndex
        func number(_ offset: Int, _ count: Int) -> Int {
            bytes[(start + offset)..<(start + offset + count)].reduce(0) { $0 << 8 | Int($1) }
        }
        let length = number(5, 3)
        guard length <= SPDYSession.maximumFrameBytes else { throw .frameTooLarge(length) }
        guard bytes.count >= Self.headBytes + length else { return nil }
        let head = number(0, 4)
        if head & 0x8000_0000 != 0 {
            guard head >> 16 & 0x7FFF == 3 else { throw .malformed("not version 3") }
            self.kind = .control(UInt16(truncatingIfNeeded: head))
        } else {
            self.kind = .data(UInt32(head))
        }
        self.isLast = bytes[start + 4] & 1 != 0
        self.payload = bytes[(start + Self.headBytes)..<(start + Self.headBytes + length)]
    }

    /// A number of 32 bits in the payload.
    func number(_ offset: Int) throws(SPDYError) -> UInt32 {
        guard self.payload.count >= offset + 4 else { throw .malformed("a short frame") }
        let start = self.payload.startIndex + offset
        return self.payload[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    }
}

/// Writes frames, one after the other.
actor FrameWriter {
    private let transport: any SPDYTransport
    private let headers: HeaderCompression
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private var isWriting = false
    private var blocked: [CheckedContinuation<Void, Never>] = []

    /// The bytes that may wait for the transport before those who add more wait too.
    private static let limit = 256 << 10

    init(_ transport: any SPDYTransport, _ headers: sending HeaderCompression) {
        self.transport = transport
        self.headers = headers
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
            UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
        ]
    }

    private static func control(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
        self.bytes(0x8003_0000 | UInt32(type)) + self.bytes(UInt32(payload.count)) + payload
    }

    /// Sends in the order of the calls; returns when there is room for more.
    private func send(_ frame: [UInt8]) async throws {
        self.waiting.append(frame)
        self.waitingBytes += frame.count
        if self.isWriting {
            guard self.waitingBytes > Self.limit else { return }
            return await withCheckedContinuation { self.blocked.append($0) }
        }
        self.isWriting = true
        defer {
            self.isWriting = false
            self.unblock()
        }
        while !self.waiting.isEmpty {
            let next = self.waiting.removeFirst()
            self.waitingBytes -= next.count
            if self.waitingBytes <= Self.limit { self.unblock() }
            try await self.transport.write(next)
        }
    }

    private func unblock() {
        for continuation in self.blocked { continuation.resume() }
        self.blocked = []
    }

    func reply(_ id: UInt32) async throws {
        let block = try self.headers.compress([])
        try await self.send(Self.control(2, Self.bytes(id) + block))
    }

    func ping(_ id: UInt32) async throws {
        try await self.send(Self.control(6, Self.bytes(id)))
    }

    func reset(_ id: UInt32) async throws {
        // Status 5: cancelled.
        try await self.send(Self.control(3, Self.bytes(id) + Self.bytes(5)))
    }

    func data(_ id: UInt32, _ payload: [UInt8], isLast: Bool) async throws {
        let flags: UInt32 = isLast ? 1 << 24 : 0
        try await self.send(
            Self.bytes(id) + Self.bytes(flags | UInt32(payload.count)) + payload
        )
    }
}
