// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import RPCInterface

/// The header and trailer blocks of a server's answers.
enum ResponseHeads {
    /// The head of a response without metadata; one block of memory for all calls.
    static let ok = HTTPResponseHead(status: .ok, fields: [.contentType: "application/grpc"])

    /// The trailers of a call that ended well and has no metadata.
    static let okTrailers: HeaderFields = [.grpcStatus: "0"]

    /// The head of a response with metadata or compression.
    static func ok(
        metadata: Metadata,
        encoding: RPCCompression
    ) throws(RPCError) -> HTTPResponseHead {
        var head = Self.ok
        if encoding != .identity { head.fields.append(.grpcEncoding, encoding.rawValue) }
        try MetadataCoding.append(metadata, to: &head.fields)
        return head
    }

    /// Trailers for a status. Metadata that breaks the rules makes it `INTERNAL`.
    static func trailers(
        _ failure: RPCError?,
        trailing: Metadata,
        messageLimit: Int
    ) -> HeaderFields {
        var fields = HeaderFields()
        Self.append(failure, trailing: trailing, messageLimit: messageLimit, to: &fields)
        return fields
    }

    /// The head of a response that has nothing but a status.
    static func trailersOnly(
        _ failure: RPCError,
        initial: Metadata = Metadata(),
        trailing: Metadata = Metadata(),
        messageLimit: Int
    ) -> HTTPResponseHead {
        var head = Self.ok
        var trailing = trailing
        if !initial.isEmpty {
            var both = initial
            both.add(contentsOf: trailing)
            trailing = both
        }
        if failure.code == .unimplemented {
            head.fields.append(.grpcAcceptEncoding, CompressionNegotiation.accepted)
        }
        Self.append(failure, trailing: trailing, messageLimit: messageLimit, to: &head.fields)
        return head
    }

    private static func append(
        _ failure: RPCError?,
        trailing: Metadata,
        messageLimit: Int,
        to fields: inout HeaderFields
    ) {
        var failure = failure
        var metadata = trailing
        if let error = failure { metadata.add(contentsOf: error.metadata) }
        do throws(RPCError) {
            try MetadataCoding.check(metadata)
        } catch {
            metadata = Metadata()
            if failure == nil { failure = error }
        }
        guard let failure else {
            fields.append(.grpcStatus, "0")
            try? MetadataCoding.append(metadata, to: &fields)
            return
        }
        fields.append(.grpcStatus, String(failure.code.rawValue))
        if !failure.message.isEmpty {
            fields.append(
                .grpcMessage,
                StatusMessage.encode(failure.message, limit: messageLimit)
            )
        }
        if !failure.details.isEmpty {
            fields.append(.grpcStatusDetails, MetadataCoding.encode(failure.details))
        }
        try? MetadataCoding.append(metadata, to: &fields)
    }
}
