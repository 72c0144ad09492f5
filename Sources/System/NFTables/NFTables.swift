// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNFTables

/// The kernel's packet filter, by scripts in nft's language (nft(8)).
///
/// A script is one transaction: all of it takes effect or nothing. Not for use by two tasks at once.
public final class NFTables {
    private let context: OpaquePointer

    /// What the kernel or the parser refused.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// What nft says, with lines of the script.
        public let message: String

        public var description: String { "nftables refused a change: \(self.message)" }
    }

    public init() throws(Failure) {
        guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw Failure(message: "no context: out of memory")
        }
        nft_ctx_buffer_error(context)
        nft_ctx_buffer_output(context)
        self.context = context
    }

    deinit { nft_ctx_free(self.context) }

    /// Runs a script and gives its output. Blocks until the kernel has answered.
    @discardableResult
    public func run(_ script: String) throws(Failure) -> String {
        guard nft_run_cmd_from_buffer(self.context, script) == 0 else {
            let message = nft_ctx_get_error_buffer(self.context).map { String(cString: $0) } ?? ""
            throw Failure(message: message.isEmpty ? "no reason given" : message)
        }
        return nft_ctx_get_output_buffer(self.context).map { String(cString: $0) } ?? ""
    }
}
