// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Patches
import Testing

@Suite("MergePatch")
struct MergePatchTests {
    @Test("merges", arguments: Self.cases)
    func apply(_ test: PatchCase) throws {
        try test.check { (patch, document) throws(PatchError) in
            try MergePatch.apply(patch, to: document)
        }
    }

    // The examples of RFC 7386, appendix A, whose patch is an object, and more.
    static let cases: [PatchCase] = [
        PatchCase("replaces", #"{"a":"b"}"#, #"{"a":"c"}"#, gives: #"{"a":"c"}"#),
        PatchCase("adds", #"{"a":"b"}"#, #"{"b":"c"}"#, gives: #"{"a":"b","b":"c"}"#),
        PatchCase("removes", #"{"a":"b"}"#, #"{"a":null}"#, gives: "{}"),
        PatchCase(
            "removes one of two",
            #"{"a":"b","b":"c"}"#,
            #"{"a":null}"#,
            gives: #"{"b":"c"}"#
        ),
        PatchCase("a list by a scalar", #"{"a":["b"]}"#, #"{"a":"c"}"#, gives: #"{"a":"c"}"#),
        PatchCase("a scalar by a list", #"{"a":"c"}"#, #"{"a":["b"]}"#, gives: #"{"a":["b"]}"#),
        PatchCase(
            "deep",
            #"{"a":{"b":"c"}}"#,
            #"{"a":{"b":"d","c":null}}"#,
            gives: #"{"a":{"b":"d"}}"#
        ),
        PatchCase("lists as a whole", #"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, gives: #"{"a":[1]}"#),
        PatchCase("a null that is there", #"{"e":null}"#, #"{"a":1}"#, gives: #"{"a":1,"e":null}"#),
        PatchCase("an object over a list", #"[1,2]"#, #"{"a":"b","c":null}"#, gives: #"{"a":"b"}"#),
        PatchCase(
            "nulls of new objects",
            "{}",
            #"{"a":{"bb":{"ccc":null}}}"#,
            gives: #"{"a":{"bb":{}}}"#
        ),
        PatchCase(
            "nulls in lists stay",
            "{}",
            #"{"a":[null,{"b":null}]}"#,
            gives: #"{"a":[null,{"b":null}]}"#
        ),
        PatchCase("no object", "{}", "[1]", throws: .malformed("Invalid JSON Patch")),
    ]
}
