// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
package import WatchCache

/// Which objects a list is of, and of when.
package struct ListQuery: Sendable {
    package var filter: WatchFilter
    /// Empty is the most recent state.
    package var resourceVersion = ""
    /// `Exact`, `NotOlderThan` or empty.
    package var resourceVersionMatch = ""
    /// The most objects; 0 is no limit.
    package var limit = 0
    package var continueToken = ""

    package init(filter: WatchFilter) {
        self.filter = filter
    }
}

/// A list, or a page of one.
package struct ListResult: Sendable {
    package var objects: [CachedObject]
    /// The resource version of the list.
    package var revision: Int64
    /// Where the next page starts; empty at the end.
    package var continueToken = ""
    /// How many objects follow; nil when that is not known.
    package var remaining: Int64?
}

/// Where a list goes on: a key and the revision of its first page.
///
/// Source: upstream k8s.io/apimachinery `pkg/apis/meta/v1`, k8s.io/apiserver `pkg/storage/continue.go`.
struct ContinueToken: Equatable {
    /// -1 goes on with the present state.
    var revision: Int64
    /// The first key that may come, behind the prefix of the list.
    var start: [UInt8]

    /// The text: unpadded URL base 64 of a JSON object.
    var text: String {
        var json = Array("{\"v\":\"meta.k8s.io/v1\",\"rv\":\(self.revision),\"start\":\"".utf8)
        for byte in self.start {
            switch byte {
            case 0: json += Array("\\u0000".utf8)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            default: json.append(byte)
            }
        }
        json += Array("\"}\n".utf8)
        var text = Base64.encode(json)
        text = String(
            text.compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            }
        )
        return text
    }
}
