// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The reason in RST_STREAM and GOAWAY (RFC 9113 section 7). Peers may send codes that are not
/// listed here. HTTP/1.1 has no such codes; a reset there closes the connection.
public struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static var noError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x0) }
    public static var protocolError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x1) }
    public static var internalError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x2) }
    public static var flowControlError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x3) }
    public static var settingsTimeout: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x4) }
    public static var streamClosed: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x5) }
    public static var frameSizeError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x6) }
    public static var refusedStream: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x7) }
    public static var cancel: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x8) }
    public static var compressionError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0x9) }
    public static var connectError: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0xA) }
    public static var enhanceYourCalm: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0xB) }
    public static var inadequateSecurity: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0xC) }
    public static var http11Required: HTTP2ErrorCode { HTTP2ErrorCode(rawValue: 0xD) }
}

extension HTTP2ErrorCode: CustomStringConvertible {
    public var description: String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL",
            "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY",
            "HTTP_1_1_REQUIRED",
        ]
        return self.rawValue < UInt32(names.count)
            ? names[Int(self.rawValue)] : "0x\(String(self.rawValue, radix: 16))"
    }
}
