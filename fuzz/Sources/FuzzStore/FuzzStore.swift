// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes what the store reads: messages of etcd's API, and what lies on its disk.
//
// Strategy: the first byte chooses between messages and files, and the next which of them. Checksums of
// files are made right first, so that what is behind them is reached; table and snapshot files are small
// sound ones that the input is written over, four bytes for each change.
//
// Invariants: see `fuzzEtcdMessages` and `fuzzStoreFiles`. Nothing traps.

import Engine
import EtcdCodec

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStore(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 1 else { return 0 }
    let rest = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    if start[0] % 2 == 0 { fuzzEtcdMessages(rest) } else { fuzzStoreFiles(rest) }
    return 0
}
