// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP

/// Walks over the frame headers of the input before nghttp2 reads it.
///
/// nghttp2 skips some frames without telling anyone: those of unknown types, and those on streams
/// that are closed. The scanner counts the first and finds among the second those that RFC 9113
/// section 5.1 makes an error, because the peer itself has reset the stream or left it out.
struct FrameScanner {
    struct Violation {
        /// Where in the input the frame starts.
        let offset: Int
        let code: HTTP2ErrorCode
    }

    /// PRIORITY frames and frames of unknown types since somebody looked.
    var cheapFrames = 0

    private let isServer: Bool
    private var prefaceLeft: Int
    /// The payload of the current frame that is still to come.
    private var payloadLeft = 0
    /// The part of a frame header that has come.
    private var header: UInt64 = 0
    private var headerCount = 0

    /// The last streams that the peer reset.
    private var resets: [Int32] = []
    private var nextReset = 0
    /// Identifiers that the peer left out and can no longer use (RFC 9113 section 5.1.1).
    private var skipped: [ClosedRange<Int32>] = []
    private var lastOpened: Int32 = -1

    /// How many resets and gaps are remembered.
    private static let rememberedCount = 16
    private static let headerByteCount = 9
    private static let prefaceByteCount = 24

    init(isServer: Bool) {
        self.isServer = isServer
        self.prefaceLeft = isServer ? Self.prefaceByteCount : 0
    }

    /// Reads on. A violation ends the scan; what lies before it is good.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Violation? {
        var index = min(self.prefaceLeft, bytes.count)
        self.prefaceLeft -= index
        while index < bytes.count {
            if self.payloadLeft > 0 {
                let step = min(self.payloadLeft, bytes.count - index)
                self.payloadLeft -= step
                index += step
                continue
            }
            let start = index
            if self.headerCount == 0, bytes.count - index >= Self.headerByteCount {
                let length =
                    Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
                let stream = UInt32(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: index + 5, as: UInt32.self)
                )
                let type = bytes[index + 3]
                index += Self.headerByteCount
                self.payloadLeft = length
                if let code = self.frame(type, Int32(bitPattern: stream & 0x7FFF_FFFF)) {
                    return Violation(offset: start, code: code)
                }
                continue
            }
            // A header that is cut in pieces: gathered byte by byte. The length is the first three
            // bytes and goes to `payloadLeft` at the end; `header` keeps the last eight.
            while index < bytes.count, self.headerCount < Self.headerByteCount {
                if self.headerCount == 0 { self.header = 0 }
                if self.headerCount == 3 { self.pendingLength = Int(self.header & 0xFF_FFFF) }
                self.header = self.header << 8 | UInt64(bytes[index])
                self.headerCount += 1
                index += 1
            }
            guard self.headerCount == Self.headerByteCount else { return nil }
            self.headerCount = 0
            self.payloadLeft = self.pendingLength
            let type = UInt8(truncatingIfNeeded: self.header >> 40)
            let stream = Int32(truncatingIfNeeded: self.header & 0x7FFF_FFFF)
            if let code = self.frame(type, stream) {
                return Violation(offset: start, code: code)
            }
        }
        return nil
    }

    private var pendingLength = 0

    private mutating func frame(_ type: UInt8, _ stream: Int32) -> HTTP2ErrorCode? {
        switch type {
        case 0: return self.violation(on: stream)
        case 1:
            if self.isServer, stream > self.lastOpened, stream & 1 == 1 { self.opened(stream) }
            return self.violation(on: stream)
        case 2:
            self.cheapFrames &+= 1
            return stream == 0 ? .protocolError : nil
        case 3:
            self.reset(stream)
            return nil
        default:
            if type > 9 { self.cheapFrames &+= 1 }
            return nil
        }
    }

    private mutating func reset(_ stream: Int32) {
        if self.resets.count < Self.rememberedCount {
            self.resets.append(stream)
        } else {
            self.resets[self.nextReset] = stream
            self.nextReset = (self.nextReset + 1) % Self.rememberedCount
        }
    }

    private mutating func opened(_ stream: Int32) {
        if stream > self.lastOpened + 2 {
            if self.skipped.count == Self.rememberedCount { self.skipped.removeFirst() }
            self.skipped.append((self.lastOpened + 2)...(stream - 2))
        }
        self.lastOpened = stream
    }

    private func violation(on stream: Int32) -> HTTP2ErrorCode? {
        if !self.resets.isEmpty, self.resets.contains(stream) { return .streamClosed }
        if !self.skipped.isEmpty, self.skipped.contains(where: { $0.contains(stream) }) {
            return .protocolError
        }
        return nil
    }
}
