// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

@Suite("PEM")
struct PEMTests {
    @Test("what is written is read back", arguments: [0, 1, 2, 3, 47, 48, 49, 96, 1_000, 65_536])
    func roundTrip(byteCount: Int) throws {
        let content = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let text = PEM.encode(label: "X THING", content: content)
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 64 })
        let blocks = try PEM.parse(text)
        #expect(blocks == [PEM.Block(label: "X THING", content: content)])
    }

    struct Reading: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var blocks: [PEM.Block]
        var testDescription: String { self.name }
    }

    @Test(
        "reads what other programs write",
        arguments: [
            Reading(name: "nothing", text: "", blocks: []),
            Reading(name: "other text", text: "hello\n-- BEGIN --\n-----\n", blocks: []),
            Reading(name: "not at a line's start", text: " -----BEGIN A-----\n", blocks: []),
            Reading(
                name: "no line feed at the end",
                text: "-----BEGIN A-----\nAQID\n-----END A-----",
                blocks: [PEM.Block(label: "A", content: [1, 2, 3])]
            ),
            Reading(
                name: "carriage returns, tabs and trailing white space",
                text: "-----BEGIN A----- \t\r\nAQ\tID\r\n\r\n-----END A-----\r\n",
                blocks: [PEM.Block(label: "A", content: [1, 2, 3])]
            ),
            Reading(
                name: "text around and between",
                text: """
                    subject: x
                    -----BEGIN A-----
                    AQ==
                    -----END A-----
                    in between
                    -----BEGIN B C-----
                    Ag==
                    -----END B C-----
                    behind
                    """,
                blocks: [
                    PEM.Block(label: "A", content: [1], offset: 11),
                    PEM.Block(label: "B C", content: [2], offset: 61),
                ]
            ),
            Reading(
                name: "long lines",
                text:
                    "-----BEGIN A-----\n\(String(repeating: "AAAA", count: 100))\n-----END A-----",
                blocks: [PEM.Block(label: "A", content: [UInt8](repeating: 0, count: 300))]
            ),
        ]
    )
    func reads(_ reading: Reading) throws {
        #expect(try PEM.parse(reading.text) == reading.blocks)
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var problem: PEM.Problem
        var offset: Int
        var testDescription: String { self.name }
    }

    @Test(
        "tells what is wrong and where",
        arguments: [
            Broken(
                name: "BEGIN not finished",
                text: "-----BEGIN A\n",
                problem: .beginLine,
                offset: 0
            ),
            Broken(
                name: "BEGIN with four dashes",
                text: "x\n-----BEGIN A----\nAQID\n-----END A-----\n",
                problem: .beginLine,
                offset: 2
            ),
            Broken(
                name: "empty label",
                text: "-----BEGIN -----\n-----END -----\n",
                problem: .beginLine,
                offset: 0
            ),
            Broken(
                name: "label of 65 bytes",
                text: "-----BEGIN \(String(repeating: "A", count: 65))-----\n",
                problem: .beginLine,
                offset: 0
            ),
            Broken(
                name: "content on the BEGIN line",
                text: "-----BEGIN A-----AQID\n-----END A-----\n",
                problem: .beginLine,
                offset: 0
            ),
            Broken(
                name: "no END",
                text: "-----BEGIN A-----\nAQID\n",
                problem: .noEndLine,
                offset: 23
            ),
            Broken(
                name: "another BEGIN inside",
                text: "-----BEGIN A-----\nAQID\n-----BEGIN A-----\n",
                problem: .noEndLine,
                offset: 23
            ),
            Broken(
                name: "other END label",
                text: "-----BEGIN A-----\nAQID\n-----END B-----\n",
                problem: .endLabel,
                offset: 23
            ),
            Broken(
                name: "END not finished",
                text: "-----BEGIN A-----\nAQID\n-----END A--",
                problem: .endLabel,
                offset: 23
            ),
            Broken(
                name: "a byte that is not base 64",
                text: "-----BEGIN A-----\nAQ ID\nA!==\n-----END A-----\n",
                problem: .base64,
                offset: 25
            ),
            Broken(
                name: "base 64 cut off",
                text: "-----BEGIN A-----\nAQIDA\n-----END A-----\n",
                problem: .base64,
                offset: 24
            ),
            Broken(
                name: "padding in the middle",
                text: "-----BEGIN A-----\nAQ==AQID\n-----END A-----\n",
                problem: .base64,
                offset: 22
            ),
            Broken(
                name: "an encrypted key of old",
                text: """
                    -----BEGIN RSA PRIVATE KEY-----
                    Proc-Type: 4,ENCRYPTED
                    DEK-Info: AES-128-CBC,00

                    AQID
                    -----END RSA PRIVATE KEY-----
                    """,
                problem: .encrypted,
                offset: 36
            ),
            Broken(
                name: "a header without a dash",
                text: "-----BEGIN A-----\nComment: x\n\nAQID\n-----END A-----\n",
                problem: .encrypted,
                offset: 25
            ),
        ]
    )
    func broken(_ broken: Broken) {
        #expect(throws: PKIError.malformedPEM(broken.problem, offset: broken.offset)) {
            try PEM.parse(broken.text)
        }
    }

    @Test("a label may have 64 bytes")
    func longestLabel() throws {
        let label = String(repeating: "A", count: PEM.maximumLabelBytes)
        #expect(try PEM.parse(PEM.encode(label: label, content: [1])).map(\.label) == [label])
    }

    @Test("refuses one block more than the limit")
    func blockLimit() throws {
        let block = "-----BEGIN A-----\nAA==\n-----END A-----\n"
        let most = String(repeating: block, count: PEM.maximumBlocks)
        #expect(try PEM.parse(most).count == PEM.maximumBlocks)
        #expect(throws: PKIError.malformedPEM(.tooManyBlocks, offset: most.utf8.count)) {
            try PEM.parse(most + block)
        }
    }

    @Test("refuses one byte more than the limit")
    func sizeLimit() throws {
        let most = [UInt8](repeating: 0x0A, count: PEM.maximumTextBytes)
        #expect(try PEM.parse(most).isEmpty)
        #expect(
            throws: PKIError.tooLarge(bytes: most.count + 1, limit: PEM.maximumTextBytes)
        ) {
            try PEM.parse(most + [0x0A])
        }
    }
}
