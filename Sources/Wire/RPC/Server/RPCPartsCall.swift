// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// A call that can send a message in parts, so that a large one is never in memory as a whole.
///
/// Calls on a network are; calls inside a process are not.
public protocol RPCPartsCall: RPCServerCall {
    /// Whether a message can be sent in parts now: one that is compressed cannot.
    var takesParts: Bool { get }

    /// Encodes the first part of a message.
    ///
    /// - Parameter encode: as in `append`; answers how many bytes ``appendPart(_:)`` will add. The
    ///   handler has failed when it returns before all of them were added.
    /// - Returns: whether there is room for the next part; if not, `waitForRoom()` comes before it.
    /// - Throws: as `append`.
    func appendStart(_ encode: (inout RPCByteSink) throws -> Int) throws(RPCError) -> Bool

    /// Encodes the next part of the message that was begun.
    func appendPart(_ encode: (inout RPCByteSink) throws -> Void) throws(RPCError) -> Bool
}
