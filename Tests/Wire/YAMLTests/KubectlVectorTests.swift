// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing
import YAML

/// What kubectl 1.32 made of the same input. `Fixtures/make_vectors.py` asked it.
@Suite("YAML and kubectl") struct KubectlVectorTests {
    @Test("reads YAML as kubectl does", arguments: ["plain", "flow", "tagged", "styles"])
    func reads(_ name: String) throws {
        let json = try YAML.json(from: try Fixture.bytes(of: "kubectl.\(name).input.yaml"))
        #expect(string(json) == string(try Fixture.bytes(of: "kubectl.\(name).json")))
    }

    @Test(
        "prints JSON as kubectl -o yaml does",
        arguments: [
            "plain", "flow", "tagged", "styles", "strings", "deep-strings", "order",
            "nested0", "nested1", "nested2", "nested3", "nested4",
        ]
    )
    func prints(_ name: String) throws {
        let json = try Fixture.bytes(of: "kubectl.\(name).json")
        let text = try YAML.text(fromJSON: json)
        #expect(text == (try Fixture.bytes(of: "kubectl.\(name).yaml")), "\(name)")
        // goyaml writes the key "<<" as a merge key, which is not what it was.
        if name != "styles" {
            #expect(try YAML.json(from: text) == json, "\(name)")
        }
    }

    @Test("prints keys of all kinds as kubectl -o yaml does, in whatever order")
    func keys() throws {
        let json = try Fixture.bytes(of: "kubectl.keys.json")
        let text = try YAML.text(fromJSON: json)
        let expected = try Fixture.bytes(of: "kubectl.keys.yaml")
        let lines = text.split(separator: 10).map(string).sorted()
        #expect(lines == expected.split(separator: 10).map(string).sorted())
        #expect(lines.count > 2000)
        #expect(try YAML.json(from: text) == json)
    }

    @Test("prints manifests as kubectl create does, and reads them back")
    func manifests() throws {
        let pairs = try Fixture.pairs(of: "manifests.kubectl.txt")
        #expect(pairs.count >= 45)
        for (json, yaml) in pairs {
            #expect(string(try YAML.text(fromJSON: json)) == string(yaml))
            let back = try YAML.json(from: yaml)
            #expect(string(try YAML.text(fromJSON: back)) == string(yaml))
        }
    }

    @Test("refuses with kubectl's words")
    func errors() throws {
        let pairs = try Fixture.pairs(of: "errors.kubectl.txt")
        #expect(pairs.count > 200)
        for (message, document) in pairs {
            let error = #expect(throws: YAMLError.self, "\(string(document))") {
                try YAML.documents(document)
            }
            #expect(error?.description == string(message), "\(string(document))")
        }
    }
}
