// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What an nghttp2 callback saw, in 16 bytes.
struct FrameEvent {
    enum Kind: UInt8 {
        /// A header block is complete; `a` is its index in the recorder's blocks, `b` its
        /// ``HeaderBlock/Flags``.
        case headers
        /// Body bytes; `a` is their offset in the input, `b` their number.
        case data
        /// The peer has ended the stream.
        case endStream
        /// The peer has reset the stream with code `a`.
        case reset
        /// nghttp2 has closed the stream with code `a`.
        case close
        /// GOAWAY has come: `a` the code, `streamID` the last stream it processed.
        case goAway
        /// SETTINGS have come.
        case settings
        /// Our SETTINGS were acknowledged.
        case settingsAck
        /// Our PING was answered; `a` is its first byte, which says what it was for.
        case pingAck
        /// A queued HEADERS could not be sent.
        case headersNotSent
        /// DATA has brought the stream's queue below the low-water mark.
        case drained
        /// All body bytes have left and the trailers may follow.
        case bodySent
        /// A frame with END_STREAM has left.
        case endSent
    }

    var kind: Kind
    var streamID: Int32
    var a: UInt32
    var b: UInt32
}

/// Flags of a received header block.
enum HeaderBlockFlags {
    static let isRequest: UInt32 = 1
    static let hasPseudo: UInt32 = 2
    static let tooLarge: UInt32 = 4
}
