// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import Protobuf

/// The size of a terminal, as clients tell it: `{"Width":80,"Height":24}`.
enum TerminalSize {
    static func parse(_ json: Bytes) -> ApusNode.TerminalSize? {
        guard let tree = try? DynamicValue(json: [UInt8](json)),
            let width = tree["Width"]?.integer, let height = tree["Height"]?.integer,
            (0...65_535).contains(width), (0...65_535).contains(height)
        else { return nil }
        return ApusNode.TerminalSize.with {
            $0.width = UInt32(width)
            $0.height = UInt32(height)
        }
    }
}
