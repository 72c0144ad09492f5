// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A message that crosses the RPC layer.
///
/// The RPC layer knows nothing else about messages. Both directions work on memory that the caller
/// owns, so a message goes between the transport's buffer and its own storage with one copy.
public protocol RPCMessage: Sendable {
    /// Decodes one whole message.
    ///
    /// `bytes` is only valid during the call: copy what must outlive it. It may be empty, and its
    /// base address may then be `nil`.
    ///
    /// - Throws: any error when the bytes are not a message of this type. A server answers the call
    ///   with `INTERNAL`, a client's call ends with `INTERNAL`; the error's description is part of
    ///   the status message.
    init(rpcBytes bytes: UnsafeRawBufferPointer) throws

    /// Appends this message's encoding to `sink`.
    ///
    /// An encoder that knows its size writes in place through
    /// ``RPCByteSink/append(byteCount:initializingWith:)``.
    ///
    /// - Throws: any error when the message cannot be encoded; the call then ends with `INTERNAL`
    ///   and nothing of the message is sent.
    func encodeRPC(to sink: inout RPCByteSink) throws
}
