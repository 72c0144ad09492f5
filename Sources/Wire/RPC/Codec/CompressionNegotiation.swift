// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import RPCInterface

/// The encodings of `grpc-encoding` and `grpc-accept-encoding`.
enum CompressionNegotiation {
    /// What both sides of this implementation accept, as it stands in `grpc-accept-encoding`.
    static let accepted = "identity,gzip,deflate"

    /// A set of encodings.
    struct Accepted: OptionSet, Sendable {
        let rawValue: UInt8
        static let gzip = Accepted(rawValue: 1)
        static let deflate = Accepted(rawValue: 2)

        func contains(_ compression: RPCCompression) -> Bool {
            switch compression {
            case .identity: true
            case .gzip: self.contains(Accepted.gzip)
            case .deflate: self.contains(Accepted.deflate)
            }
        }
    }

    /// The peer's `grpc-accept-encoding`; nothing but identity without one.
    static func accepted(by fields: HeaderFields) -> Accepted {
        guard fields.contains(.grpcAcceptEncoding) else { return [] }
        var accepted: Accepted = []
        if fields.list(.grpcAcceptEncoding, has: "gzip") { accepted.insert(.gzip) }
        if fields.list(.grpcAcceptEncoding, has: "deflate") { accepted.insert(.deflate) }
        return accepted
    }

    /// The peer's `grpc-encoding`: identity without one.
    ///
    /// - Throws: `UNIMPLEMENTED` for an encoding that is not known here.
    static func encoding(of fields: HeaderFields) throws(RPCError) -> RPCCompression {
        guard let name = fields[.grpcEncoding] else { return .identity }
        guard let compression = RPCCompression(rawValue: name) else {
            throw RPCError(
                code: .unimplemented,
                message: "grpc: Decompressor is not installed for grpc-encoding \"\(name)\""
            )
        }
        return compression
    }

    /// Whether `content-type` is gRPC's with messages that this layer carries: `application/grpc`
    /// alone or with a suffix such as `+proto`. `application/grpc-web` is another protocol.
    static func isRPC(_ fields: HeaderFields) -> Bool {
        fields.withFirstValue(of: .contentType) { bytes in
            let name = "application/grpc"
            guard bytes.count >= name.utf8.count else { return false }
            for (byte, expected) in zip(bytes, name.utf8) {
                let lowered = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
                guard lowered == expected else { return false }
            }
            guard bytes.count > name.utf8.count else { return true }
            let next = bytes[name.utf8.count]
            return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
        } ?? false
    }
}
