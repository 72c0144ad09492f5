// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes what the RPC layer reads of a peer: the framing and decompression of messages, timeouts,
// status messages, metadata. `fuzzRPC` in Sources/Wire/RPC/Fuzzing.swift says what it feeds and what
// must hold.

import RPC

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRPCMessages(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzRPC(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}
