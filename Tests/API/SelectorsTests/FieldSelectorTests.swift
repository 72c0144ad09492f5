// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import Selectors
import Testing

@Suite("Field selector") struct FieldSelectorTests {
    @Test("reads, writes and refuses as upstream")
    func parsing() throws {
        for row in try Golden.rows("fields.tsv", atLeast: 120) where row[0] == "field" {
            do throws(SelectorError) {
                let selector = try FieldSelector(parsing: row[1])
                #expect(row[2] == "ok", "\(row[1].debugDescription)")
                #expect(selector.description == row[3], "\(row[1].debugDescription)")
            } catch {
                #expect(row[2] == "error", "\(row[1].debugDescription): \(error)")
                #expect(error.description == row[3])
            }
        }
    }

    @Test("matches as upstream")
    func matching() throws {
        for row in try Golden.rows("fields.tsv", atLeast: 120) where row[0] == "match" {
            let selector = try FieldSelector(parsing: row[1])
            var fields: [String: String] = [:]
            for column in row[3...] {
                let end = column.firstIndex(of: "=") ?? column.endIndex
                fields[String(column[..<end])] = String(column[end...].dropFirst())
            }
            #expect(selector.matches(fields) == (row[2] == "true"), "\(row)")
        }
    }

    @Test("compares bytes, not characters")
    func bytes() {
        let selector = FieldSelector([.init("a", "e\u{301}")])
        #expect(selector.matches(["a": "e\u{301}"]))
        #expect(!selector.matches(["a": "\u{E9}"]))
    }

    @Test(
        "tells the value that it requires",
        arguments: [
            ("metadata.name=a", "a"), ("metadata.name==a", "a"), ("metadata.name!=a", nil),
            ("x=a", nil), ("", nil), ("metadata.name=", ""),
            ("metadata.name!=b,metadata.name=a", "a"),
        ] as [(String, String?)]
    )
    func requiredValue(_ text: String, _ expected: String?) throws {
        let selector = try FieldSelector(parsing: text)
        #expect(selector.requiredValue(of: "metadata.name") == expected)
    }

    @Test("is put into the fields of a kind")
    func mapping() throws {
        let selector = try FieldSelector(parsing: "a=1,b!=2,c=")
        let mapped = selector.mapped { field, value in
            field == "a" ? ("x.a", value + "0") : field == "c" ? ("", "") : (field, value)
        }
        #expect(mapped.description == "x.a=10,b!=2")
        #expect(
            try FieldSelector(parsing: "metadata.name=a,metadata.namespace=b")
                .mapped(FieldSelector.convertMetadata).terms.count == 2
        )
        let error = #expect(throws: SelectorError.self) {
            try FieldSelector(parsing: "spec.x=a").mapped(FieldSelector.convertMetadata)
        }
        #expect(
            error?.description
                == "\"spec.x\" is not a known field selector: only \"metadata.name\", "
                + "\"metadata.namespace\""
        )
    }

    @Test("has a limit")
    func limit() throws {
        let fits = "a=" + String(repeating: "x", count: FieldSelector.maximumTextBytes - 2)
        #expect(try FieldSelector(parsing: fits).terms.count == 1)
        #expect(throws: SelectorError.self) { try FieldSelector(parsing: fits + "x") }
    }

    @Test(
        "escapes what it must",
        arguments: [
            ("a", "a"), ("a,b", "a\\,b"), ("a=b", "a\\=b"), ("a\\b", "a\\\\b"), ("", ""),
            ("é,\\=", "é\\,\\\\\\="),
        ]
    )
    func escapes(_ value: String, _ expected: String) throws {
        #expect(FieldSelector.escaped(value) == expected)
        #expect(try FieldSelector(parsing: "f=\(expected)").terms == [.init("f", value)])
    }
}
